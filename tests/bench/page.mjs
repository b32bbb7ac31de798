// The built page in headless Chromium, as a person uses it. `cargo xtask bench` starts this in www and writes one command
// a line; each is answered by one line. A command is an object: what to `do`, and what that needs.
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";

// Playwright is installed with the page, not beside this file.
const { chromium } = createRequire(join(process.cwd(), "package.json"))("@playwright/test");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm" };

/** Serves www/dist as GitHub Pages does: text and wasm gzipped. Tells what was asked for. */
async function serve(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const type = TYPES[extname(path)];
    const bytes = readFileSync(path);
    const name = "/" + path.slice(folder.length + 1).replaceAll("\\", "/");
    files.set(name, { type: type ?? "application/octet-stream", isGzipped: Boolean(type), body: type ? gzipSync(bytes) : bytes });
  }
  const log = [];
  /** While this is a list, what is asked for after the engine waits in it. */
  const state = { held: null };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const name = pathname === "/" ? "/index.html" : pathname;
    const file = files.get(name);
    if (!file) return response.writeHead(404).end();
    const answer = () => {
      log.push({ name, bytes: file.body.length, is_held: isHeld });
      const encoding = file.isGzipped ? { "content-encoding": "gzip" } : {};
      response.writeHead(200, { "content-type": file.type, "cache-control": "max-age=600", ...encoding }).end(file.body);
    };
    const isHeld = state.held !== null && log.some(({ name }) => name.endsWith(".wasm"));
    if (isHeld) state.held.push(answer);
    else answer();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${server.address().port}/`, log, state, stop: () => (server.closeAllConnections(), server.close()) };
}

/** Runs in the page before anything else: notes when it is usable and when scores are on the screen. */
function watch({ cores }) {
  if (cores) Object.defineProperty(Navigator.prototype, "hardwareConcurrency", { get: () => cores });
  const bench = (window.bench = {
    usable: null,
    /** Starts the clock and promises when the next scores are shown; `read`: when every file was read. */
    begin() {
      bench.shown = new Promise((resolve) => (bench.end = resolve));
    },
    start: 0,
    read: 0,
  });
  addEventListener("change", ({ target }) => target.type === "file" && (bench.start = performance.now()), true);
  const afterPaint = (then) =>
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = then;
      channel.port2.postMessage(null);
    });
  const look = (records) => {
    for (const { target, attributeName, oldValue } of records) {
      const value = target.getAttribute(attributeName);
      if (attributeName === "data-ready" && value === "true") bench.usable ??= performance.now();
      if (attributeName !== "data-scoring") continue;
      if (value === "true") bench.read = performance.now();
      else if (oldValue === "true") afterPaint(() => bench.end?.({ start: bench.start, ms: performance.now() - bench.start, read_ms: bench.read - bench.start, longest_frame_ms: window.longestFrame }));
    }
  };
  const attributeFilter = ["data-ready", "data-scoring"];
  new MutationObserver(look).observe(document, { subtree: true, attributes: true, attributeOldValue: true, attributeFilter });
}

/** Runs in the page as well where memory is measured: every worker tells how large its WebAssembly memory is. */
function watchMemory() {
  window.heaps = {};
  new BroadcastChannel("heaps").onmessage = ({ data: [worker, bytes] }) => (window.heaps[worker] = bytes);
  const inWorker = () => {
    const id = Math.random();
    const channel = new BroadcastChannel("heaps");
    const { instantiate } = WebAssembly;
    let memory;
    WebAssembly.instantiate = async (...given) => {
      const made = await instantiate.apply(WebAssembly, given);
      memory = (made.instance ?? made).exports.memory;
      return made;
    };
    // Before every message, since a worker that has answered may be ended at once.
    for (const place of [self, MessagePort.prototype]) {
      const { postMessage } = place;
      place.postMessage = function (...given) {
        if (memory) channel.constructor.prototype.postMessage.call(channel, [id, memory.buffer.byteLength]);
        return postMessage.apply(this, given);
      };
    }
  };
  // The page makes its workers of text.
  const Original = Blob;
  window.Blob = class extends Original {
    constructor(parts, options) {
      super(options?.type?.startsWith("text/javascript") ? [`(${inWorker})();`, ...parts] : parts, options);
    }
  };
}

/** Runs in the page as well where frames are looked at: how long the page's thread has let one wait so far. */
function watchFrames() {
  window.longestFrame = 0;
  let last;
  const frame = (now) => {
    if (last !== undefined) window.longestFrame = Math.max(window.longestFrame, now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

async function open(browser, site, { cores, scripts = [], serviceWorkers = "block", throttle } = {}) {
  const context = await browser.newContext({ serviceWorkers });
  const page = await context.newPage();
  await page.addInitScript(watch, { cores });
  for (const script of scripts) await page.addInitScript(script);
  if (throttle) await (await context.newCDPSession(page)).send("Network.emulateNetworkConditions", { offline: false, ...throttle });
  await page.goto(site.url);
  await page.locator('[data-testid="page"][data-ready="true"]').waitFor();
  return { page, close: () => context.close() };
}

/** Chooses files; `ms` until their scores are shown, and `busy_ms` of processor time until then. */
async function choose(page, paths) {
  await page.evaluate(() => window.bench.begin());
  const before = await busy();
  await page.getByTestId("file-input").setInputFiles(paths);
  return shown(page, before);
}

/** Types other options; `ms` until their scores are shown. */
async function change(page, testid, value) {
  await page.evaluate(
    ([testid, value]) => {
      const field = document.querySelector(`[data-testid="${testid}"]`);
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      window.bench.begin();
      window.bench.start = performance.now();
      field.form.requestSubmit();
    },
    [testid, value],
  );
  return (await shown(page)).ms;
}

async function shown(page, before = 0) {
  const late = new Promise((_, reject) => setTimeout(reject, 600_000, new Error("no scores within ten minutes")).unref());
  const times = await Promise.race([page.evaluate(() => window.bench.shown), late]);
  // At once: the page goes on drawing.
  const busy_ms = (await busy()) - before;
  const errors = await page.getByTestId("error").allTextContents();
  if (errors.length > 0) throw new Error(errors.join(" "));
  return { ...times, busy_ms, average: await page.getByTestId("official-average").first().textContent() };
}

/** The most memory that a renderer of this browser held, in bytes; null where there is no /proc. */
async function peak(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const peaks = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => {
    try {
      return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return Math.max(0, ...peaks) || null;
}

/** Milliseconds that processors have worked for all processes of the browser so far. */
async function busy() {
  const { processInfo } = await processes.send("SystemInfo.getProcessInfo");
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime * 1000, 0);
}

/** Runs in the page as well where the gallery is measured: notes when its first tiles are on the screen. */
function watchTiles() {
  window.tiles = new Promise((resolve) => {
    const look = () => {
      if (!document.querySelector("[data-testid=tile][data-image]")) return;
      observer.disconnect();
      // On the screen once the frame that follows this one begins.
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { childList: true, subtree: true, attributes: true });
  });
}

/** Moves the gallery by `step` pixels a frame, 300 times; the longest frame in milliseconds. */
const scroll = (page, step) =>
  page.getByTestId("gallery").evaluate(
    (gallery, step) =>
      new Promise((done) => {
        let [last, longest, n] = [undefined, 0, 0];
        const frame = (now) => {
          if (last !== undefined) longest = Math.max(longest, now - last);
          last = now;
          gallery.scrollTop += step;
          if (n++ < 300) requestAnimationFrame(frame);
          else done(longest);
        };
        requestAnimationFrame(frame);
      }),
    step,
  );

/** Moves the threshold of a class 40 times; the median of the milliseconds until its counts follow. */
const moveThreshold = (page) =>
  page.locator('[data-testid="thresholds"] [data-testid="threshold"]').nth(1).evaluate(async (slider) => {
    const counts = document.querySelector("[data-testid=counts]");
    const times = [];
    for (let step = 1; step <= 40; step++) {
      const start = performance.now();
      const changed = new Promise((done) => {
        new MutationObserver(done).observe(counts, { characterData: true, subtree: true, childList: true });
      });
      slider.valueAsNumber = step / 50;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      await changed;
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[times.length / 2];
  });

const site = await serve(join(process.cwd(), "dist"));
const browser = await launch();
const processes = await browser.newBrowserCDPSession();

const COMMANDS = {
  version: async () => ({ browser: browser.version(), node: process.version }),

  /**
   * From files chosen to scores shown in a page that was opened `pause` milliseconds before; then, `changes` times, under
   * other options.
   */
  async score({ paths, cores, pause, changes }) {
    const { page, close } = await open(browser, site, { cores });
    await page.waitForTimeout(pause);
    const answer = { ...(await choose(page, paths)), rates_ms: [], iou_ms: [] };
    for (let n = 0; n < changes; n++) {
      // What follows a score, such as digests, is over by then.
      await page.waitForTimeout(3000);
      answer.rates_ms.push(await change(page, "fp", n % 2 === 0 ? "0.1, 0.2, 0.5" : "0.05, 0.1, 0.2"));
      await page.waitForTimeout(3000);
      answer.iou_ms.push(await change(page, "iou", n % 2 === 0 ? "0.4" : "0.5"));
    }
    await close();
    return answer;
  },

  /** The same in a browser of its own: heaps of the workers, and the renderer's peak. */
  async memory({ paths, cores }) {
    const own = await launch();
    const { page } = await open(own, site, { cores, scripts: [watchMemory] });
    const before = await peak(own);
    await choose(page, paths);
    const heaps = Object.values(await page.evaluate(() => window.heaps));
    const answer = { heaps, before, peak: await peak(own) };
    await own.close();
    return answer;
  },

  /** How long the page lets a frame wait while files are read, and how long Cancel takes in the middle. */
  async manners({ paths, cores }) {
    const smooth = await open(browser, site, { cores, scripts: [watchFrames] });
    await smooth.page.evaluate(() => (window.longestFrame = 0));
    // Until the scores are shown: what is drawn after them is not part of reading.
    const { longest_frame_ms } = await choose(smooth.page, paths);
    await smooth.close();

    const { page, close } = await open(browser, site, { cores });
    await page.getByTestId("file-input").setInputFiles(paths);
    const cancel_ms = await page.evaluate(
      (name) =>
        new Promise((resolve) => {
          const chip = () => [...document.querySelectorAll('[data-testid="file"]')].find((chip) => chip.textContent.includes(name));
          let start;
          const look = () => {
            const there = chip();
            if (start !== undefined) {
              if (there) return;
              observer.disconnect();
              requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
            } else if (there && (there.querySelector("progress")?.value ?? 0) > 0.2) {
              start = performance.now();
              there.querySelector('[data-testid="cancel"]').click();
            }
          };
          const observer = new MutationObserver(look);
          observer.observe(document, { subtree: true, attributes: true, childList: true });
          look();
        }),
      paths.at(-1).split(/[\\/]/).at(-1),
    );
    await close();
    return { longest_frame_ms, cancel_ms };
  },

  /** The gallery: its first tiles, scrolling at several speeds, and a threshold that is moved. */
  async gallery({ paths }) {
    const { page, close } = await open(browser, site, { scripts: [watchTiles] });
    await page.setViewportSize({ width: 1280, height: 1000 });
    const { ms, start } = await choose(page, paths);
    const first = (await page.evaluate(() => window.tiles)) - (start + ms);
    // What follows a score, such as digests, is over by then.
    await page.waitForTimeout(3000);
    const longest_frames = [];
    for (const step of [10, 100, 1000, 50_000]) longest_frames.push(await scroll(page, step));
    const threshold = await moveThreshold(page);
    await close();
    return { first, longest_frames, threshold };
  },

  /** A first visit: when the page is usable. `throttle` as CDP's Network.emulateNetworkConditions has it. */
  async visit({ throttle }) {
    const { page, close } = await open(browser, site, { serviceWorkers: "allow", throttle });
    const usable_ms = await page.evaluate(() => window.bench.usable);
    await close();
    return { usable_ms };
  },

  /**
   * What is sent for the first score and, held back until that is shown, what is sent for all else; what is kept for
   * offline use is not part of it.
   */
  async weight({ paths }) {
    site.log.length = 0;
    site.state.held = [];
    const { page, close } = await open(browser, site);
    await choose(page, paths);
    const { held } = site.state;
    site.state.held = null;
    for (const answer of held) answer();
    await page.getByTestId("where").waitFor();
    await close();
    return { requests: [...site.log] };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...rest } = JSON.parse(line);
  let answer;
  try {
    answer = await COMMANDS[name](rest);
  } catch (thrown) {
    answer = { error: String(thrown?.stack ?? thrown) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
site.stop();
