// Serves the built page to this machine alone: `node serve.mjs 8040`, at that port, or at another one where it is taken.
import { fileURLToPath } from "node:url";

import { preview } from "vite";

const port = process.argv[2];
const { resolvedUrls } = await preview({
  configFile: false,
  root: fileURLToPath(new URL("..", import.meta.url)),
  logLevel: "error",
  // Nothing in place of a file that is not there.
  appType: "mpa",
  preview: {
    host: "127.0.0.1",
    port: Number(port),
    cors: false,
    // A page just built must not be hidden by one seen before.
    headers: { "cache-control": "no-store" },
  },
});
const url = new URL(resolvedUrls.local[0]);
if (port !== "0" && url.port !== port) console.log(`Port ${port} is taken; taking another.`);
console.log(`\nThe page is at ${url} (end with Ctrl-C)`);
