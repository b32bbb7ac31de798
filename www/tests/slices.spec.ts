// Slices of the images: a table that is dropped offers its columns, and every number leads to its images.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "@playwright/test";

import {
  asShown,
  choose,
  downloadReport,
  open,
  report,
  sampleFiles,
  settled,
  upload,
  view,
  type Upload,
} from "./page.ts";

/** Ground truth and one run of the sample, and a table of its images. */
function files(): { truth: Upload; run: Upload; meta: Upload; women: number } {
  const all = sampleFiles();
  const [truth, run] = [all.find(({ name }) => name === "test.json"), all.find(({ name }) => name === "model-a.zip")];
  if (!truth || !run) throw new Error("the sample has a ground truth and a run");
  const images = JSON.parse(truth.buffer.toString()) as { file_name: string }[];
  const lines = images.map(({ file_name }, at) => `${file_name},${at % 3 === 0 ? "F" : "M"},${(at * 7) % 90}`);
  const women = images.filter((_, at) => at % 3 === 0).length;
  return { truth, run, meta: upload("meta.csv", ["Image Index,Patient Gender,Age", ...lines].join("\n")), women };
}

test("a table offers its columns, each number of a slice leads to its images, and the terminal writes the same bytes", async ({
  page,
}) => {
  const { truth, run, meta, women } = files();
  await open(page);
  await choose(page, [truth, run, meta]);
  await expect(page.locator('[data-kind="table"]')).toContainText("divided by stands under Slices");
  await view(page, "slices");
  await expect(page.getByTestId("slice-choice")).toHaveText([
    "lesion-free",
    "number of lesions",
    "lesion size",
    "Patient Gender",
    "Age",
  ]);
  await expect(page.getByTestId("division")).toHaveCount(0);
  await page.getByTestId("slice-choice").filter({ hasText: "Patient Gender" }).click();
  await expect(page.getByTestId("slice-row")).toHaveCount(2);
  await page.getByTestId("slice-choice").filter({ hasText: "Age" }).click();
  await expect(page.getByTestId("division")).toHaveCount(2);
  await page.getByTestId("slice-cross").click();
  await expect(page.getByTestId("division").nth(2).getByTestId("slice-row")).toHaveCount(8);
  await settled(page);

  const bytes = await downloadReport(page);
  const folder = mkdtempSync(join(tmpdir(), "froc-"));
  writeFileSync(join(folder, meta.name), meta.buffer);
  const options = ["--slices", join(folder, meta.name), "--by", "Patient Gender,Age,Patient Gender*Age"];
  expect(bytes.equals(asShown(bytes, [truth, run], options))).toBe(true);

  const told = await report(page);
  const row = told.slices?.[0]?.slices[0]?.rows[0];
  const at = row?.at_rates.at(-1);
  const percent = (value: number | null | undefined) => `${(100 * (value ?? NaN)).toFixed(2)}%`;
  await expect(page.getByTestId("slice-recall").first()).toContainText(percent(at?.recall.value));
  expect(at?.recall.interval).not.toBeNull();
  await expect(page.getByTestId("slice-images").first()).toHaveText(String(women));
  await page.getByTestId("slice-images").first().click();
  await expect(page.getByTestId("shown")).toHaveText(new RegExp(`^${women} of`));
  await expect(page.getByTestId("filter-chip")).toContainText("Patient Gender: F");
  await expect.poll(() => page.evaluate(() => location.hash)).toContain("slice=0.0");

  // A class that is chosen is that of the slices, too, and a rate.
  await page.getByTestId("filter-class").selectOption("3");
  await expect(page.getByTestId("slices-at")).toContainText("Nodule at 0.2 FP/image");
  await page.getByTestId("where-rate").first().click();
  await expect(page.getByTestId("slices-at")).toContainText("Nodule at 0.05 FP/image");

  // What is no longer divided by filters nothing.
  await page.getByTestId("slice-choice").filter({ hasText: "Patient Gender" }).first().click();
  await expect(page.getByTestId("division")).toHaveCount(2);
  await expect(page.getByTestId("filter-chip")).toHaveCount(0);
});

test("without a table images are divided by their lesions, and slices stay through other options", async ({ page }) => {
  const { truth, run, meta } = files();
  await open(page);
  await choose(page, [truth, run]);
  await view(page, "slices");
  await expect(page.getByTestId("slice-choice")).toHaveCount(3);
  await page.getByTestId("slice-choice").filter({ hasText: "lesion size" }).click();
  await expect(page.getByTestId("slice-row")).toHaveCount(3);
  await page.getByTestId("iou").fill("0.3");
  await settled(page);
  await expect(page.getByTestId("slice-row")).toHaveCount(3);
  expect((await report(page)).options.slices?.by).toEqual(["lesion size"]);
  // A table of fewer images is told at the file, and the score stays.
  await choose(page, [upload("meta.csv", meta.buffer.toString().split("\n").slice(0, 3).join("\n"))]);
  await expect(page.locator('[data-kind="table"]')).toContainText("it has no line for image");
  await expect(page.getByTestId("headline")).toBeVisible();
});
