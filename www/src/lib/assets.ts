// The page's own files, fetched beside it. The one-file build puts assets.embedded.ts in this place.
import module from "../../pkg/froc_bg.wasm?url";
import groundTruth from "../../sample/test.json?url";
import modelA from "../../sample/model-a.zip?url";
import modelB from "../../sample/model-b.zip?url";

export const isOneFile = false;

async function bytes(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.arrayBuffer();
}

export async function loadModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await bytes(module));
}

export async function loadSample(): Promise<File[]> {
  const files: [string, string][] = [
    ["test.json", groundTruth],
    ["model-a.zip", modelA],
    ["model-b.zip", modelB],
  ];
  return Promise.all(files.map(async ([name, url]) => new File([await bytes(url)], name)));
}

/** The panel that shows where the points go; it has code of its own, which is fetched beside the engine. */
export const loadPanel = () => import("./views/Where.svelte");
