// What the tests do again and again on the page, by the names that people see.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { expect, type Page } from "@playwright/test";
import { strToU8, zipSync } from "fflate";

import type { Report } from "../pkg/froc.js";

export const root = resolve(import.meta.dirname, "../..");
export const golden = join(root, "tests/golden");

/** A file as Playwright hands it to a page. */
export interface Upload {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

export function upload(name: string, content: string | Uint8Array): Upload {
  return { name, mimeType: "application/octet-stream", buffer: Buffer.from(content) };
}

/** The two files of a golden case. */
export function goldenCase(folder: string): Upload[] {
  return ["test.json", "predictions.zip"].map((name) => upload(name, readFileSync(join(folder, name))));
}

/** Folders with golden cases: those of the project, and the ones that may not be kept in it, where they are present. */
export function goldenFolders(): string[] {
  const elsewhere = process.env.GOLDEN_DIR ?? join(root, "../shared/golden");
  const byName = new Map<string, string>();
  if (!existsSync(elsewhere))
    console.log(`No further golden cases at ${elsewhere}; only those of the project are walked.`);
  for (const place of [elsewhere, golden].filter((place) => existsSync(place))) {
    for (const name of readdirSync(place)) byName.set(name, join(place, name));
  }
  return [...byName.values()].filter((folder) => existsSync(join(folder, "expected.json")));
}

/** A zip of texts by name. */
export function zip(files: Record<string, string>): Uint8Array {
  return zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])));
}

/** A zip of many files, larger than what is read in one piece, with boxes of different scores; made once. */
export function largeZip(): Uint8Array {
  if (large) return large;
  const box = (at: number) =>
    `{"Nodule": [10.25, 10.5, 49.125, ${49 + (at % 97) / 7}, ${((at * 7919) % 10_007) / 10_007}]}`;
  const text = (at: number) => `[${Array.from({ length: 20 }, (_, more) => box(at + more)).join(", ")}]`;
  large = zip(Object.fromEntries(Array.from({ length: LARGE }, (_, at) => [`${at}.json`, text(at)])));
  // What the engine reads of a file in one piece (src/wasm/blob.rs).
  expect(large.length).toBeGreaterThan(2 ** 23);
  return large;
}

/** Files in it. */
export const LARGE = 25_000;
let large: Uint8Array | null = null;

/** A small ground truth: one nodule on the first of `n` images. */
export function smallTruth(n: number): string {
  const images = Array.from({ length: n }, (_, at) => ({
    file_name: `${at}.png`,
    syms: [] as string[],
    boxes: [] as number[][],
  }));
  images[0] = { file_name: "0.png", syms: ["Nodule"], boxes: [[10, 10, 49, 49]] };
  return JSON.stringify(images);
}

/** With so few replicates, intervals are there in a blink; tests that are about them draw as many as they need. */
const FEW = "./#v=1&replicates=100";

export async function open(page: Page, path = FEW): Promise<void> {
  // Another place in the page that is open would load nothing.
  if (page.url() !== "about:blank") await page.goto("about:blank");
  await page.goto(path);
  await expect(page.getByTestId("page")).toHaveAttribute("data-ready", "true");
}

/** Chooses files and waits until nothing is being read or scored. */
export async function choose(page: Page, files: Upload[]): Promise<void> {
  await page.getByTestId("file-input").setInputFiles(files);
  await settled(page);
}

/** Presses Cancel of the file of that name as soon as it is drawn, or, on demand, as soon as some of it is read: a test that looks from outside may come too late. */
export async function cancelWhenShown(page: Page, name: string, isUnderWay = false): Promise<void> {
  await page.evaluate(
    ({ name, isUnderWay }) => {
      const look = () => {
        const chip = [...document.querySelectorAll('[data-testid="file"]')].find((chip) =>
          chip.textContent?.includes(name),
        );
        if (isUnderWay && !chip?.querySelector<HTMLProgressElement>(`progress[aria-label="reading ${name}"]`)?.value)
          return;
        const button = chip?.querySelector<HTMLElement>('[data-testid="cancel"]');
        if (button) observer.disconnect();
        button?.click();
      };
      const observer = new MutationObserver(look);
      observer.observe(document, { subtree: true, childList: true, attributes: true });
    },
    { name, isUnderWay },
  );
}

/** The files of the first sample but its pictures, as a person's own: those stay when others come. */
export function sampleFiles(): Upload[] {
  const folder = resolve(import.meta.dirname, "../sample");
  return ["model-a.zip", "model-b.zip", "test.json"].map((name) => upload(name, readFileSync(join(folder, name))));
}

export async function settled(page: Page): Promise<void> {
  // Files that are read in a blink are never drawn as such.
  await expect(page.getByTestId("page")).toHaveAttribute("data-adding", "false", { timeout: 60_000 });
  await expect(page.getByTestId("page")).toHaveAttribute("data-scoring", "false");
  await expect(page.getByTestId("page")).toHaveAttribute("data-drawing", "false", { timeout: 60_000 });
  // A slow machine waits to be asked for intervals.
  const offer = page.getByTestId("draw-all-the-same");
  if (await offer.isVisible()) {
    await offer.click();
    await expect(page.getByTestId("page")).toHaveAttribute("data-drawing", "false", { timeout: 60_000 });
  }
}

/** Drops files as a person does: a DataTransfer made inside the page. */
export async function drop(page: Page, files: Upload[]): Promise<void> {
  const plain = files.map(({ name, buffer }) => ({ name, base64: buffer.toString("base64") }));
  const data = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of files) {
      transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    }
    return transfer;
  }, plain);
  await page.getByTestId("drop-zone").dispatchEvent("drop", { dataTransfer: data });
}

/** The menu of all that leaves the page. */
export async function openExport(page: Page): Promise<void> {
  await page.getByTestId("export").evaluate((menu) => menu.setAttribute("open", ""));
}

/** Shows a table of the classes, by the name in the address. */
export async function view(page: Page, name: string): Promise<void> {
  await page.getByTestId(`view-${name}`).click();
}

/** Draws so many replicates, and waits until the intervals are there. */
export async function compute(page: Page, replicates: number): Promise<void> {
  await settled(page);
  await view(page, "intervals");
  await page.getByTestId("replicates").fill(String(replicates));
  await page.getByTestId("compute").click();
  await expect(page.getByTestId("bootstrap-used")).toContainText(`${replicates} replicates`);
  await settled(page);
}

/** The bytes of the report that the page hands out. */
export async function downloadReport(page: Page): Promise<Buffer> {
  const waiting = page.waitForEvent("download");
  await openExport(page);
  await page.getByTestId("download-json").click();
  return readFileSync(await (await waiting).path());
}

export async function report(page: Page): Promise<Report> {
  return JSON.parse((await downloadReport(page)).toString("utf8")) as Report;
}

/** What the terminal writes for the same files, with the intervals that a report of the page holds, if it holds any. */
export function asShown(bytes: Buffer, files: Upload[], options: string[] = []): Buffer {
  const { bootstrap } = (JSON.parse(bytes.toString("utf8")) as Report).options;
  if (!bootstrap) return terminal(files, options);
  const isOne = files.length === 2;
  return terminal(files, ["--bootstrap", String(bootstrap.replicates), ...options], isOne ? "score" : "compare");
}

/** What the program in the terminal prints for the same files. */
export function terminal(files: Upload[], options: string[], command = "score", format = "json"): Buffer {
  const program = process.env.FROC_BIN;
  if (!program) throw new Error("FROC_BIN names no program; run the tests by `cargo xtask test`");
  const folder = mkdtempSync(join(tmpdir(), "froc-"));
  const paths = files.map(({ name, buffer }) => {
    writeFileSync(join(folder, name), buffer);
    return join(folder, name);
  });
  const json = paths.findIndex((path) => /\.json(\.gz)?$/.test(path));
  const truth = json < 0 ? 0 : json;
  const inputs = paths.flatMap((path, at) => [at === truth ? "--ground-truth" : "--predictions", path]);
  return execFileSync(program, [command, ...inputs, "--format", format, ...options], { maxBuffer: 1 << 28 });
}
