// Mistakes in files: each is said with its evidence, and where a fix is mechanical it is one click away.
import { expect, test } from "@playwright/test";

import {
  cancelWhenShown,
  choose,
  downloadReport,
  largeZip,
  open,
  report,
  settled,
  asShown,
  terminal,
  upload,
  zip,
} from "./page.ts";

/** Images with one nodule each, in other places, and the same boxes as perfect predictions. */
const boxes = Array.from({ length: 60 }, (_, at) => [100 + at * 5, 300 + at * 3, 160 + at * 5, 345 + at * 3] as const);
const truth = upload(
  "test.json",
  JSON.stringify(boxes.map((box, at) => ({ file_name: `${at}.png`, syms: ["Nodule"], boxes: [box] }))),
);

/** A run whose entry for each image is made of its box. */
function run(
  name: string,
  entry: (box: readonly [number, number, number, number], at: number) => unknown,
  file = (at: number) => `${at}.json`,
) {
  return upload(name, zip(Object.fromEntries(boxes.map((box, at) => [file(at), JSON.stringify([entry(box, at)])]))));
}

test("boxes as x, y, width, height are found, read so by one click, and said so in a banner", async ({ page }) => {
  const files = [
    truth,
    run("xywh.zip", ([x1, y1, x2, y2], at) => ({ Nodule: [x1, y1, x2 - x1, y2 - y1, 0.5 + at / 1000] })),
  ];
  await open(page);
  await choose(page, files);
  expect((await report(page)).runs[0]?.classes[3]?.true_positives).toBe(0);
  await expect(page.locator('[data-code="box_layout"]')).toContainText(
    "0% of the boxes lie on a lesion of their class",
  );
  await page.getByTestId("remedy").filter({ hasText: "Read the boxes as x, y, width, height" }).click();
  await expect(page.getByTestId("reading")).toContainText("boxes are read as x, y, width, height");
  await settled(page);
  const bytes = await downloadReport(page);
  expect(bytes.equals(asShown(bytes, files, ["--boxes", "xywh"]))).toBe(true);
  expect(JSON.parse(bytes.toString()).runs[0].classes[3].true_positives).toBe(60);
  await page.getByTestId("read-officially").click();
  await expect(page.getByTestId("reading")).toHaveCount(0);
  expect((await report(page)).runs[0]?.classes[3]?.true_positives).toBe(0);
});

test("the root cause leads, and what it explains is folded under it", async ({ page }) => {
  await open(page);
  await choose(page, [
    truth,
    run(
      "train.zip",
      (box) => ({ Nodule: [...box, 0.5] }),
      (at) => `${70_000 + 13 * at}.json`,
    ),
  ]);
  const lead = page.getByTestId("notice").first();
  await expect(lead).toContainText("60 of 60 prediction files belong to no image of the ground truth");
  await expect(page.getByTestId("notice")).toHaveCount(1);
  await expect(page.getByTestId("symptom").first()).toBeHidden();
  // One line, however long its sentence is.
  const { height } = (await lead.boundingBox()) ?? { height: Infinity };
  expect(height).toBeLessThan(36);
  await expect(lead.locator("summary").first()).toContainText("+");
  await lead.locator("summary").first().click();
  await expect(lead).toContainText("For example:");
  await expect(page.getByTestId("symptom").first()).toBeVisible();
  expect(
    await page.getByTestId("symptom").evaluateAll((all) => all.map((one) => one.getAttribute("data-code"))),
  ).toContain("image_without_file");
  // A symptom opens, too, on the images in which it was seen.
  const symptom = page.locator('[data-testid=symptom][data-code="image_without_file"]');
  await symptom.locator("summary").click();
  await symptom.getByTestId("notice-count").click();
  await expect(page.getByTestId("shown")).toContainText("60 of 60");
});

test("a reading is kept when the engine is replaced", async ({ page }) => {
  await open(page);
  await choose(page, [truth, run("names.zip", (box, at) => ({ NODULE: [...box, at / 100] }))]);
  await page.getByTestId("remedy").filter({ hasText: 'Read "NODULE" as Nodule' }).click();
  await expect(page.getByTestId("reading")).toBeVisible();
  const big = upload("big.zip", largeZip());
  await cancelWhenShown(page, "big.zip");
  await page.getByTestId("file-input").setInputFiles([big]);
  await expect(page.getByTestId("status")).toContainText("Stopped reading big.zip.");
  await settled(page);
  await expect(page.getByTestId("reading")).toBeVisible();
  expect((await report(page)).runs[0]?.classes[3]?.true_positives).toBe(60);
});

test("a run with unreadable files is scored without them by choice", async ({ page }) => {
  await open(page);
  const some = zip({
    ...Object.fromEntries(boxes.map((box, at) => [`${at}.json`, JSON.stringify([{ Nodule: [...box, 0.5] }])])),
    "3.json": "{",
    "4.json": "[1]",
  });
  await choose(page, [truth, upload("some.zip", some)]);
  await expect(page.getByTestId("error")).toHaveCount(2);
  await expect(page.getByTestId("results")).toHaveCount(0);
  await page.getByTestId("remedy").filter({ hasText: "Score without these 2 files" }).click();
  await expect(page.getByTestId("reading")).toContainText("files that cannot be read are left out");
  expect((await report(page)).runs[0]?.n_files).toBe(58);
});

test("a zip with one folder per run is offered as several runs", async ({ page }) => {
  await open(page);
  const entries = boxes.flatMap((box, at) =>
    ["a", "b"].map(
      (folder) => [`runs/${folder}/${at}.json`, JSON.stringify([{ Nodule: [...box, at / 100] }])] as const,
    ),
  );
  await choose(page, [truth, upload("two.zip", zip(Object.fromEntries(entries)))]);
  await page.getByTestId("remedy").filter({ hasText: "Score each of the 2 folders as a run" }).click();
  await expect(page.getByTestId("run-scores")).toHaveCount(2);
  expect((await report(page)).runs.map((run) => run.name)).toEqual(["two.zip/a", "two.zip/b"]);
});

test("parts become one run, second boxes go and the protocol is chosen, by a click each and back", async ({ page }) => {
  const own = boxes.map((box, at) => ({
    file_name: `${at}.png`,
    syms: ["Nodule", "Diffuse Nodule"],
    boxes: [box, [10, 10, 90, 90]],
  }));
  const part = (name: string, from: number, to: number) => {
    // Second boxes rank among the first ones of the first part, and below all of the other's.
    const score = (at: number, by: number) =>
      at < 40 ? 0.3 + at / 200 - by / 1000 : by === 0 ? 0.9 + at / 1000 : 0.1 - by / 1000;
    const pile = ([x1, y1, x2, y2]: readonly [number, number, number, number], at: number) =>
      Array.from({ length: 5 }, (_, by) => ({ Nodule: [x1 + by, y1, x2 + by, y2, score(at, by)] }));
    const some = boxes.map((box, at) => [`${at}.json`, JSON.stringify(pile(box, at))] as const).slice(from, to);
    return upload(name, zip(Object.fromEntries(some)));
  };
  const files = [upload("test.json", JSON.stringify(own)), part("a-001.zip", 0, 40), part("a-002.zip", 40, 60)];
  // The address holds the protocol for files that are chosen later.
  await open(page, "./#v=1&protocol=chestx-det10");
  await choose(page, files);
  expect((await report(page)).ground_truth).toMatchObject({ protocol: "ChestX-Det10", protocol_is_chosen: true });

  await expect(page.locator('[data-code="parts_of_one_run"]')).toContainText("a file for 60 of 60 images");
  await page.getByTestId("remedy").filter({ hasText: "Score the 2 files as one run" }).click();
  await expect(page.getByTestId("reading")).toContainText("Read as one run with a-002.zip.");
  await expect(page.getByTestId("file").last()).toContainText("read as one run with a-001.zip");
  await page.getByTestId("remedy").filter({ hasText: "Suppress boxes that overlap a better one" }).click();
  await expect(page.getByTestId("reading")).toContainText("by more than IoU 0.5 are suppressed");
  await settled(page);
  const bytes = await downloadReport(page);
  const { options, runs } = JSON.parse(bytes.toString());
  const drawn = ["--bootstrap", String(options.bootstrap.replicates)];
  const asked = ["--join", "--nms", "0.5", "--protocol", "chestx-det10"];
  expect(bytes.equals(terminal(files, [...drawn, ...asked]))).toBe(true);
  expect([runs.length, runs[0].n_files, runs[0].n_detections]).toEqual([1, 60, 60]);

  await page.getByTestId("classes-scored").locator("summary").click();
  await expect(page.getByTestId("protocol-about")).toContainText("lesions of other classes are left out");
  await page.getByTestId("protocol").selectOption("");
  await settled(page);
  expect((await report(page)).ground_truth.protocol).toBe("test.json");
  await expect(page).not.toHaveURL(/protocol=/);
  await page.goBack();
  await expect(page.getByTestId("protocol")).toHaveValue("chestx-det10");
  await page.getByTestId("read-officially").click();
  await settled(page);
  expect((await report(page)).runs.map((run) => run.n_detections)).toEqual([200, 100]);
});
