// Files as detectors write them: dropped on the page, scored as in the terminal, and not called official.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { expect, test } from "@playwright/test";

import type { Page } from "@playwright/test";

import { choose, downloadReport, open, openExport, report, settled, asShown, upload, zip } from "./page.ts";

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
  const bytes = await downloadReport(page);
  expect(bytes.equals(asShown(bytes, files))).toBe(true);
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
  const bytes = await downloadReport(page);
  expect(bytes.equals(asShown(bytes, files))).toBe(true);
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
  const bytes = await downloadReport(page);
  expect(bytes.equals(asShown(bytes, files))).toBe(true);
});

/** Drops a folder, which a browser alone can make an entry of: this is what it hands over. */
async function dropFolder(page: Page, folder: string, files: Record<string, string | number[]>): Promise<void> {
  const data = await page.evaluateHandle(
    ([folder, files]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([], folder));
      const entries = Object.entries(files).map(([path, bytes]) => ({
        isDirectory: false,
        fullPath: `/${folder}/${path}`,
        file: (done: (file: File) => void) =>
          done(
            new File(
              [typeof bytes === "string" ? bytes : new Uint8Array(bytes)],
              path.slice(path.lastIndexOf("/") + 1),
            ),
          ),
      }));
      let told: unknown[] = entries;
      const readEntries = (done: (entries: unknown[]) => void) => {
        done(told);
        told = [];
      };
      Object.defineProperty(DataTransferItem.prototype, "webkitGetAsEntry", {
        value: () => ({ isDirectory: true, name: folder, createReader: () => ((told = entries), { readEntries }) }),
      });
      return transfer;
    },
    [folder, files] as const,
  );
  await page.getByTestId("drop-zone").dispatchEvent("drop", { dataTransfer: data });
}

const entries = Object.fromEntries(
  boxes.map((box, at) => [`${at}.json`, at === 3 ? "[]" : JSON.stringify([{ Nodule: [...box, score(at)] }])]),
);

test("a folder of prediction files is a run of its name, and a ground truth in it is one", async ({ page }) => {
  await open(page);
  await dropFolder(page, "preds", { ...entries, "notes/test.json": truth.buffer.toString("utf8"), ".DS_Store": "x" });
  await expect(page.getByTestId("file")).toHaveCount(2);
  await settled(page);
  const before = (await report(page)).runs[0];
  expect(before?.name).toBe("preds");
  expect(before?.n_files).toBe(12);
  expect(before?.classes[3]?.true_positives).toBe(11);
  expect(before?.official.is_official).toBe(true);
  // Another time it is the very same run.
  await open(page);
  await dropFolder(page, "preds", { "notes/test.json": truth.buffer.toString("utf8"), ...entries });
  await expect(page.getByTestId("file")).toHaveCount(2);
  await settled(page);
  expect((await report(page)).runs[0]?.sha256).toBe(before?.sha256);
});

test("many loose prediction files are one run, beside a ground truth and a zip", async ({ page }) => {
  await open(page);
  const loose = Object.entries(entries).map(([name, text]) => upload(name, text));
  await choose(page, [truth, ...loose, upload("a.zip", zip(entries))]);
  const { runs } = await report(page);
  expect(runs.map((run) => run.name)).toEqual(["a.zip", "12 files"]);
  expect(runs.map((run) => run.classes[3]?.true_positives)).toEqual([11, 11]);
});

test("a folder of VOC's XML is a ground truth", async ({ page }) => {
  const voc = boxes.map(([x1, y1, x2, y2], at) => {
    const box = `<bndbox><xmin>${x1}</xmin><ymin>${y1}</ymin><xmax>${x2}</xmax><ymax>${y2}</ymax></bndbox>`;
    const object = `<object><name>Nodule</name>${box}</object>`;
    return [`${at}.xml`, `<annotation><filename>${at}.png</filename>${object}</annotation>`] as const;
  });
  await open(page);
  await dropFolder(page, "Annotations", Object.fromEntries(voc));
  await expect(page.getByTestId("file")).toContainText("12 images, 12 lesions");
  await choose(page, [upload("a.zip", zip(entries))]);
  const run = (await report(page)).runs[0];
  expect(run?.classes[0]?.true_positives).toBe(11);
  expect(run?.official.is_official).toBe(false);
});

test("a folder of YOLO's labels and pictures is a ground truth in pixels, with images that have no lesions", async ({
  page,
}) => {
  const [width, height] = [1600, 1100];
  const head = Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR________\x08\0\0\0\0", "latin1");
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  const labels = boxes.map(([x1 = 0, y1 = 0, x2 = 0, y2 = 0], at) => {
    const centre = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height];
    return [`labels/${at}.txt`, `2 ${centre.join(" ")} ${(x2 - x1) / width} ${(y2 - y1) / height}\n`] as const;
  });
  await open(page);
  await dropFolder(page, "dataset", {
    ...Object.fromEntries(labels),
    "data.yaml": "names: [Mass, Effusion, Nodule]\n",
    ...Object.fromEntries([...boxes.keys(), "free"].map((at) => [`images/${at}.png`, [...head]])),
  });
  await expect(page.getByTestId("file")).toContainText("13 images, 12 lesions");
  await choose(page, [upload("a.zip", zip(entries))]);
  const { runs, findings } = await report(page);
  expect(runs[0]?.classes.map(({ name, true_positives }) => [name, true_positives])).toEqual([["Nodule", 11]]);
  expect(findings).toEqual([]);
  // Labels beside a ground truth are a run that lacks its scores.
  const bare = Object.fromEntries(labels.map(([path, text]) => [path, text.replace(/\n/, "")]));
  await choose(page, [upload("b.zip", zip(bare))]);
  await expect(page.getByTestId("error")).toContainText("its boxes have no scores");
  await expect(page.getByTestId("run-scores")).toHaveCount(1);
});

test("a file that gzip packed is read as the terminal reads it", async ({ page }) => {
  const files = [upload("test.json.gz", gzipSync(truth.buffer)), upload("a.zip.gz", gzipSync(zip(entries)))];
  await open(page);
  await choose(page, files);
  expect((await report(page)).runs[0]?.classes[3]?.true_positives).toBe(11);
  const bytes = await downloadReport(page);
  expect(bytes.equals(asShown(bytes, files))).toBe(true);
});

test("a run is saved in every other format, and scores the same when it is dropped again", async ({ page }) => {
  const csv = ["image,label,score,xmin,ymin,xmax,ymax"];
  boxes.forEach((box, at) => csv.push([`${at}.png`, "Nodule", score(at), ...box].join(",")));
  await open(page);
  await choose(page, [truth, upload("boxes.csv", csv.join("\n"))]);
  const before = (await report(page)).runs[0];
  for (const [target, ending] of [
    ["chestx-det", "zip"],
    ["coco", "json"],
    ["yolo", "zip"],
    ["csv", "csv"],
  ]) {
    const waiting = page.waitForEvent("download");
    await openExport(page);
    await page.getByTestId(`convert-${target}`).click();
    const file = await waiting;
    expect(file.suggestedFilename()).toBe(`boxes-${target}.${ending}`);
    await choose(page, [upload(`${target}.${ending}`, readFileSync(await file.path()))]);
    const run = (await report(page)).runs.find(({ name }) => name === `${target}.${ending}`);
    expect(run?.exact, target).toEqual(before?.exact);
    expect(run?.n_detections, target).toBe(before?.n_detections);
    expect(run?.official.is_official, target).toBe(target === "chestx-det");
  }
  // Its classes are numbers in YOLO's files; the rest says nothing.
  await expect(page.getByTestId("error")).toHaveCount(0);
});
