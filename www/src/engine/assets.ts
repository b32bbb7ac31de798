// The page's own files, fetched beside it and compared with what it was built with. The one-file build puts assets.embedded.ts
// in this place.
import { digests } from "virtual:digests";

import module from "../../pkg/froc_bg.wasm?url";

export const isOneFile = false;

/** Addresses of the files of all samples, by path. */
const SAMPLES = import.meta.glob<string>("../../sample/*", { query: "?url", import: "default", eager: true });

/** A file by the name that it has where the page is built. Fails if it is not, to the bit, what it was then. */
async function fetched(name: string, url: string): Promise<Response> {
  const response = await fetch(url, { integrity: digests[name] ?? "" }).catch((thrown: unknown) => {
    throw new Error(
      `${name} did not arrive, or is not the file that this page was built with (${String(thrown)}); reload the page`,
    );
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response;
}

const bytes = async (name: string, url: string) => (await fetched(name, url)).arrayBuffer();

/** Compiles while it arrives; browsers keep what they compiled of it for the next visit. */
async function compiled(name: string, url: string): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compileStreaming(fetched(name, url));
  } catch (thrown) {
    // A host that does not call it application/wasm; the bytes are in the browser's cache by now.
    if (!(thrown instanceof TypeError)) throw thrown;
    return WebAssembly.compile(await bytes(name, url));
  }
}

/** The page in one file, as it was built. */
export const loadPage = async () => new Uint8Array(await bytes("froc.html", "./froc.html"));

/** The files inside this page: none. */
export const loadSaved = (): Promise<File[]> => Promise.resolve([]);

export const loadModule = () => compiled("froc_bg.wasm", module);

/** The files of all samples. */
export async function loadSamples(): Promise<File[]> {
  const files = Object.entries(SAMPLES).map(([path, url]): [string, string] => [
    path.slice(path.lastIndexOf("/") + 1),
    url,
  ]);
  return Promise.all(files.map(async ([name, url]) => new File([await bytes(name, url)], name)));
}
