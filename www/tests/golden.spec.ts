// The engine as it is shipped, in the page: every golden case to the last bit.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";

import { expect, test } from "@playwright/test";

import { choose, downloadReport, goldenCase, goldenFolders, open, settled, asShown, view } from "./page.ts";
import type { Report } from "../pkg/froc.js";

type Num = number | "nan" | "inf" | "-inf" | null;

interface Expected {
  iou_threshold: number;
  fp_rates: number[];
  classes: Record<
    string,
    {
      recall: Num[];
      lesions: number;
      detections: number;
      true_positives: number;
      false_positives: number;
      recall_bounds_over_tie_orders?: [Num[], Num[]];
      attainable: { recall: Num[]; threshold: Num[]; false_positives: number[] } | null;
    }
  >;
  mean_recall: Num[];
  average_recall: Num;
  mean_attainable_recall: Num[];
  stdout: string;
}

const inReport = (value: Num) => (typeof value === "number" ? value : null);

for (const folder of goldenFolders()) {
  test(`golden case ${basename(folder)}`, async ({ page, context }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Expected;
    await open(page);
    const files = goldenCase(folder);
    await choose(page, files);
    const rates = expected.fp_rates.join(", ");
    await page.getByTestId("iou").fill(String(expected.iou_threshold));
    await page.getByTestId("fp").fill(rates);
    await page.getByTestId("fp").press("Enter");
    let bytes: Buffer = Buffer.alloc(0);
    const optionsOf = async () => {
      bytes = await downloadReport(page);
      return (JSON.parse(bytes.toString("utf8")) as Report).options;
    };
    await expect
      .poll(optionsOf)
      .toMatchObject({ iou_threshold: expected.iou_threshold, fp_per_image: expected.fp_rates });
    await settled(page);
    const report = JSON.parse(bytes.toString("utf8")) as Report;

    // JSON numbers are parsed to the nearest double and toEqual compares with Object.is: equal to the last bit.
    const run = report.runs[0];
    if (!run) throw new Error("the report has no run");
    expect(run.official.recall).toEqual(expected.mean_recall.map(inReport));
    expect(run.official.average_recall).toEqual(inReport(expected.average_recall));
    expect(run.exact.recall).toEqual(expected.mean_attainable_recall.map(inReport));
    expect(run.classes.map((cls) => cls.name)).toEqual(Object.keys(expected.classes));
    for (const cls of run.classes) {
      const wanted = expected.classes[cls.name];
      if (!wanted) throw new Error(`no ${cls.name} is expected`);
      const nulls = wanted.recall.map(() => null);
      expect(cls.official.recall).toEqual(wanted.recall.map(inReport));
      const bounds = wanted.recall_bounds_over_tie_orders ?? [wanted.recall, wanted.recall];
      expect(cls.official.recall_bounds).toEqual(bounds.map((bound) => bound.map(inReport)));
      expect(cls.exact.recall).toEqual(wanted.attainable?.recall ?? nulls);
      // The JSON holds the shortest text of the 32-bit score.
      const thresholds = cls.exact.score_threshold.map((score) => (score === null ? null : Math.fround(score)));
      expect(thresholds).toEqual(wanted.attainable?.threshold ?? nulls);
      expect(cls.exact.false_positives).toEqual(wanted.attainable?.false_positives ?? nulls);
      expect([cls.n_lesions, cls.n_detections, cls.true_positives, cls.false_positives]).toEqual([
        wanted.lesions,
        wanted.detections,
        wanted.true_positives,
        wanted.false_positives,
      ]);
    }

    const options = ["--iou", String(expected.iou_threshold), "--fp", expected.fp_rates.join(",")];
    expect(bytes.equals(asShown(bytes, files, options))).toBe(true);
    await view(page, "points");
    await page.getByTestId("copy-lines").click();
    await expect(page.getByTestId("copy-lines")).toHaveText("Copied");
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    // By other options than the script's own, they say so.
    expect(copied).toBe(run.official.is_official ? expected.stdout : `${run.official.name}\n${expected.stdout}`);
    await expect(page.getByTestId("official-average")).toHaveText(
      /avg recall = (.*)\n$/.exec(expected.stdout)?.[1] ?? "",
    );
  });
}
