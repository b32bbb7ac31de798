// Runs fused into one more: made, compared, looked at, saved, removed and brought back, with the numbers of the terminal.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test, type Page } from "@playwright/test";

import type { Report } from "../pkg/froc.js";

import {
  asShown,
  cancelWhenShown,
  choose,
  downloadReport,
  drop,
  largeZip,
  open,
  openExport,
  report,
  sampleFiles,
  settled,
  upload,
} from "./page.ts";

const files = sampleFiles();
const FUSED = "Fused model-a.zip + model-b.zip";
const FLAGS = ["--fuse"];

async function openFused(page: Page): Promise<void> {
  await open(page);
  await choose(page, files);
  await page.getByTestId("fuse").click();
  await settled(page);
}

const names = async (page: Page) => (await report(page)).runs.map(({ name }) => name);

test("a fused run has the numbers of the terminal, says what it is, and is compared and looked at like any", async ({
  page,
}) => {
  await openFused(page);
  await expect(page.getByTestId("status")).toContainText("Fused 2 runs.");
  const bytes = await downloadReport(page);
  expect(bytes.equals(asShown(bytes, files, FLAGS))).toBe(true);
  const { runs, comparisons } = JSON.parse(bytes.toString()) as Report;
  expect(runs.map(({ name }) => name)).toEqual(["model-a.zip", "model-b.zip", FUSED]);
  expect(comparisons).toHaveLength(2);
  expect(runs[2]?.official.is_official).toBe(false);
  // Its sentence stands beside it, and there is nothing to read otherwise.
  await expect(page.getByTestId("reading")).toContainText(runs[2]?.reading?.sentence ?? "none");
  await expect(page.getByTestId("read-officially")).toHaveCount(0);
  // What is fused already is offered no more; two of three are.
  await expect(page.getByTestId("fuse")).toHaveCount(0);
  await expect(page.getByTestId("needle")).toHaveCount(3);

  await page.getByTestId("fused-count").click();
  await settled(page);
  await expect(page).toHaveURL(/run=2/);
  await expect(page.getByTestId("tile").first()).toBeVisible();

  // As files of any format, as the terminal writes them.
  await openExport(page);
  const waiting = page.waitForEvent("download");
  await page.getByTestId("convert-csv").click();
  const written = readFileSync(await (await waiting).path());
  const folder = mkdtempSync(join(tmpdir(), "froc-"));
  files.forEach(({ name, buffer }) => writeFileSync(join(folder, name), buffer));
  const options = ["--ground-truth", "test.json", "--predictions", "model-a.zip", "--predictions", "model-b.zip"];
  const printed = execFileSync(process.env.FROC_BIN ?? "", ["convert", ...options, "--to", "csv", ...FLAGS], {
    cwd: folder,
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 1 << 28,
  });
  expect(written.equals(printed)).toBe(true);
});

test("a fused run is renamed, hidden, removed and brought back, and goes and comes with its parts", async ({
  page,
}) => {
  await openFused(page);
  const fusion = page.getByTestId("fusion");
  await fusion.getByTestId("hide").click();
  await expect(page.getByTestId("needle")).toHaveCount(2);
  await fusion.getByTestId("hide").click();
  await fusion.getByTestId("pin").click();
  await settled(page);
  await expect(fusion.getByTestId("pin")).toHaveText("baseline");
  await fusion.getByTestId("rename").click();
  await page.keyboard.type("both");
  await page.keyboard.press("Enter");
  await settled(page);
  expect(await names(page)).toEqual(["model-a.zip", "model-b.zip", "both"]);

  await fusion.getByTestId("remove-file").click();
  await settled(page);
  await expect(fusion).toHaveCount(0);
  await expect(page.getByTestId("fuse")).toBeVisible();
  await expect(page.getByTestId("status")).toContainText("Removed both.");
  await page.getByTestId("undo").click();
  await settled(page);
  expect(await names(page)).toEqual(["model-a.zip", "model-b.zip", "both"]);

  await page.getByTestId("file").filter({ hasText: "model-b.zip" }).getByTestId("remove-file").click();
  await settled(page);
  expect(await names(page)).toEqual(["model-a.zip"]);
  await expect(page.getByTestId("fuse")).toHaveCount(0);
  await page.getByTestId("undo").click();
  await settled(page);
  expect(await names(page)).toEqual(["model-a.zip", "model-b.zip", "both"]);
});

test("a fused run outlives its engine, and comes back with a saved session", async ({ page }) => {
  await openFused(page);
  const big = upload("big.zip", largeZip());
  await cancelWhenShown(page, "big.zip");
  await page.getByTestId("file-input").setInputFiles([big]);
  await expect(page.getByTestId("status")).toContainText("Stopped reading big.zip.");
  await settled(page);
  const before = await report(page);
  expect(before.runs[2]?.name).toBe(FUSED);

  await openExport(page);
  const waiting = page.waitForEvent("download");
  await page.getByTestId("save-session").click();
  const session = upload("mine.froc.json", readFileSync(await (await waiting).path()));
  await open(page);
  await drop(page, [...files, session]);
  await settled(page);
  expect(await report(page)).toEqual(before);
  await expect(page.getByTestId("fusion")).toHaveCount(1);
});

test("what is fused of a sample stands in the address, comes back with it, and goes with Back", async ({ page }) => {
  await open(page, "./#v=1&replicates=100&open=sample");
  await settled(page);
  await page.getByTestId("fuse").click();
  await settled(page);
  await expect(page).toHaveURL(/[&]fuse=0\.1(&|$)/);
  const before = await report(page);
  await open(page, page.url());
  await settled(page);
  await expect(page.getByTestId("fusion")).toHaveCount(1);
  expect(await report(page)).toEqual(before);
  // A place that there is not is none.
  await open(page, "./#v=1&replicates=100&open=sample&fuse=0.7,0.1:7");
  await settled(page);
  await expect(page.getByTestId("fusion")).toHaveCount(0);
  await page.getByTestId("fuse").click();
  await settled(page);
  await page.goBack();
  await settled(page);
  await expect(page.getByTestId("fusion")).toHaveCount(0);
});

test("scores below 0 cannot be fused, and the runs themselves are scored", async ({ page }) => {
  await open(page);
  const logits = JSON.stringify([{ file_name: "0.png", syms: [], boxes: [] }]);
  const run = (score: number) => `file_name,label,xmin,ymin,xmax,ymax,score\n0.png,Mass,0,0,9,9,${score}\n`;
  await choose(page, [upload("test.json", logits), upload("a.csv", run(0.5)), upload("b.csv", run(-1.5))]);
  await page.getByTestId("fuse").click();
  await settled(page);
  await expect(page.getByTestId("fusion").getByTestId("error")).toContainText('b.csv, "0.png": a score is -1.5');
  expect(await names(page)).toEqual(["a.csv", "b.csv"]);
  await page.getByTestId("fusion").getByTestId("remove-file").click();
  await expect(page.getByTestId("fusion")).toHaveCount(0);
});
