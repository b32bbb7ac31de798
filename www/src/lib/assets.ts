// The page's own files, fetched beside it. The one-file build puts assets.embedded.ts in this place.
import module from "../../pkg/froc_bg.wasm?url";
import rest from "../../pkg/froc_rest.wasm?url";
import groundTruth from "../../sample/test.json?url";
import modelA from "../../sample/model-a.zip?url";
import modelB from "../../sample/model-b.zip?url";

export const isOneFile = false;

async function bytes(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.arrayBuffer();
}

/** Compiles while it arrives; browsers keep what they compiled of it for the next visit. */
async function compiled(url: string): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compileStreaming(fetch(url));
  } catch (thrown) {
    // A host that does not call it application/wasm; the bytes are in the browser's cache by now.
    if (!(thrown instanceof TypeError)) throw thrown;
    return WebAssembly.compile(await bytes(url));
  }
}

/** What of the engine a first score needs. */
export const loadModule = () => compiled(module);

/** All else of the engine. */
export const loadRest = () => compiled(rest);

export async function loadSample(): Promise<File[]> {
  const files: [string, string][] = [
    ["test.json", groundTruth],
    ["model-a.zip", modelA],
    ["model-b.zip", modelB],
  ];
  return Promise.all(files.map(async ([name, url]) => new File([await bytes(url)], name)));
}

/** What stands below the score; it has code of its own, which is fetched when the engine is there. */
export const loadBelow = () => import("./below.ts");
