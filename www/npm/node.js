// The package in Node: its WebAssembly is read from disk, since `fetch` of Node reads no files.
import { readFileSync } from "node:fs";

import init, { initSync } from "./froc.js";

initSync({ module: readFileSync(new URL("./froc_bg.wasm", import.meta.url)) });

export * from "./froc.js";
export default init;
