// The page's own files, inside the page: for froc.html, which is opened from disk.
import { embedded } from "virtual:embedded";

export const isOneFile = true;

/** The id of the element that holds the files which a person saved in this page (src/saved_page.rs). */
const FILES = "froc-files";

/** What is saved in this page: taken out of it, so that the page itself is without. */
const saved = (() => {
  const element = document.getElementById(FILES);
  element?.remove();
  return (JSON.parse(element?.textContent || "[]") as { name: string; gzip: string }[]).map(({ name, gzip }) => ({
    name,
    gzip,
  }));
})();

/** This page as it was opened, before anything is drawn in it. */
const page = [...document.childNodes]
  .map((node) =>
    node instanceof Element ? node.outerHTML : node instanceof Comment ? `<!--${node.data}-->` : "<!doctype html>",
  )
  .join("\n");

/** The page in one file. */
export const loadPage = async () => new TextEncoder().encode(page);

/** The files that a person saved in this page. */
export const loadSaved = () => Promise.all(saved.map(async ({ name, gzip }) => new File([await inflated(gzip)], name)));

/** Inflates a gzipped file that is kept as base64. */
async function bytes(name: string): Promise<ArrayBuffer> {
  const text = embedded[name];
  if (text === undefined) throw new Error(`${name} is not inside this page`);
  return inflated(text);
}

async function inflated(text: string): Promise<ArrayBuffer> {
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

const MODULE = "froc_bg.wasm";
export const loadModule = async () => WebAssembly.compile(await bytes(MODULE));

/** The files of all samples. */
export async function loadSamples(): Promise<File[]> {
  const names = Object.keys(embedded).filter((name) => name !== MODULE);
  return Promise.all(names.map(async (name) => new File([await bytes(name)], name)));
}
