// Nothing leaves the machine: what the host sees, what the policy stops, what works without a network, and from one file.
import { createSocket } from "node:dgram";
import { mkdtempSync, cpSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { expect, test as base, type Page } from "@playwright/test";

import { choose, downloadReport, drop, golden, goldenCase, open, settled, asShown, upload, view } from "./page.ts";
import { dist, Site } from "./server.ts";
import { attempt, waysIn } from "./attempts.ts";

const oneFile = pathToFileURL(join(dist, "froc.html")).href;

const test = base.extend<{ site: Site; elsewhere: Site }>({
  // Playwright wants an object pattern here, though nothing is taken from it.
  site: async ({}, use) => {
    const site = await Site.start();
    await use(site);
    await site.stop().catch(() => undefined);
  },
  elsewhere: async ({}, use) => {
    const site = await Site.start(mkdtempSync(join(tmpdir(), "froc-")), "/");
    await use(site);
    await site.stop();
  },
});

test.use({ serviceWorkers: "allow" });

/** The page, and its own files kept for use without a network. */
async function openKept(page: Page, site: Site): Promise<void> {
  await open(page, site.url);
  await expect(page.getByTestId("offline")).toContainText("Ready for use without a network");
}

async function scoreSample(page: Page): Promise<string[]> {
  await page.getByTestId("score-sample").click();
  return sampleScores(page);
}

/** Of the sample, once it is scored. */
async function sampleScores(page: Page): Promise<string[]> {
  await expect(page.getByTestId("official-average")).toHaveCount(2);
  await settled(page);
  return page.getByTestId("official-average").allTextContents();
}

/** URLs that the whole browser context asks for, the service worker's included; those of the browser's own inside do not count. */
function requestsOf(page: Page): string[] {
  const urls: string[] = [];
  page.context().on("request", (request) => {
    if (!/^(blob|data):/.test(request.url())) urls.push(request.url());
  });
  return urls;
}

test("scoring, errors and exports make no request", async ({ page, site, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await openKept(page, site);
  const before = site.seen.length;
  expect(before).toBeGreaterThan(0);
  const asked = requestsOf(page);

  await scoreSample(page);
  await drop(page, goldenCase(join(golden, "synthetic")));
  await settled(page);
  await choose(page, [upload("broken.zip", "PK\u0003\u0004 and no more"), upload("page.html", "<!doctype html>")]);
  await expect(page.getByTestId("error").first()).toBeVisible();
  await page.getByTestId("iou").fill("2");
  await expect(page.getByTestId("iou")).toHaveAttribute("aria-invalid", "true");
  await page.getByTestId("reset-options").click();
  await downloadReport(page);
  await view(page, "points");
  await page.getByTestId("copy-lines").first().click();
  await page.getByRole("button", { name: "Remove broken.zip" }).click();
  await settled(page);

  expect(site.seen.slice(before)).toEqual([]);
  expect(asked).toEqual([]);
  await expect(page.getByTestId("request-count")).toHaveText("0 network requests");
  // Nor did the policy have to stop any.
  await expect(page.getByTestId("privacy")).toHaveClass(/clean/);
});

test("a request to the page's own host is counted, for its own files too once they are there", async ({
  page,
  site,
}) => {
  await openKept(page, site);
  const count = page.getByTestId("request-count");
  await expect(count).toHaveText("0 network requests");
  const own = await page.evaluate(
    () =>
      performance
        .getEntriesByType("resource")
        .map(({ name }) => name)
        .find((name) => /assets\/index.*\.js$/.test(name)) ?? "",
  );
  await page.evaluate(() => fetch("index.html").then((answer) => answer.text()));
  await expect(count).toHaveText("1 network request");
  await page.evaluate((url) => fetch(url, { cache: "reload" }).then((answer) => answer.text()), own);
  await expect(count).toHaveText("2 network requests");
  await expect(page.getByTestId("requests-made").locator("li")).toHaveText([`${site.url}index.html`, own]);
});

test("all is asked for before a file can be chosen, and what a score needs comes first", async ({ page, site }) => {
  await page.addInitScript(() => {
    const look = () => {
      if (!document.querySelector('[data-testid="page"][data-ready="true"]')) return;
      Object.assign(window, { ready: performance.now() });
      observer.disconnect();
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, attributes: true, childList: true });
  });
  await openKept(page, site);
  await scoreSample(page);
  await expect(page.getByTestId("where")).toBeVisible();
  const { ready, asked } = await page.evaluate(() => ({
    ready: (window as unknown as { ready: number }).ready,
    asked: (performance.getEntriesByType("resource") as PerformanceResourceTiming[]).map(({ name, startTime }) => ({
      name,
      startTime,
    })),
  }));
  expect(asked.filter(({ startTime }) => startTime > ready)).toEqual([]);
  const [engine, ...others] = ["froc_bg", "model-a"].map(
    (part) => asked.find(({ name }) => name.includes(part))?.startTime ?? Number.NaN,
  );
  for (const other of others) expect(other).toBeGreaterThan(engine ?? Number.NaN);
});

const paths = (names: string[]) => names.map((name) => `/${name}`).sort();
const IN_PAGE = paths(waysIn("page"));
const IN_WORKER = paths(waysIn("worker"));

/** Attempts made inside the engine's own worker, and inside the page. */
async function attemptAll(page: Page, where: "page" | "worker", origin: string): Promise<void> {
  const ways = waysIn(where);
  if (where === "page") return page.evaluate(attempt, { ways, origin });
  const [worker] = page.workers();
  if (!worker) throw new Error("the page has no worker");
  return worker.evaluate(attempt, { ways, origin });
}

const places: [string, (site: Site) => string][] = [
  ["the site", (site) => site.url],
  ["the one file", () => oneFile],
];
for (const [name, address] of places) {
  for (const where of ["page", "worker"] as const) {
    test(`${name}: no way out of the ${where} reaches another host, and each attempt shows`, async ({
      page,
      site,
      elsewhere,
    }) => {
      await open(page, address(site));
      await attemptAll(page, where, elsewhere.origin);
      // The page tells what was stopped, of frames only the host.
      const expected = where === "page" ? IN_PAGE.map((path) => (/frame|object/.test(path) ? "/" : path)) : IN_WORKER;
      const stopped = async () => {
        const urls = await page.getByTestId("requests-stopped").locator("li").allTextContents();
        return [...new Set(urls.map((url) => new URL(url).pathname))].sort();
      };
      await expect.poll(stopped).toEqual([...new Set(expected)].sort());
      await expect(page.getByTestId("privacy")).not.toHaveClass(/clean/);
      expect(elsewhere.seen).toEqual([]);
    });
  }
}

/** Puts code into the page in each way that markup knows, and tells which of it ran. */
function inject(): Promise<string[]> {
  const ran: string[] = [];
  Object.assign(window, { ran: (way: string) => ran.push(way) });
  const script = (properties: Partial<HTMLScriptElement>) =>
    document.body.append(Object.assign(document.createElement("script"), properties));
  script({ textContent: "ran('inline')" });
  script({ src: "data:text/javascript,ran('data')" });
  script({ src: URL.createObjectURL(new Blob(["ran('blob')"], { type: "text/javascript" })) });
  const holder = document.createElement("div");
  holder.innerHTML = `<button onclick="ran('handler')"></button><a href="javascript:ran('link')"></a><img src="data:," onerror="ran('image')">`;
  document.body.append(holder);
  for (const element of holder.querySelectorAll<HTMLElement>("button, a")) element.click();
  // Each of them has run, or never will, once a picture that was asked for after them has loaded.
  return new Promise((done) => {
    const last = new Image();
    last.onload = () => setTimeout(() => done(ran.sort()));
    last.src = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
  });
}

test("no code runs but the page's own", async ({ page, site, elsewhere }) => {
  for (const url of [site.url, oneFile]) {
    await open(page, url);
    expect(await page.evaluate(inject)).toEqual([]);
  }
  // Without a policy most of it does run, so the test can fail.
  writeFileSync(join(elsewhere.folder, "index.html"), "<!doctype html><body>");
  await page.goto(elsewhere.url);
  expect(await page.evaluate(inject)).toEqual(expect.arrayContaining(["handler", "inline"]));
});

test("the same attempts do arrive from a page without the policy, so their failing means something", async ({
  page,
  elsewhere,
}) => {
  const open = await Site.start(mkdtempSync(join(tmpdir(), "froc-")), "/");
  try {
    writeFileSync(join(open.folder, "index.html"), "<!doctype html><title>open</title>");
    writeFileSync(join(open.folder, "worker.js"), "");
    await page.goto(open.url);
    await page.evaluate(() => void new Worker("worker.js"));
    const arrived = () => [...new Set(elsewhere.seen.map(({ path }) => path))].sort();
    await attemptAll(page, "page", elsewhere.origin);
    await expect.poll(arrived).toEqual(IN_PAGE);
    elsewhere.seen.length = 0;
    await expect.poll(() => page.workers().length).toBe(1);
    await attemptAll(page, "worker", elsewhere.origin);
    await expect.poll(arrived).toEqual(IN_WORKER);
  } finally {
    await open.stop();
  }
});

/** The one file of that ending that the built page has. */
const builtFile = (ending: RegExp) =>
  `assets/${readdirSync(join(dist, "assets")).filter((name) => ending.test(name))[0] ?? ""}`;

/** Changes the bytes of a file and leaves it in working order: an empty custom section of WebAssembly, a comment. */
const tampered = (file: string) => {
  const more = file.endsWith(".wasm") ? Buffer.from([0, 2, 1, 120]) : Buffer.from("/* */");
  return Buffer.concat([readFileSync(join(dist, file)), more]);
};

test("a host that serves another script, style or engine than the page was built with runs none of it", async ({
  page,
  site,
  context,
}) => {
  await context.addInitScript(() => delete (Navigator.prototype as { serviceWorker?: unknown }).serviceWorker);
  const changed = mkdtempSync(join(tmpdir(), "froc-"));
  const serve = (file: string) => {
    cpSync(dist, changed, { recursive: true });
    writeFileSync(join(changed, file), tampered(file));
    site.folder = changed;
  };
  const engine = builtFile(/^froc_bg.*\.wasm$/);
  serve(engine);
  await page.goto(site.url);
  await expect(page.getByTestId("error")).toContainText(
    "froc_bg.wasm did not arrive, or is not the file that this page was built with",
  );
  await expect(page.getByTestId("page")).toHaveAttribute("data-ready", "false");

  const refused: string[] = [];
  page.on("console", (message) => /integrity/i.test(message.text()) && refused.push(message.text()));
  for (const file of [/^index.*\.js$/, /^index.*\.css$/].map(builtFile)) {
    refused.length = 0;
    serve(file);
    await page.goto(site.url);
    await expect.poll(() => refused.join()).toContain(file);
  }
  await expect(page.getByTestId("page")).toHaveCount(1);
  // The script, too, in its place: nothing is drawn.
  serve(builtFile(/^index.*\.js$/));
  await page.goto(site.url, { waitUntil: "load" });
  await expect(page.getByTestId("page")).toHaveCount(0);
});

test("an engine that another page of this origin put into the kept copy is not run", async ({
  page,
  site,
  context,
}) => {
  await openKept(page, site);
  const engine = builtFile(/^froc_bg.*\.wasm$/);
  // As a neighbour on a shared host can, such as another project's page.
  const rewritten = await page.evaluate(
    async ([engine, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        const kept = (await cache.keys()).find(({ url }) => url.includes(engine));
        if (kept) await cache.put(kept, new Response(bytes, { headers: { "content-type": "application/wasm" } }));
        if (kept) return true;
      }
      return false;
    },
    [engine, tampered(engine).toString("base64")] as const,
  );
  expect(rewritten).toBe(true);
  await context.setOffline(true);
  await page.reload();
  await expect(page.getByTestId("error")).toContainText("is not the file that this page was built with");
});

/** Asks in the ways that are no requests of a script's, then through WebRTC, and last by a link to be kept, which leaves the page. */
async function hints(page: Page, origin: string, stun: number): Promise<void> {
  await page.evaluate(
    async ([origin, stun]) => {
      const add = (tag: string, attributes: Record<string, string>) => {
        const made = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
        document.body.append(made);
        return made;
      };
      add("link", { rel: "preconnect", href: origin });
      add("link", { rel: "prefetch", href: `${origin}/prefetch` });
      add("link", { rel: "preload", as: "fetch", href: `${origin}/preload` });
      add("link", { rel: "modulepreload", href: `${origin}/modulepreload` });
      const connection = new RTCPeerConnection({ iceServers: [{ urls: `stun:127.0.0.1:${stun}` }] });
      connection.createDataChannel("x");
      await connection.setLocalDescription(await connection.createOffer());
      // What comes of these has come by then.
      await new Promise((later) => setTimeout(later, 1500));
      const link = add("a", { href: `${origin}/download`, download: "" });
      // Once this has answered: where the link leads, nothing of the page is left that could.
      setTimeout(() => link.click(), 100);
    },
    [origin, stun] as const,
  );
}

test("hints to the browser are stopped; WebRTC and where a link leads are not, as SECURITY.md tells", async ({
  page,
  site,
  elsewhere,
}) => {
  let [connections, datagrams] = [0, 0];
  const stun = createSocket("udp4");
  stun.on("message", () => (datagrams += 1));
  await new Promise<void>((bound) => stun.bind(0, "127.0.0.1", bound));
  const { port } = stun.address();
  elsewhere.onconnection = () => (connections += 1);
  const arrived = () => [...new Set(elsewhere.seen.map(({ path }) => path))].sort();

  await open(page, site.url);
  await hints(page, elsewhere.origin, port);
  await expect.poll(arrived).toEqual(["/download"]);
  // The link's own: a preconnect makes one without a request.
  expect(connections).toBe(1);
  expect(datagrams).toBeGreaterThan(0);

  // From a page without the policy all arrive, so their failing means something.
  elsewhere.seen.length = 0;
  writeFileSync(join(elsewhere.folder, "index.html"), "<!doctype html><body>");
  // Where the link led may still be on its way to the page of an error, which ends or holds up what comes after it.
  await expect(() => page.goto(elsewhere.url.replace("127.0.0.1", "localhost"), { timeout: 5000 })).toPass();
  elsewhere.seen.length = 0;
  await hints(page, elsewhere.origin, port);
  await expect.poll(arrived).toEqual(expect.arrayContaining(["/download", "/modulepreload", "/prefetch", "/preload"]));
  stun.close();
});

test("after the first visit a reload asks for nothing but a newer service worker", async ({ page, site }) => {
  await openKept(page, site);
  const before = site.seen.length;
  await page.reload();
  await openKept(page, site);
  await scoreSample(page);
  expect(site.seen.slice(before).filter((seen) => !seen.isServiceWorkerCheck)).toEqual([]);
});

test("the browser would install the page, by its own name and icon", async ({ playwright, launchOptions, site }) => {
  // One without windows installs nothing.
  const whole = process.env.CHROMIUM ? { executablePath: process.env.CHROMIUM } : {};
  await using browser = await playwright.chromium.launch({ ...launchOptions, ...whole });
  const page = await browser.newPage();
  await openKept(page, site);
  const devtools = await page.context().newCDPSession(page);
  const { url, errors, data } = await devtools.send("Page.getAppManifest");
  expect(errors).toEqual([]);
  expect(url).toBe(new URL("manifest.webmanifest", site.url).href);
  const { name, icons } = JSON.parse(data ?? "") as { name: string; icons: { src: string }[] };
  expect(name).toBe(await page.title());
  expect(icons.map(({ src }) => src)).toEqual([await page.locator("link[rel=icon]").getAttribute("href")]);
  const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
  // A private window, as tests are run in, is what is left.
  expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual(["in-incognito"]);
});

test("without a network it opens again and scores", async ({ page, site, context }) => {
  await openKept(page, site);
  const online = await scoreSample(page);
  await context.setOffline(true);
  await site.stop();
  await page.reload();
  await expect(page.getByTestId("page")).toHaveAttribute("data-ready", "true");
  // The address says that it is the sample.
  expect(await sampleScores(page)).toEqual(online);
});

test("a newer version comes only when the person agrees", async ({ page, site, context }) => {
  await openKept(page, site);
  const newer = mkdtempSync(join(tmpdir(), "froc-"));
  cpSync(dist, newer, { recursive: true });
  const change = (file: string, from: RegExp, to: string) => {
    const text = readFileSync(join(newer, file), "utf8");
    expect(text).toMatch(from);
    writeFileSync(join(newer, file), text.replace(from, to));
  };
  change("index.html", /<title>[^<]*/, "<title>newer");
  change("service-worker.js", /(?<=url:[`"']index\.html[`"'],revision:[`"'])[0-9a-f]+/, "0".repeat(64));
  site.folder = newer;

  const old = await page.title();
  const before = site.seen.length;
  await page.reload();
  await expect(page.getByTestId("update")).toBeVisible();
  // A version that waits in the usual way would take over once no page is open.
  await page.close();
  const again = await context.newPage();
  await open(again, site.url);
  await expect(again.getByTestId("update")).toBeVisible();
  expect(await again.title()).toBe(old);
  expect(site.seen.slice(before).filter((seen) => !seen.isServiceWorkerCheck)).toEqual([]);
  await again.getByTestId("update-now").click();
  await expect(again).toHaveTitle("newer");
  // What is new in it is what one asks first.
  await expect(again.locator("#help-changes")).toBeInViewport();
  await again.getByTestId("help-close").click();
  await openKept(again, site);
  await expect(again.getByTestId("update")).toHaveCount(0);
});

test("the one file opens from disk and scores as the terminal does, with nothing asked of anyone", async ({
  page,
  context,
  site,
}) => {
  await open(page, site.url);
  const waiting = page.waitForEvent("download");
  await page.getByTestId("one-file").click();
  const file = join(mkdtempSync(join(tmpdir(), "froc-")), "froc.html");
  await (await waiting).saveAs(file);
  await site.stop();
  await context.setOffline(true);

  const fromDisk = await context.newPage();
  const asked = requestsOf(fromDisk);
  await open(fromDisk, pathToFileURL(file).href);
  await scoreSample(fromDisk);
  await fromDisk.reload();
  const files = goldenCase(join(golden, "synthetic"));
  await drop(fromDisk, files);
  await settled(fromDisk);
  await expect(fromDisk.getByTestId("results")).toBeVisible();
  const bytes = await downloadReport(fromDisk);
  expect(bytes.equals(asShown(bytes, files))).toBe(true);
  expect(asked.filter((url) => url !== pathToFileURL(file).href)).toEqual([]);
  await expect(fromDisk.getByTestId("privacy")).toHaveClass(/clean/);
  await expect(fromDisk.getByTestId("one-file")).toHaveCount(0);
});
