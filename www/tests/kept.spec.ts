// Reports that were kept open again: alone, beside each other, and behind runs that are scored.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { expect, test } from "@playwright/test";

import type { Report } from "../pkg/froc.js";
import {
  choose,
  drop,
  golden,
  goldenCase,
  open,
  report,
  settled,
  terminal,
  upload,
  view,
  type Upload,
} from "./page.ts";

const files = goldenCase(join(golden, "quirks")) as [Upload, Upload];
const kept = (name: string) => upload(name, readFileSync(resolve(import.meta.dirname, "../../tests/reports", name)));
const percent = (value: number | null | undefined) => ((value ?? NaN) * 100).toFixed(2);

for (const name of ["version-1.json", "version-2.json", "version-1-compared.json", "version-2-compared.json"]) {
  test(`${name} shows its scores, and says what needs the files`, async ({ page }) => {
    const failed: string[] = [];
    page.on("pageerror", (error) => failed.push(error.message));
    const file = kept(name);
    const then = JSON.parse(file.buffer.toString()) as Report;
    await open(page);
    await drop(page, [file]);
    await settled(page);
    for (const [at, run] of then.runs.entries()) {
      const scores = page.getByTestId("run-scores").nth(at);
      await expect(scores.getByTestId("official-average")).toHaveText(run.official.printed.at(-1) ?? "");
      await expect(scores.getByTestId("exact-average")).toContainText(percent(run.exact.average_recall));
    }
    await expect(page.getByTestId("options-kept")).toContainText("as reported: IoU 0.5");
    await expect(page.getByTestId("status")).toContainText("Opened");
    // There are none to lead to.
    await expect(page.getByTestId("results")).not.toContainText("shows the images");
    await expect(page.getByTestId("file")).toContainText(`a report of ${then.runs.length} run`);
    const interval = then.runs[0]?.statistics?.rows.find((row) => row.name === "mean")?.average_recall.interval;
    if (interval) await expect(page.getByTestId("headline-interval")).toContainText(percent(interval[0]));
    else await expect(page.getByTestId("headline-interval")).toContainText("holds no interval");
    await expect(page.getByTestId("difference")).toHaveCount(then.runs.length - 1);
    if (then.comparisons?.length) await expect(page.getByTestId("difference-points").first()).toBeVisible();
    await expect(page.getByTestId("all-classes-row")).toHaveCount(10);
    const sentence = page.getByTestId("no-boxes");
    await expect(page.getByTestId("where").getByTestId("no-boxes")).toContainText("a report, which holds no boxes");
    for (const tab of ["causes", "thresholds", "found-as"]) {
      await view(page, tab);
      await expect(page.getByTestId("all-classes").getByTestId("no-boxes")).toBeVisible();
    }
    for (const tab of ["points", "metrics", "intervals", "slices", "quirks", "recall"]) await view(page, tab);
    await page.getByTestId("choose-class").first().click();
    await expect(sentence.first()).toBeVisible();
    for (const tab of ["roc", "pr", "calibration", "sweep", "froc"]) {
      await page.getByTestId(`tab-${tab}`).click();
      await expect(page.getByTestId("results")).not.toContainText("shows the images");
    }
    await expect(page.getByTestId("curves-kept")).toBeVisible();
    expect(failed).toEqual([]);
    // What leaves the page is the report of this version: read again, nothing more changes.
    const now = await report(page);
    expect(now.runs.map((run) => run.exact)).toEqual(then.runs.map((run) => run.exact));
    expect(now.froc_version).toBe(then.froc_version);
  });
}

test("a report stands behind runs that are scored on the same images, and others are told why not", async ({
  page,
}) => {
  const old = JSON.parse(terminal(files, ["--bootstrap", "2000"]).toString()) as Report;
  for (const run of old.runs) run.name = "last year";
  await open(page, "./");
  await choose(page, [...files, upload("old.json", JSON.stringify(old))]);
  await expect(page.getByTestId("run-scores")).toHaveCount(2);
  await expect(page.getByTestId("headline-interval")).toContainText("95%");
  const both = await report(page);
  expect(both.runs[1]?.exact).toEqual(old.runs[0]?.exact);
  expect(both.runs[1]?.statistics).toEqual(old.runs[0]?.statistics);
  await expect(page.getByTestId("where").getByTestId("no-boxes")).toHaveCount(0);
  await expect(page.getByTestId("tile").first()).toBeVisible();
  await page.getByTestId("where-run").selectOption("1");
  await expect(page.getByTestId("where").getByTestId("no-boxes")).toContainText("last year");
  await page.getByTestId("where-run").selectOption("0");
  await expect(page.getByTestId("tile").first()).toBeVisible();

  await page.getByTestId("iou").fill("0.3");
  await expect(page.getByText("old.json: its runs are scored by IoU 0.5")).toBeVisible();
  await expect(page.getByTestId("run-scores")).toHaveCount(1);
  await page.getByTestId("reset-options").click();
  await expect(page.getByTestId("run-scores")).toHaveCount(2);

  await choose(page, [kept("version-2.json")]);
  const other = JSON.parse(kept("version-2.json").buffer.toString()) as Report;
  const isSame = other.ground_truth.sha256 === old.ground_truth.sha256;
  if (isSame) await expect(page.getByTestId("run-scores")).toHaveCount(3);
  else await expect(page.getByText("version-2.json: it is a report on")).toBeVisible();
});

test("what is no whole report is told in one sentence", async ({ page }) => {
  await open(page);
  await choose(page, [upload("cut.json", kept("version-2.json").buffer.subarray(0, 5000))]);
  await expect(
    page.getByText(/^cut\.json: it is no whole report \(.* at line \d+ column \d+\); expected/),
  ).toBeVisible();
});
