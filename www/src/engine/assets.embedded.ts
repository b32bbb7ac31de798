// The page's own files, inside the page: for froc.html, which is opened from disk.
import { embedded } from "virtual:embedded";

export const isOneFile = true;

/** Inflates a gzipped file that is kept as base64. */
async function bytes(name: string): Promise<ArrayBuffer> {
  const text = embedded[name];
  if (text === undefined) throw new Error(`${name} is not inside this page`);
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

export const loadModule = async () => WebAssembly.compile(await bytes("froc_bg.wasm"));

export async function loadSample(): Promise<File[]> {
  const names = ["test.json", "model-a.zip", "model-b.zip"];
  return Promise.all(names.map(async (name) => new File([await bytes(name)], name)));
}
