// The whole path once in Firefox, which Playwright cannot drive as distributions ship it: drop, score, export, offline, one file.
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { expect, test } from "@playwright/test";
import { zipSync } from "fflate";
import { launch, type Browser, type ElementHandle, type Page } from "puppeteer-core";

import { attempt, waysIn } from "./attempts.ts";
import { golden, goldenCase, asShown, type Upload } from "./page.ts";
import { dist, Site } from "./server.ts";

const firefox = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

test.skip(!existsSync(firefox), `there is no Firefox at ${firefox}; set FIREFOX to its path`);
test.describe.configure({ mode: "serial" });

let browser: Browser;
let site: Site;
let downloads: string;

test.beforeAll(async () => {
  downloads = mkdtempSync(join(tmpdir(), "froc-"));
  site = await Site.start();
  browser = await launch({
    browser: "firefox",
    executablePath: firefox,
    headless: true,
    extraPrefsFirefox: {
      "browser.download.dir": downloads,
      "browser.download.folderList": 2,
      "browser.download.always_ask_before_handling_new_types": false,
      "browser.helperApps.neverAsk.saveToDisk": "application/json,text/html",
      // The page has more to do than the browser: no look-ups of its own.
      "network.captive-portal-service.enabled": false,
      "network.connectivity-service.enabled": false,
    },
  });
});

test.afterAll(async () => {
  await browser?.close();
  await site?.stop().catch(() => undefined);
});

const at = (testid: string) => `[data-testid="${testid}"]`;
const text = (page: Page, testid: string) => page.$eval(at(testid), (element) => element.textContent ?? "");
const texts = (page: Page, testid: string) =>
  page.$$eval(at(testid), (all) => all.map((element) => element.textContent ?? ""));

async function open(url: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForSelector(`${at("page")}[data-ready="true"]`);
  return page;
}

async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => !document.querySelector('[data-adding="true"], [data-scoring="true"]'));
}

async function drop(page: Page, files: Upload[]): Promise<void> {
  await page.evaluate(
    (files, zone) => {
      const dataTransfer = new DataTransfer();
      for (const { name, base64 } of files) {
        dataTransfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      }
      document
        .querySelector(zone)
        ?.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    },
    files.map(({ name, buffer }) => ({ name, base64: buffer.toString("base64") })),
    at("drop-zone"),
  );
  await page.waitForSelector(at("results"));
  await settled(page);
}

/** The report as the browser saved it. */
async function exported(page: Page): Promise<Buffer> {
  return readFileSync(await downloaded(page, "download-json", ".json"));
}

/** Where the browser put what it saves when a button is pressed. */
async function downloaded(page: Page, button: string, ending: string): Promise<string> {
  const before = new Set(readdirSync(downloads));
  await page.$eval(at(button), (button) => (button as HTMLElement).click());
  let name: string | undefined;
  await expect
    .poll(() => {
      const names = readdirSync(downloads);
      name = names.find((name) => !before.has(name) && name.endsWith(ending));
      return name !== undefined && !names.some((name) => name.endsWith(".part"));
    })
    .toBe(true);
  return join(downloads, name ?? "");
}

async function scoreSample(page: Page): Promise<string[]> {
  await page.click(at("score-sample"));
  return sampleScores(page);
}

/** Of the sample, once it is scored. */
async function sampleScores(page: Page): Promise<string[]> {
  await page.waitForSelector(at("results"));
  await settled(page);
  return texts(page, "official-average");
}

const files = goldenCase(join(golden, "synthetic"));
let sample: string[];

test("Firefox: a drop is scored, and its export is what the terminal writes", async () => {
  const page = await open(site.url);
  await drop(page, files);
  const bytes = await exported(page);
  expect(bytes.equals(asShown(bytes, files))).toBe(true);
  expect(await text(page, "request-count")).toBe("0 network requests");
  await page.close();
});

test("Firefox: a zip that grows on disk after it was scored has no digest of other bytes", async () => {
  const page = await open(site.url);
  const paths = files.map(({ name, buffer }) => {
    const path = join(downloads, `changing-${name}`);
    writeFileSync(path, buffer);
    return path;
  });
  const input = (await page.$(at("file-input"))) as ElementHandle<HTMLInputElement> | null;
  await input?.uploadFile(...paths);
  await page.waitForSelector(at("results"));
  await settled(page);
  const [path, scored] = [
    paths.find((path) => path.endsWith(".zip")) ?? "",
    files.find(({ name }) => name.endsWith(".zip"))?.buffer,
  ];
  appendFileSync(path, "more");
  const { runs } = JSON.parse((await exported(page)).toString()) as { runs: { sha256: string | null }[] };
  expect([
    null,
    createHash("sha256")
      .update(scored ?? "")
      .digest("hex"),
  ]).toContain(runs[0]?.sha256);
  await page.close();
});

test("Firefox: a bar leads to its images, pictures come from a zip, and an image is large by keyboard", async () => {
  const page = await open(site.url);
  await scoreSample(page);
  await page.waitForSelector(`${at("tile")}[data-image]`);
  const segment = await page.waitForSelector(`[data-class="Mass"] ${at("segment")}`);
  await segment?.evaluate((segment) => (segment as HTMLElement).click());
  await page.waitForFunction(
    (shown) => !/^(104|…) of 104/.test(document.querySelector(shown)?.textContent ?? "104 of 104"),
    {},
    at("shown"),
  );
  const zip = join(downloads, "films.zip");
  // A picture that any browser makes: one black pixel.
  const pixel = await page.evaluate(() => document.createElement("canvas").toDataURL("image/png").split(",")[1] ?? "");
  writeFileSync(zip, zipSync({ "films/sample_001.png": Buffer.from(pixel, "base64") }));
  // Those of the sample are others.
  await page.$eval(at("remove-pictures"), (button) => (button as HTMLElement).click());
  const input = (await page.$(at("picture-input"))) as ElementHandle<HTMLInputElement> | null;
  await input?.uploadFile(zip);
  await page.waitForSelector(at("matched"));
  await page.waitForFunction(
    (matched) => document.querySelector(matched)?.textContent?.includes("1 image of 104 has its picture."),
    {},
    at("matched"),
  );
  await page.$eval(at("tile"), (tile) => (tile as HTMLElement).click());
  await page.waitForSelector(at("box"));
  await page.keyboard.press("+");
  await page.waitForSelector(`${at("image-view")}[data-zoom="1.5"]`);
  await page.keyboard.press("Escape");
  await page.waitForFunction((view) => !document.querySelector(view), {}, at("image-view"));
  expect(await text(page, "request-count")).toBe("0 network requests");
  await page.close();
});

test("Firefox: no way out of the page or a worker of it reaches another host", async () => {
  const elsewhere = await Site.start(downloads, "/");
  try {
    for (const url of [site.url, pathToFileURL(join(dist, "froc.html")).href]) {
      const page = await open(url);
      await page.evaluate(attempt, { ways: waysIn("page"), origin: elsewhere.origin });
      // A worker made as the page makes its own: from a blob: URL, so that it inherits the policy.
      const errors = await page.evaluate(
        (source, given) => {
          const code = `onmessage = () => (${source})(${JSON.stringify(given)}).then(() => postMessage("done"), (e) => postMessage(String(e)))`;
          const worker = new Worker(URL.createObjectURL(new Blob([code])));
          return new Promise<unknown>((answer) => {
            worker.onmessage = ({ data }) => answer(data);
            worker.postMessage("go");
          });
        },
        attempt.toString(),
        { ways: waysIn("worker"), origin: elsewhere.origin },
      );
      expect(errors).toBe("done");
      expect(await text(page, "request-count")).toMatch(/, \d+ stopped$/);
      expect(elsewhere.seen).toEqual([]);
      await page.close();
    }
  } finally {
    await elsewhere.stop();
  }
});

test("Firefox: without its host the page opens again and scores", async () => {
  const page = await open(site.url);
  await page.waitForFunction(
    (offline) => document.querySelector(offline)?.textContent?.includes("Ready"),
    {},
    at("offline"),
  );
  sample = await scoreSample(page);
  expect(sample).toHaveLength(2);
  await site.stop();
  await page.reload();
  // The address says that it is the sample.
  expect(await sampleScores(page)).toEqual(sample);
  await page.close();
});

test("Firefox: the one file opens from disk, scores and exports", async () => {
  const page = await open(pathToFileURL(join(dist, "froc.html")).href);
  expect(await scoreSample(page)).toEqual(sample);
  await page.$eval(at("files-fold"), (fold) => (fold as HTMLElement).click());
  for (const remove of await page.$$(at("remove-file"))) await remove.click();
  await page.waitForFunction((file) => document.querySelectorAll(file).length === 0, {}, at("file"));
  await drop(page, files);
  const bytes = await exported(page);
  expect(bytes.equals(asShown(bytes, files))).toBe(true);
  await page.close();
});

test("Firefox: a page that was saved with the files in it shows the same from disk, without its host", async () => {
  const from = await Site.start();
  const page = await open(from.url);
  await drop(page, files);
  const scores = await texts(page, "official-average");
  await page.$eval(at("save-as-page"), (button) => (button as HTMLElement).click());
  await page.waitForSelector(at("share-boxes"));
  await page.click(at("share-boxes"));
  await page.waitForSelector(`${at("save-page-now")}:not([disabled])`);
  const path = await downloaded(page, "save-page-now", ".html");
  await from.stop();
  await page.close();
  const saved = await open(pathToFileURL(path).href);
  expect(await sampleScores(saved)).toEqual(scores);
  const bytes = await exported(saved);
  expect(bytes.equals(asShown(bytes, files))).toBe(true);
  await saved.close();
});
