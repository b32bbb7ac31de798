// Files as detectors write them: dropped on the page, scored as in the terminal, and not called official.
import { expect, test } from "@playwright/test";

import { choose, downloadReport, open, report, terminal, upload, zip } from "./page.ts";

const boxes = Array.from(
  { length: 12 },
  (_, at) => [100 + at * 60, 120 + at * 55, 200 + at * 60, 200 + at * 55] as const,
);
const truth = upload(
  "test.json",
  JSON.stringify(boxes.map((box, at) => ({ file_name: `${at}.png`, syms: ["Nodule"], boxes: [box] }))),
);
const score = (at: number) => 0.5 + at / 100;

test("one JSON file for all images is a run, and not official", async ({ page }) => {
  const all = Object.fromEntries(boxes.map((box, at) => [`${at}.png`, [{ Nodule: [...box, score(at)] }]]));
  const files = [truth, upload("all.json", JSON.stringify(all))];
  await open(page);
  await choose(page, files);
  const run = (await report(page)).runs[0];
  expect(run?.classes[3]?.true_positives).toBe(12);
  expect(run?.official.is_official).toBe(false);
  await expect(page.getByTestId("formats")).toHaveText(
    "Read from one JSON file for all images, which the official script does not read.",
  );
  expect((await downloadReport(page)).equals(terminal(files, []))).toBe(true);
});

test("records of label, score and box are read", async ({ page }) => {
  const record = (at: number) => {
    const [xmin, ymin, xmax, ymax] = boxes[at] ?? [0, 0, 0, 0];
    return JSON.stringify([{ label: "Nodule", score: score(at), box: { xmin, ymin, xmax, ymax } }]);
  };
  await open(page);
  await choose(page, [
    truth,
    upload("records.zip", zip(Object.fromEntries(boxes.map((_, at) => [`${at}.json`, record(at)])))),
  ]);
  expect((await report(page)).runs[0]?.classes[3]?.true_positives).toBe(12);
  await expect(page.getByTestId("formats")).toContainText("records with label, score and box");
});

test("a table of boxes is a run, by itself and in a zip", async ({ page }) => {
  const rows = boxes.map((box, at) => [`${at}.png`, "Nodule", score(at), ...box].join(","));
  const csv = ["Image Index,Finding Label,score,xmin,ymin,xmax,ymax", ...rows].join("\n");
  const files = [truth, upload("boxes.csv", csv), upload("boxes.zip", zip({ "boxes.csv": csv }))];
  await open(page);
  await choose(page, files);
  const { runs } = await report(page);
  expect(runs.map((run) => run.classes[3]?.true_positives)).toEqual([12, 12]);
  expect(runs.map((run) => run.official.is_official)).toEqual([false, false]);
  expect((await downloadReport(page)).equals(terminal(files, []))).toBe(true);
});

test("COCO files have no official number, and the page says why", async ({ page }) => {
  const box = (at: number) => {
    const [x1, y1, x2, y2] = boxes[at] ?? [0, 0, 0, 0];
    return [x1, y1, x2 - x1, y2 - y1];
  };
  const instances = {
    images: boxes.map((_, id) => ({ id, file_name: `${id + 7}.jpg`, width: 2048, height: 2048 })),
    categories: [{ id: 3, name: "Opacity" }],
    annotations: boxes.map((_, at) => ({ id: at, image_id: at, category_id: 3, bbox: box(at) })),
  };
  const results = boxes.map((_, at) => ({ image_id: at, category_id: 3, bbox: box(at), score: score(at) }));
  const files = [upload("instances.json", JSON.stringify(instances)), upload("results.json", JSON.stringify(results))];
  await open(page);
  await choose(page, files);
  const run = (await report(page)).runs[0];
  expect(run?.classes.map((cls) => [cls.name, cls.true_positives])).toEqual([["Opacity", 12]]);
  await expect(page.getByTestId("no-official")).toContainText("the exact score is the score");
  await expect(page.getByTestId("official-average")).toHaveCount(0);
  await expect(page.getByTestId("exact-average")).toHaveText("100.00%");
  await expect(page.getByTestId("results")).not.toContainText("undefined");
  await expect(page.getByTestId("results")).not.toContainText("NaN");
  expect((await downloadReport(page)).equals(terminal(files, []))).toBe(true);
});
