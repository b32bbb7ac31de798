// The whole path once in WebKit, on which Safari is built, as Linux distributions ship it: choose, score, export, images,
// offline, one file.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { expect, test } from "@playwright/test";
import { zipSync } from "fflate";
import { Builder, By, Key, type WebDriver, type WebElement } from "selenium-webdriver";

import { attempt, waysIn } from "./attempts.ts";
import { golden, goldenCase, LARGE, asShown, largeZip, smallTruth, terminal, upload, type Upload } from "./page.ts";
import { dist, Site } from "./server.ts";

const driverPath = process.env.WEBKIT_DRIVER ?? "/usr/bin/WebKitWebDriver";
/** It has no headless mode: a screen is made for it. */
const xvfb = "/usr/bin/xvfb-run";

const missing = [driverPath, xvfb].filter((path) => !existsSync(path));
test.skip(
  missing.length > 0,
  `for WebKit there is no ${missing.join(", nor ")}; Debian's packages are webkit2gtk-driver and xvfb`,
);
test.describe.configure({ mode: "serial" });

let server: ChildProcess;
let driver: WebDriver;
let site: Site;
const folder = mkdtempSync(join(tmpdir(), "froc-"));

test.beforeAll(async () => {
  site = await Site.start();
  const port = await freePort();
  // A group of its own, so that the screen ends with it.
  server = spawn(xvfb, ["--auto-servernum", driverPath, `--port=${port}`], { stdio: "ignore", detached: true });
  const url = `http://127.0.0.1:${port}`;
  await expect
    .poll(() =>
      fetch(`${url}/status`).then(
        ({ ok }) => ok,
        () => false,
      ),
    )
    .toBe(true);
  driver = await new Builder().usingServer(url).withCapabilities({ browserName: "MiniBrowser" }).build();
  await driver.manage().setTimeouts({ script: 30_000 });
});

test.afterAll(async () => {
  await driver?.quit().catch(() => undefined);
  if (server?.pid !== undefined) process.kill(-server.pid);
  await site?.stop().catch(() => undefined);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

const at = (testid: string) => By.css(`[data-testid="${testid}"]`);
const one = async (testid: string): Promise<WebElement> => driver.findElement(at(testid));
const text = async (testid: string) => (await texts(testid))[0] ?? "";

async function texts(testid: string): Promise<string[]> {
  return driver.executeScript(
    "return [...document.querySelectorAll(arguments[0])].map((element) => element.textContent)",
    `[data-testid="${testid}"]`,
  );
}

async function press(testid: string): Promise<void> {
  await driver.executeScript("arguments[0].click()", await one(testid));
}

/** Waits until an element matches. */
async function until(selector: string): Promise<void> {
  await expect
    .poll(() => driver.findElements(By.css(selector)).then(({ length }) => length), { timeout: 20_000 })
    .toBeGreaterThan(0);
}

async function open(url: string): Promise<void> {
  await driver.get(url);
  await until('[data-testid="page"][data-ready="true"]');
}

async function settled(): Promise<void> {
  await until('[data-testid="results"]');
  await until('[data-testid="page"][data-adding="false"][data-scoring="false"]');
}

async function choose(paths: string[]): Promise<void> {
  await (await one("file-input")).sendKeys(paths.join("\n"));
  await settled();
}

async function scoreSample(): Promise<string[]> {
  await press("score-sample");
  await settled();
  return texts("official-average");
}

/** What the page hands to the browser to save when a button is pressed: its name, and its bytes as base64. */
async function saved(testid: string): Promise<{ name: string; bytes: Buffer }> {
  const [name, base64] = await driver.executeAsyncScript<[string, string]>(
    `
    const [button, done] = arguments;
    const blobs = new Map();
    const { createObjectURL } = URL;
    URL.createObjectURL = (blob) => {
      const url = createObjectURL(blob);
      blobs.set(url, blob);
      return url;
    };
    HTMLAnchorElement.prototype.click = function () {
      const reader = new FileReader();
      reader.onload = () => done([this.download, reader.result.split(",")[1]]);
      reader.readAsDataURL(blobs.get(this.href));
    };
    document.querySelector(button).click();
  `,
    `[data-testid="${testid}"]`,
  );
  return { name, bytes: Buffer.from(base64, "base64") };
}

/** Files on the disk; their paths. */
function onDisk(files: Upload[]): string[] {
  return files.map(({ name, buffer }) => {
    const path = join(folder, name);
    writeFileSync(path, buffer);
    return path;
  });
}

const files = goldenCase(join(golden, "synthetic"));
/** A worker of a page from disk may read no file in WebKit: it is given the bytes. */
const PLACES: [string, () => string][] = [
  ["from a host", () => site.url],
  ["from disk", () => pathToFileURL(join(dist, "froc.html")).href],
];

for (const [place, url] of PLACES) {
  test(`WebKit, ${place}: files are scored, and what is saved is what the terminal writes`, async () => {
    await open(url());
    await choose(onDisk(files));
    const { bytes: report } = await saved("download-json");
    expect(report.equals(asShown(report, files))).toBe(true);
    await until('[data-testid="tile"][data-image]');
    const { name, bytes } = await saved("errors-csv");
    expect(name).toBe("froc-errors-0.05.csv");
    expect(bytes.equals(terminal(files, ["--fp", "0.05"], "errors", "csv"))).toBe(true);
    expect(await texts("error")).toEqual([]);
  });

  test(`WebKit, ${place}: a large zip is read, and named when it is broken`, async () => {
    const large = [upload("test.json", smallTruth(LARGE)), upload("large.zip", largeZip())];
    await open(url());
    await choose(onDisk(large));
    const { bytes: report } = await saved("download-json");
    expect(report.equals(asShown(report, large))).toBe(true);
    await choose(onDisk([upload("broken.zip", "PK\u0003\u0004 and no more")]));
    expect(await texts("error")).toEqual([expect.stringContaining("broken.zip")]);
  });

  test(`WebKit, ${place}: a bar leads to its images, pictures come from a zip, and an image is large by keyboard`, async () => {
    await open(url());
    await scoreSample();
    const segment = '[data-class="Mass"] [data-testid="segment"]';
    await until(segment);
    await driver.executeScript("document.querySelector(arguments[0]).click()", segment);
    await expect.poll(() => text("shown")).not.toMatch(/^(104|…) of 104/);
    const zip = join(folder, "films.zip");
    const pixel = await driver.executeScript<string>(
      'return document.createElement("canvas").toDataURL("image/png").split(",")[1]',
    );
    writeFileSync(zip, zipSync({ "films/sample_001.png": Buffer.from(pixel, "base64") }));
    // Those of the sample are others.
    await press("remove-pictures");
    await (await one("picture-input")).sendKeys(zip);
    await expect.poll(() => text("matched")).toContain("1 image of 104 has its picture.");
    await press("tile");
    await until('[data-testid="box"]');
    await driver.actions().sendKeys("+").perform();
    await until('[data-testid="image-view"][data-zoom="1.5"]');
    await driver.actions().sendKeys(Key.ESCAPE).perform();
    await expect.poll(() => driver.findElements(at("image-view"))).toEqual([]);
  });

  test(`WebKit, ${place}: statistics are computed, and a plot is saved as a picture`, async () => {
    await open(url());
    await scoreSample();
    await press("view-intervals");
    await until('[data-testid="compute"]');
    await press("compute");
    await until('[data-testid="bootstrap-used"]');
    await until('[data-testid="froc-plot"] path.band');
    const { bytes } = await saved("save-png");
    expect(bytes.subarray(1, 4).toString()).toBe("PNG");
    expect(await texts("error")).toEqual([]);
  });
}

test("WebKit: a page that only loads its own files counts no request", async () => {
  const host = await Site.start();
  await open(host.url);
  await expect.poll(() => text("offline")).toContain("Ready");
  await scoreSample();
  expect(await texts("requests-made")).toEqual([]);
  expect(await text("request-count")).toBe("0 network requests");
  await host.stop();
});

test("WebKit: no way out of the page or a worker of it reaches another host", async () => {
  const elsewhere = await Site.start(folder, "/");
  try {
    for (const url of [site.url, pathToFileURL(join(dist, "froc.html")).href]) {
      await open(url);
      const inPage = { ways: waysIn("page"), origin: elsewhere.origin };
      await driver.executeAsyncScript(
        `const [done] = arguments; (${attempt})(${JSON.stringify(inPage)}).then(done, done)`,
      );
      // A worker made as the page makes its own: from a blob: URL, so that it inherits the policy.
      const inWorker = { ways: waysIn("worker"), origin: elsewhere.origin };
      const code = `onmessage = () => (${attempt})(${JSON.stringify(inWorker)}).then(() => postMessage("done"), (e) => postMessage(String(e)))`;
      const said = await driver.executeAsyncScript(
        `const [code, done] = arguments;
        const worker = new Worker(URL.createObjectURL(new Blob([code])));
        worker.onmessage = ({ data }) => done(data);
        worker.postMessage("go");`,
        code,
      );
      expect(said).toBe("done");
      await expect.poll(() => text("request-count")).toMatch(/, \d+ stopped$/);
      expect(elsewhere.seen).toEqual([]);
    }
  } finally {
    await elsewhere.stop();
  }
});

test("WebKit: the same attempts do arrive from a page without the policy, so their failing means something", async () => {
  writeFileSync(join(folder, "plain.html"), "<!doctype html><title>no policy</title>");
  const [host, elsewhere] = [await Site.start(folder, "/"), await Site.start(folder, "/")];
  await driver.get(`${host.url}plain.html`);
  const given = { ways: waysIn("page"), origin: elsewhere.origin };
  await driver.executeAsyncScript(`const [done] = arguments; (${attempt})(${JSON.stringify(given)}).then(done, done)`);
  await expect
    .poll(() => elsewhere.seen.map(({ path }) => path).sort())
    .toEqual(given.ways.map((name) => `/${name}`).sort());
  await host.stop();
  await elsewhere.stop();
});

test("WebKit: without its host the page opens again and scores", async () => {
  // Not visited before: WebKit forgets what an automated page has kept when another is open for a while.
  const host = await Site.start();
  const { url } = host;
  await open(url);
  await expect.poll(() => text("offline")).toContain("Ready");
  const sample = await scoreSample();
  expect(sample).toHaveLength(2);
  await host.stop();
  await open(url);
  expect(await scoreSample()).toEqual(sample);
});

test("WebKit: a page that was saved with the files in it shows the same from disk", async () => {
  for (const [, url] of PLACES) {
    await open(url());
    await choose(onDisk(files));
    const scores = await texts("official-average");
    await press("save-as-page");
    await until('[data-testid="share-boxes"]');
    await press("share-boxes");
    await until('[data-testid="save-page-now"]:not([disabled])');
    const { name, bytes } = await saved("save-page-now");
    expect(name).toBe("froc-predictions.html");
    const path = join(folder, name);
    writeFileSync(path, bytes);
    await open(pathToFileURL(path).href);
    await settled();
    expect(await texts("official-average")).toEqual(scores);
    const { bytes: report } = await saved("download-json");
    expect(report.equals(asShown(report, files))).toBe(true);
  }
});
