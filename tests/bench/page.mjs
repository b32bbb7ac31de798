// Measures the built page in headless Chromium, as a person uses it; `cargo xtask bench` starts this in www.
//
//     page.mjs ROUNDS score|select|memory GROUND_TRUTH ZIP
//     page.mjs ROUNDS visit [LATENCY_MS BYTES_A_SECOND]
//
// Prints a list of [row, unit, value], one a round.
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";

// Playwright is installed with the page, not beside this file.
const { chromium } = createRequire(join(process.cwd(), "package.json"))("@playwright/test");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm" };
const [rounds, what, ...rest] = process.argv.slice(2);
const measured = [];
const add = (row, unit, value) => measured.push([row, unit, value]);

/** Serves www/dist as GitHub Pages does: text and WebAssembly gzipped. */
async function serve() {
  const folder = join(process.cwd(), "dist");
  const read = (path) => {
    const type = TYPES[extname(path)];
    const bytes = readFileSync(path);
    return { type, body: type ? gzipSync(bytes) : bytes };
  };
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const files = new Map(paths.map((path) => ["/" + path.slice(folder.length + 1).replaceAll("\\", "/"), read(path)]));
  const asked = new Map();
  const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    const name = pathname === "/" ? "/index.html" : pathname;
    const file = files.get(name);
    if (!file) return response.writeHead(404).end();
    asked.set(name, file.body.length);
    response.writeHead(200, { "content-type": file.type ?? "application/octet-stream", ...(file.type && { "content-encoding": "gzip" }) }).end(file.body);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${server.address().port}/`, asked };
}

/** Runs in the page before anything else: notes when it is usable, when scores are on the screen, and how long its thread is blocked. */
function watch() {
  const bench = (window.bench = { usable: 0, start: 0, blocked: 0, shown: Promise.withResolvers() });
  addEventListener("change", ({ target }) => target.type === "file" && (bench.start = performance.now()), true);
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) if (bench.start && task.startTime + task.duration > bench.start) bench.blocked = Math.max(bench.blocked, task.duration);
  }).observe({ entryTypes: ["longtask"] });
  const look = (records) => {
    for (const { target, attributeName, oldValue } of records) {
      const value = target.getAttribute(attributeName);
      if (attributeName === "data-ready" && value === "true") bench.usable ||= performance.now();
      // On the screen once the frame that follows has begun.
      if (attributeName === "data-scoring" && value === "false" && oldValue === "true") requestAnimationFrame(() => setTimeout(() => bench.shown.resolve(performance.now() - bench.start)));
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, attributes: true, attributeOldValue: true, attributeFilter: ["data-ready", "data-scoring"] });
}

/** Runs in the page as well: its workers, which it makes of text, keep hold of their WebAssembly memory. */
function watchMemory() {
  const inWorker = () => {
    const { instantiate } = WebAssembly;
    WebAssembly.instantiate = async (...given) => {
      const made = await instantiate.apply(WebAssembly, given);
      self.benchMemory = (made.instance ?? made).exports.memory;
      return made;
    };
  };
  const Original = Blob;
  window.Blob = class extends Original {
    constructor(parts, options) {
      super(options?.type?.startsWith("text/javascript") ? [`(${inWorker})();`, ...parts] : parts, options);
    }
  };
}

const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"] });

async function open(browser, { scripts = [], serviceWorkers = "block", throttle } = {}) {
  const page = await (await browser.newContext({ serviceWorkers })).newPage();
  for (const script of [watch, ...scripts]) await page.addInitScript(script);
  if (throttle) await (await page.context().newCDPSession(page)).send("Network.emulateNetworkConditions", { offline: false, ...throttle });
  await page.goto(site.url);
  await page.locator('[data-testid="page"][data-ready="true"]').waitFor();
  return page;
}

/** Chooses the files; milliseconds until their scores are shown. */
async function choose(page) {
  await page.getByTestId("file-input").setInputFiles(rest);
  const ms = await page.evaluate(() => window.bench.shown.promise);
  const errors = await page.getByTestId("error").allTextContents();
  if (errors.length > 0) throw new Error(errors.join(" "));
  return ms;
}

/** Runs in the page: clicks what the selector finds, and says after how many milliseconds its last answer was on the screen. */
async function click([selector, at]) {
  const element = document.querySelectorAll(selector)[at];
  if (!element) throw new Error(`there is no ${selector}`);
  const start = performance.now();
  let last = Number.NaN;
  const observer = new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => (last = performance.now()))));
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  element.click();
  await new Promise((quiet) => setTimeout(quiet, 1000));
  observer.disconnect();
  return last - start;
}

/** Runs in the page: scrolls the images through their list for two seconds, a screen at every frame, and says what the longest frame took. */
async function scroll() {
  const gallery = document.querySelector('[data-testid="gallery"]');
  const start = performance.now();
  let [longest, before] = [0, start];
  while (before < start + 2000) {
    gallery.scrollTop += gallery.clientHeight;
    const now = await new Promise(requestAnimationFrame);
    longest = Math.max(longest, now - before);
    before = now;
  }
  return longest;
}

/** The most memory that a renderer of this browser held, in bytes; 0 where there is no /proc. */
async function peak(browser) {
  const { processInfo } = await (await browser.newBrowserCDPSession()).send("SystemInfo.getProcessInfo");
  const of = ({ id }) => {
    try {
      return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1] ?? 0);
    } catch {
      return 0;
    }
  };
  return Math.max(0, ...processInfo.filter(({ type }) => type === "renderer").map(of));
}

const site = await serve();

const MEASURE = {
  async score(browser) {
    const page = await open(browser);
    add("page, from files chosen to scores shown", "milliseconds", await choose(page));
    add("page, longest that its thread is blocked", "milliseconds", await page.evaluate(() => window.bench.blocked));
  },
  async select(browser) {
    const page = await open(browser);
    await choose(page);
    // Counts, curves and intervals come after the scores.
    await page.waitForTimeout(5000);
    const clicks = { class: ['[data-testid="choose-class"]', 3], rate: ['[data-testid="where-rate"]', 1] };
    for (const [what, [selector, at]] of Object.entries(clicks)) {
      const ms = await page.evaluate(click, [selector, at]);
      add(`page, another ${what} chosen`, "milliseconds", ms);
    }
    add("page, longest frame while images scroll", "milliseconds", await page.evaluate(scroll));
  },
  async memory(browser) {
    const page = await open(browser, { scripts: [watchMemory] });
    await choose(page);
    const heaps = await Promise.all(page.workers().map((worker) => worker.evaluate(() => self.benchMemory?.buffer.byteLength ?? 0)));
    add("page, WebAssembly", "bytes", heaps.reduce((sum, heap) => sum + heap, 0));
    add("page, renderer", "bytes", await peak(browser));
  },
  async visit(browser) {
    const [latency, bytes] = rest.map(Number);
    const throttle = latency ? { latency, downloadThroughput: bytes, uploadThroughput: bytes } : undefined;
    const page = await open(browser, { serviceWorkers: "allow", throttle });
    add("usable", "milliseconds", await page.evaluate(() => window.bench.usable));
    await page.waitForLoadState("networkidle");
    add("all of the page, gzipped", "bytes", [...site.asked.values()].reduce((sum, length) => sum + length, 0));
  },
};

for (let round = 0; round < Number(rounds); round++) {
  // A browser of its own each: peaks of memory and caches are not those of the round before.
  const browser = await launch();
  await MEASURE[what](browser);
  await browser.close();
}
process.stdout.write(JSON.stringify(measured));
process.exit();
