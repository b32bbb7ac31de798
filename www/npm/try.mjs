// Tries the package where it was installed, in Node and in Chromium: `try.mjs FOLDER`, with CHROMIUM, FROC_BIN and GOLDEN, a golden
// case, in the environment. What is printed is what the terminal prints.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

import { launch } from "puppeteer-core";

const { CHROMIUM, FROC_BIN, GOLDEN } = process.env;
const installed = join(process.argv[2], "node_modules/froc");
const [groundTruth, predictions] = ["test.json", "predictions.zip"].map((name) => join(GOLDEN, name));
const terminal = (format) =>
  execFileSync(FROC_BIN, ["score", "--ground-truth", groundTruth, "--predictions", predictions, "--format", format]);
const score = (...files) => spawnSync(process.execPath, [join(installed, "examples/score.mjs"), ...files]);

const scored = score(groundTruth, predictions);
assert.equal(scored.stderr.toString(), "");
assert.ok(scored.stdout.equals(terminal("json")), "Node writes another report than the terminal");
const wrong = score(groundTruth, join(installed, "froc_bg.wasm"));
assert.equal(wrong.status, 2);
assert.match(wrong.stderr.toString(), /^froc_bg\.wasm: .*; expected .*\.\n$/);

const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const server = createServer(({ url }, response) => {
  const path = join(installed, url);
  response.writeHead(existsSync(path) ? 200 : 404, { "content-type": types[extname(url)] ?? "text/plain" });
  response.end(existsSync(path) ? readFileSync(path) : "");
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const browser = await launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/examples/page.html`);
  const input = await page.waitForSelector("input");
  const shown = async (...files) => {
    await page.$eval("pre", (status) => (status.textContent = ""));
    await input.uploadFile(...files);
    await page.waitForFunction(() => document.querySelector("pre").textContent, { timeout: 60_000 });
    return page.$eval("pre", (status) => status.textContent);
  };
  assert.equal(await shown(groundTruth, predictions), terminal("text").toString());
  assert.match(await shown(groundTruth, join(installed, "froc_bg.wasm")), /^froc_bg\.wasm: .*; expected .*\.$/);
} finally {
  await browser.close();
  server.close();
}
console.log("The package scores in Node and in Chromium as the terminal does.");
