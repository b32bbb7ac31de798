// A person scores: the sample, own files in any order, several runs, mistakes, keyboard alone.
import { createHash } from "node:crypto";
import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test, type Page } from "@playwright/test";
import { strToU8, zipSync } from "fflate";

import {
  cancelWhenShown,
  choose,
  downloadReport,
  drop,
  golden,
  goldenCase,
  LARGE,
  largeZip,
  open,
  report,
  sampleFiles,
  settled,
  smallTruth,
  asShown,
  upload,
  zip,
  view,
} from "./page.ts";

const nodule = '[{"Nodule": [10, 10, 49, 49, 0.9]}]';

test("the sample is one click away and shows two runs side by side", async ({ page }) => {
  await open(page);
  await page.getByTestId("score-sample").click();
  await expect(page.getByTestId("run-scores")).toHaveCount(2);
  await expect(page.getByTestId("official-average")).toHaveCount(2);
  await expect(page.getByTestId("official-average").first()).toHaveText(/^\d+\.\d\d%$/);
  await expect(page.getByTestId("all-classes-row")).toHaveCount(10);
  await expect(page.getByTestId("all-classes-row").first().getByTestId("all-classes-recall")).toHaveCount(2);
  await view(page, "points");
  await expect(page.getByTestId("class-row")).toHaveCount(10);
  await view(page, "quirks");
  await expect(page.getByTestId("quirk").first()).toBeVisible();
  const { runs } = await report(page);
  const [a, b] = runs;
  expect(a?.official.average_recall).toBeGreaterThan(b?.official.average_recall ?? 1);
  expect(b?.official.average_recall).toBeGreaterThan(0);
  // What it is made for: every class, and the quirks worth showing.
  expect(a?.classes.filter(({ n_lesions }) => n_lesions === 0)).toEqual([]);
  expect(runs.flatMap(({ official }) => official.quirks.map(({ id }) => id))).toEqual(
    expect.arrayContaining(["Q1", "Q5", "Q7", "Q8"]),
  );
});

test("files come in by a drop, in any order, and the page and the terminal write the same bytes", async ({ page }) => {
  const files = goldenCase(join(golden, "synthetic"));
  await open(page);
  await drop(page, files.toReversed());
  await expect(page.getByTestId("results")).toBeVisible();
  await settled(page);
  const bytes = await downloadReport(page);
  expect(bytes.equals(asShown(bytes, files, []))).toBe(true);
});

test("two zips are two runs, in the order of choosing; the report equals the terminal's", async ({ page }) => {
  const [truth, predictions] = goldenCase(join(golden, "synthetic"));
  if (!truth || !predictions) throw new Error("a golden case has two files");
  const other = upload("other.zip", zip({ "some/folder/0.json": nodule }));
  await open(page);
  await choose(page, [predictions]);
  await expect(page.getByTestId("missing")).toContainText("test.json");
  await choose(page, [other, truth]);
  await expect(page.getByTestId("run-scores")).toHaveCount(2);
  const bytes = await downloadReport(page);
  expect(bytes.equals(asShown(bytes, [truth, predictions, other], []))).toBe(true);
});

test("options follow at once, and one that makes no sense is said in place", async ({ page }) => {
  await open(page);
  await choose(page, goldenCase(join(golden, "synthetic")));
  const average = page.getByTestId("official-average");
  const before = await average.textContent();
  await page.getByTestId("iou").fill("0.75");
  await expect(average).not.toHaveText(before ?? "");
  await page.getByTestId("fp").fill("0.5, 0.1");
  await expect(page.getByTestId("error")).toHaveText(
    "False positives per image: there is 0.5, 0.1; expected rising numbers above 0, such as 0.05, 0.1, 0.2.",
  );
  await expect(page.getByTestId("fp")).toHaveAttribute("aria-invalid", "true");
  await page.getByTestId("reset-options").click();
  await expect(page.getByTestId("error")).toHaveCount(0);
  await expect(average).toHaveText(before ?? "");
});

test("a broken file says what is wrong, disturbs nothing, and its corrected one takes its place", async ({ page }) => {
  await open(page);
  await choose(page, goldenCase(join(golden, "synthetic")));
  const before = await page.getByTestId("official-average").textContent();
  const good = zip({ "0.json": nodule });
  await choose(page, [upload("b.zip", good.subarray(0, good.length / 2))]);
  await expect(page.getByTestId("error")).toHaveText(
    "b.zip: it is no zip, or cut short: the list of entries, which ends a zip, is missing; expected a whole zip; copy or download it again, or pack the folder again.",
  );
  await expect(page.getByTestId("official-average")).toHaveText(before ?? "");
  await choose(page, [upload("b.zip", good)]);
  await expect(page.getByTestId("error")).toHaveCount(0);
  await expect(page.getByTestId("run-scores")).toHaveCount(2);
});

test("files have nothing to mend only if all of them are read", async ({ page }) => {
  const [model, , truth] = sampleFiles();
  if (!truth || !model) throw new Error("a ground truth and a run");
  await open(page);
  await choose(page, [truth, model]);
  await expect(page.getByTestId("nothing-found")).toBeVisible();
  await choose(page, [upload("b.zip", model.buffer.subarray(0, 99))]);
  await expect(page.getByTestId("error")).toHaveCount(1);
  await expect(page.getByTestId("results")).toBeVisible();
  await expect(page.getByTestId("nothing-found")).toHaveCount(0);
});

test("a bad second version of a file leaves the first one in place", async ({ page }) => {
  await open(page);
  await choose(page, [upload("test.json", smallTruth(40)), upload("a.zip", zip({ "0.json": nodule }))]);
  const before = await page.getByTestId("official-average").textContent();
  await choose(page, [upload("a.zip", "no zip at all")]);
  await expect(page.getByTestId("error")).toHaveText(/^a\.zip: it does not start like a zip;/);
  await expect(page.getByTestId("official-average")).toHaveText(before ?? "");
});

test("every bad prediction file of a run is listed, and the other run is scored", async ({ page }) => {
  await open(page);
  const bad = zip({
    "0.json": '[{"Nodule": [1, 2, 3, 4]}]',
    "1.json": '{"a": 1}',
    "2.json": "[",
    "3.json": nodule,
    "99.json": "not read",
  });
  await choose(page, [
    upload("test.json", smallTruth(40)),
    upload("a.zip", zip({ "0.json": nodule })),
    upload("bad.zip", bad),
  ]);
  const errors = page.getByTestId("error");
  await expect(errors).toHaveText([
    "bad.zip, 0.json, entry 1, Nodule: the box has 4 numbers; expected [x1, y1, x2, y2, score].",
    'bad.zip, 1.json: there is one object; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]}; put [ before it and ] after it.',
    /^bad\.zip, 2\.json, .*the JSON ends in the middle/,
  ]);
  await expect(page.getByTestId("run-scores")).toHaveCount(1);
});

test("a second ground truth takes the place of the first, and undo brings it back", async ({ page }) => {
  await open(page);
  await choose(page, [upload("test.json", smallTruth(40)), upload("a.zip", zip({ "0.json": nodule }))]);
  await choose(page, [upload("other.json", smallTruth(50))]);
  await expect(page.getByTestId("status")).toContainText("other.json took the place of test.json.");
  expect((await report(page)).ground_truth.n_images).toBe(50);
  await page.getByTestId("undo").click();
  await settled(page);
  expect((await report(page)).ground_truth.n_images).toBe(40);
});

test("a file is removed, and undo brings it back", async ({ page }) => {
  await open(page);
  await choose(page, [upload("test.json", smallTruth(40)), upload("a.zip", zip({ "0.json": nodule }))]);
  await page.getByRole("button", { name: "Remove a.zip" }).click();
  await expect(page.getByTestId("results")).toHaveCount(0);
  await page.getByTestId("undo").click();
  await expect(page.getByTestId("results")).toBeVisible();
});

test("reading is told and can be cancelled; the other files stay and the page goes on", async ({ page }) => {
  await open(page);
  await choose(page, [upload("test.json", smallTruth(40)), upload("a.zip", zip({ "0.json": nodule }))]);
  // Big enough to be still at work when Cancel is pressed.
  const big = upload("big.zip", largeZip());
  await cancelWhenShown(page, "big.zip", true);
  await page.getByTestId("file-input").setInputFiles([big]);
  await expect(page.getByTestId("file")).toHaveCount(2);
  await expect(page.getByTestId("status")).toContainText("Stopped reading big.zip.");
  await settled(page);
  expect((await report(page)).runs.map((run) => run.name)).toEqual(["a.zip"]);
  await page.getByTestId("iou").fill("0.9");
  await expect.poll(async () => (await report(page)).options.iou_threshold).toBe(0.9);
});

test("a zip of several pieces is read as the terminal reads it, runs in the order of choosing", async ({ page }) => {
  const large = upload("large.zip", largeZip());
  const [truth, small] = [upload("test.json", smallTruth(LARGE)), upload("small.zip", zip({ "0.json": nodule }))];
  await open(page);
  await choose(page, [large, small, truth]);
  await expect(page.getByTestId("run-scores")).toHaveCount(2);
  const bytes = await downloadReport(page);
  expect(bytes.equals(asShown(bytes, [truth, large, small], []))).toBe(true);
});

/** A zip with its list of entries the other way round (APPNOTE.TXT, 4.3.12 and 4.3.16). */
function backwards(zip: Buffer): Buffer {
  const end = zip.lastIndexOf("PK\x05\x06");
  const start = zip.readUInt32LE(end + 16);
  const records: Buffer[] = [];
  for (let at = start; at < end; at += records[0]?.length ?? end) {
    const length = 46 + [28, 30, 32].reduce((sum, field) => sum + zip.readUInt16LE(at + field), 0);
    records.unshift(zip.subarray(at, at + length));
  }
  return Buffer.concat([zip.subarray(0, start), ...records, zip.subarray(end)]);
}

test("a zip of stored files is read in pieces: in order, in another one, and with damage in the midst", async ({
  page,
}) => {
  // Too large to be asked for at once, all in all; one file is so alone.
  const blanks = [3_000_000, 10, 2_000_000, 4_500_000, 10_000_000, 10];
  const entries = blanks.map((n, at) => [`${at}.json`, strToU8(nodule + " ".repeat(n))] as const);
  const sound = Buffer.from(zipSync(Object.fromEntries([...entries, ["notes.txt", strToU8("")]]), { level: 0 }));
  const damaged = Buffer.from(sound);
  damaged.write("1", 4_000_000);
  const zips = [upload("sound.zip", sound), upload("other-order.zip", backwards(sound))];
  const files = [upload("test.json", smallTruth(blanks.length)), ...zips];
  // By path: they are too many bytes to be handed over.
  const folder = mkdtempSync(join(tmpdir(), "froc-"));
  const paths = [...files, upload("damaged.zip", damaged)].map(({ name, buffer }) => {
    writeFileSync(join(folder, name), buffer);
    return join(folder, name);
  });
  await open(page);
  await page.getByTestId("file-input").setInputFiles(paths);
  await settled(page);
  await expect(page.getByTestId("error")).toHaveText(/^damaged\.zip, 2\.json: .*checksum/);
  expect((await report(page)).runs.map((run) => run.n_files)).toEqual([blanks.length, blanks.length]);
  const bytes = await downloadReport(page);
  expect(bytes.equals(asShown(bytes, files))).toBe(true);
  rmSync(folder, { recursive: true });
});

test("a large file that is no zip, or half of one, is told as any other", async ({ page }) => {
  const whole = largeZip();
  await open(page);
  await choose(page, [
    upload("truth.zip", smallTruth(100_000)),
    upload("half.zip", whole.subarray(0, whole.length - 100_000)),
  ]);
  await expect(page.getByTestId("file").filter({ hasText: "truth.zip" })).toContainText("100,000 images");
  await expect(page.getByTestId("error")).toContainText("half.zip: it is no zip, or cut short");
});

test("of files that are read at once one is cancelled, and the others are scored", async ({ page }) => {
  await open(page);
  const large = upload("large.zip", largeZip());
  await cancelWhenShown(page, "large.zip");
  await page
    .getByTestId("file-input")
    .setInputFiles([upload("test.json", smallTruth(40)), large, upload("a.zip", zip({ "0.json": nodule }))]);
  await expect(page.getByTestId("status")).toContainText("Stopped reading large.zip.");
  await settled(page);
  expect((await report(page)).runs.map((run) => run.name)).toEqual(["a.zip"]);
});

test("a folder is told from a file", async ({ page }) => {
  await open(page);
  const data = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([], "predictions"));
    // A browser alone can make a folder's entry; this is what it hands over.
    Object.defineProperty(DataTransferItem.prototype, "webkitGetAsEntry", {
      value: () => ({
        isDirectory: true,
        name: "predictions",
        createReader: () => ({ readEntries: (done: (entries: []) => void) => done([]) }),
      }),
    });
    return transfer;
  });
  await page.getByTestId("drop-zone").dispatchEvent("drop", { dataTransfer: data });
  await expect(page.getByTestId("error")).toHaveText(
    "predictions: the folder holds nothing that is read; expected pictures, or predictions as .json files.",
  );
});

test("names from files are shown as text, never as markup", async ({ page }) => {
  const evil = '<img src=x onerror="window.injected=1">';
  await open(page);
  await choose(page, [
    upload("test.json", smallTruth(40)),
    upload(`${evil}.zip`, zip({ "0.json": `[{${JSON.stringify(evil)}: [1, 2, 3, 4, 0.5]}]`, [`${evil}.json`]: "[]" })),
  ]);
  await expect(page.getByTestId("results")).toBeVisible();
  await expect(page.getByTestId("notices").first()).toContainText(evil);
  await view(page, "points");
  await expect(page.getByTestId("run").getByRole("heading", { level: 2 })).toHaveText(`${evil}.zip`);
  expect(await page.evaluate(() => "injected" in window)).toBe(false);
});

test("characters that hide or turn a name are seen in chip, heading, tile and image", async ({ page }) => {
  const hidden = "\u202egnp\u200b\ufeff\u0085";
  const shown = "\\u{202e}gnp\\u{200b}\\u{feff}\\u{85}";
  await open(page);
  const truth = [{ file_name: `${hidden}.png`, syms: ["Nodule"], boxes: [[10, 10, 49, 49]] }];
  await choose(page, [
    upload("test.json", JSON.stringify(truth)),
    upload(`run${hidden}.zip`, zip({ [`${hidden}.json`]: '[{"Nodule": [10, 10, 49, 49, 0.5]}]' })),
  ]);
  await expect(page.getByTestId("file").last()).toContainText(`run${shown}.zip`);
  await view(page, "points");
  await expect(page.getByTestId("run").getByRole("heading", { level: 2 })).toHaveText(`run${shown}.zip`);
  await page.getByTestId("tile").first().click();
  await expect(page.getByTestId("image-view").getByRole("heading", { level: 2 })).toHaveText(`${shown}.png`);
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("tile").first()).toHaveAttribute("title", `${shown}.png`);
  const hidingIn = (element: string) =>
    page
      .getByTestId(element)
      .first()
      .evaluate((chosen) => /[\u202e\u200b\ufeff\u0085]/.test(chosen.outerHTML));
  for (const element of ["file", "run", "tile"]) expect(await hidingIn(element), element).toBe(false);
});

test("everything is done by keyboard alone", async ({ page }) => {
  await open(page);
  const focused = () => page.evaluate(() => (document.activeElement as HTMLElement).dataset.testid);
  const tabTo = async (testid: string, key = "Tab") => {
    for (let presses = 0; presses < 60 && (await focused()) !== testid; presses++) await page.keyboard.press(key);
    expect(await focused()).toBe(testid);
  };
  const chooser = page.waitForEvent("filechooser");
  await tabTo("choose-files");
  await page.keyboard.press("Enter");
  await (await chooser).setFiles(goldenCase(join(golden, "synthetic")));
  await settled(page);
  // What is read stands above the files.
  await tabTo("iou", "Shift+Tab");
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("0.3");
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await report(page)).options.iou_threshold).toBe(0.3);
  await page.getByTestId("iou").focus();
  // The first number of the scores explains itself on focus; the arrow keys lead to the average.
  for (
    let presses = 0;
    presses < 60 && (await page.getByTestId("explanation").textContent())?.includes("Recall:") !== true;
    presses++
  ) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("ArrowDown");
  for (let column = 0; column < 3; column++) await page.keyboard.press("ArrowRight");
  expect(await focused()).toBe("official-average");
  await expect(page.getByTestId("explanation")).toContainText("The script's rules at IoU 0.3: avg recall");
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("explanation")).toBeHidden();
  await tabTo("view-recall");
  await page.keyboard.press("ArrowRight");
  expect(await focused()).toBe("view-points");
  await tabTo("copy-lines");
  await page.keyboard.press("Shift+Tab");
  await page.getByTestId("view-points").focus();
  await page.keyboard.press("End");
  expect(await focused()).toBe("view-quirks");
  await page.getByTestId("quirk-open").first().focus();
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("quirk").first().locator("table")).toBeVisible();
});

test("an engine that dies ends as a sentence; the other files stay and the page goes on without a reload", async ({
  page,
}) => {
  await open(page);
  await choose(page, [upload("test.json", smallTruth(40)), upload("a.zip", zip({ "0.json": nodule }))]);
  const before = await page.getByTestId("official-average").textContent();
  // A real trap, in the midst of what the engine does: the function below is one instruction, `unreachable`.
  await page.workers()[0]?.evaluate(() => {
    const code = "0061736d 01000000 01040160 0000 03020100 07050101 660000 0a050103 00000b".replaceAll(" ", "");
    const module = new WebAssembly.Module(Uint8Array.from(code.match(/../g) ?? [], (byte) => parseInt(byte, 16)));
    Object.defineProperty(Blob.prototype, "size", {
      get: new WebAssembly.Instance(module).exports["f"] as () => never,
    });
  });
  await choose(page, [upload("b.zip", zip({ "0.json": nodule })), upload("c.zip", zip({ "0.json": nodule }))]);
  await expect(page.getByTestId("error")).toHaveText(/^b\.zip: the engine stopped \(.+\); it needs enough free memory/);
  await expect(page.getByTestId("official-average")).toHaveText([before ?? "", before ?? ""]);
  expect((await report(page)).runs.map((run) => run.name)).toEqual(["a.zip", "c.zip"]);
  await choose(page, [upload("b.zip", zip({ "0.json": nodule }))]);
  await expect(page.getByTestId("error")).toHaveCount(0);
  await expect(page.getByTestId("run-scores")).toHaveCount(3);
});

test("a zip that grows on disk after it was scored has no digest of other bytes", async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), "froc-"));
  const [truth, run] = [join(folder, "test.json"), join(folder, "a.zip")];
  writeFileSync(truth, smallTruth(40));
  const bytes = zip({ "0.json": nodule });
  writeFileSync(run, bytes);
  await open(page);
  await page.getByTestId("file-input").setInputFiles([truth, run]);
  await expect(page.getByTestId("results")).toBeVisible();
  appendFileSync(run, "more");
  const { sha256, official } = (await report(page)).runs[0] ?? {};
  // It may have been taken before.
  expect([null, createHash("sha256").update(bytes).digest("hex")]).toContain(sha256);
  expect(official?.average_recall).not.toBeNull();
});

test("a zip of more than 4 GiB is read to its end", async ({ page }) => {
  const n = 12;
  const text = nodule + " ".repeat(50_000);
  const entries = Object.fromEntries(Array.from({ length: n }, (_, at) => [`${at}.json`, strToU8(text)]));
  const bytes = Buffer.from(zipSync(entries, { level: 0 }));
  // Where the list tells the place of each entry, and its end that of the list itself (APPNOTE.TXT, 4.3.12 and 4.3.16).
  const end = bytes.lastIndexOf("PK\x05\x06");
  const told: number[] = [];
  for (let at = bytes.readUInt32LE(end + 16); at < end;) {
    told.push(at + 42);
    at += 46 + [28, 30, 32].reduce((sum, field) => sum + bytes.readUInt16LE(at + field), 0);
  }
  const [split = 0, fourth = 0] = [6, 3].map((entry) => bytes.readUInt32LE(told[entry] ?? 0));
  // Nothing, which takes no room on the disk, before the seventh entry: in the middle of the fourth just 4 GiB are left.
  const gap = 2 ** 32 + fourth + Math.floor(text.length / 2) - bytes.length;
  const [head, tail] = [bytes.subarray(0, split), Buffer.from(bytes)];
  for (const at of [...told.slice(6), end + 16]) tail.writeUInt32LE((tail.readUInt32LE(at) + gap) % 2 ** 32, at);
  const folder = mkdtempSync(join(tmpdir(), "froc-"));
  const [truth, run] = [join(folder, "test.json"), join(folder, "large.zip")];
  writeFileSync(truth, smallTruth(n));
  const file = openSync(run, "w");
  writeSync(file, head, 0, head.length, 0);
  writeSync(file, tail, split, tail.length - split, split + gap);
  closeSync(file);
  await open(page);
  await page.getByTestId("file-input").setInputFiles([truth, run]);
  await settled(page);
  await expect(page.getByTestId("error")).toHaveCount(0);
  // A report would wait for the digest of 4 GiB.
  await expect(page.locator('[data-testid="file"][data-kind="predictions"]')).toContainText(
    `${n} files, ${n} detections`,
  );
  rmSync(folder, { recursive: true });
});

test("small files beside one that fills the memory are scored", async ({ page }) => {
  test.skip(!process.env.FROC_LONG, "FROC_LONG=1 takes 4 GB of memory for it");
  test.setTimeout(300_000);
  const [n, boxes] = [700, 100_000];
  const text = `[${Array.from({ length: boxes }, (_, at) => `{"Nodule":[0,0,9,9,0.${String(at).padStart(5, "0")}1]}`).join(",")}]`;
  const path = join(mkdtempSync(join(tmpdir(), "froc-")), "large.zip");
  writeFileSync(path, zip(Object.fromEntries(Array.from({ length: n }, (_, at) => [`${at}.json`, text]))));
  const small = join(mkdtempSync(join(tmpdir(), "froc-")), "small.zip");
  writeFileSync(small, zip({ "0.json": nodule }));
  const truth = join(mkdtempSync(join(tmpdir(), "froc-")), "test.json");
  writeFileSync(truth, smallTruth(n));
  await open(page);
  await page.getByTestId("file-input").setInputFiles([truth, path, small]);
  await expect(page.getByTestId("error")).toContainText("do not fit into the memory", { timeout: 240_000 });
  await settled(page);
  expect((await report(page)).runs.map((run) => run.name)).toEqual(["small.zip"]);
});

for (const [when, act] of [
  ["idle", async () => undefined],
  ["asked", async (page: Page) => choose(page, [upload("b.zip", zip({ "0.json": nodule }))])],
] as const) {
  test(`an engine that ends without a word is replaced: ${when}`, async ({ page }) => {
    await open(page);
    await choose(page, [upload("test.json", smallTruth(40)), upload("a.zip", zip({ "0.json": nodule }))]);
    const before = await page.getByTestId("official-average").textContent();
    const gone = page.workers()[0];
    expect(gone).toBeDefined();
    // As the system would end it: no event tells of it.
    await gone?.evaluate(() => self.close()).catch(() => undefined);
    await act(page);
    await expect.poll(() => page.workers().some((worker) => worker !== gone)).toBe(true);
    if (when === "idle") {
      // The successor has the report, too.
      await settled(page);
      expect((await report(page)).runs.map((run) => run.name)).toEqual(["a.zip"]);
    }
    await choose(page, [upload("c.zip", zip({ "0.json": nodule }))]);
    const scores = page.getByTestId("official-average");
    await expect(scores.last()).toHaveText(before ?? "");
    const names = (await report(page)).runs.map((run) => run.name);
    expect(names).toContain("a.zip");
    expect(names).toContain("c.zip");
  });
}

test("two files of one name are two runs, and a click renames one, in the page and in what is saved", async ({
  page,
}) => {
  await open(page);
  const [one, two] = [zip({ "0.json": nodule }), zip({ "0.json": nodule, "1.json": nodule })];
  await choose(page, [upload("test.json", smallTruth(40)), upload("predictions.zip", one)]);
  await choose(page, [upload("predictions.zip", two)]);
  await expect(page.getByTestId("status")).toContainText(
    "There are several files named predictions.zip: this one is called predictions (2).zip.",
  );
  const runs = async () => (await report(page)).runs.map(({ name, n_files }) => [name, n_files]);
  expect(await runs()).toEqual([
    ["predictions.zip", 1],
    ["predictions (2).zip", 2],
  ]);
  await page.getByTestId("rename").filter({ hasText: "(2)" }).click();
  await page.getByTestId("run-name").fill("with mixup");
  await page.keyboard.press("Enter");
  await settled(page);
  expect(await runs()).toEqual([
    ["predictions.zip", 1],
    ["with mixup", 2],
  ]);
  await expect(page.getByTestId("rename")).toHaveText(["predictions.zip", "with mixup"]);
  // A worker that is replaced knows the name, too.
  await choose(page, [upload("third.zip", zip({ "2.json": nodule }))]);
  await page.getByTestId("rename").filter({ hasText: "third" }).click();
  await page.getByTestId("run-name").fill("nothing of this");
  await page.keyboard.press("Escape");
  expect(await runs()).toEqual([
    ["predictions.zip", 1],
    ["with mixup", 2],
    ["third.zip", 1],
  ]);
});

test("both files of one name in one drop are runs, and a corrected file takes the place of a bad one", async ({
  page,
}) => {
  await open(page);
  const bad = zip({ "0.json": "[" });
  await choose(page, [
    upload("test.json", smallTruth(40)),
    upload("a.zip", zip({ "0.json": nodule })),
    upload("a.zip", bad),
  ]);
  await expect(page.getByTestId("file")).toHaveCount(3);
  await expect(page.getByTestId("error")).toContainText(["a.zip, 0.json"]);
  await choose(page, [upload("a.zip", zip({ "0.json": nodule, "1.json": nodule }))]);
  await expect(page.getByTestId("error")).toHaveCount(0);
  expect((await report(page)).runs.map(({ name, n_files }) => [name, n_files])).toEqual([
    ["a.zip", 1],
    ["a (2).zip", 2],
  ]);
});

test("the sample leaves when own files come", async ({ page }) => {
  await open(page);
  await page.getByTestId("score-sample").click();
  await settled(page);
  expect((await report(page)).runs.length).toBe(2);
  await expect(page.getByTestId("matched")).toBeVisible();
  await choose(page, [upload("mine.zip", zip({ "0.json": nodule }))]);
  await expect(page.getByTestId("file")).toHaveCount(1);
  await expect(page.getByTestId("missing")).toContainText("ground truth");
  await choose(page, [upload("test.json", smallTruth(40))]);
  expect((await report(page)).runs.map(({ name }) => name)).toEqual(["mine.zip"]);
  // Its pictures left with it.
  await expect(page.getByTestId("add-pictures")).toBeVisible();
  await expect(page.getByTestId("matched")).toHaveCount(0);
  await expect(page.getByTestId("undo-pictures")).toHaveCount(0);
});

test("hits by another measure and ignored classes give the terminal's report, and the score its name", async ({
  page,
}) => {
  await open(page);
  const files = sampleFiles();
  await choose(page, files);
  const named = page.getByTestId("whose");
  await expect(named).toContainText("avg recall, official");
  const first = await page.getByTestId("headline").textContent();
  const measure = page.getByTestId("measure");
  const flags = async (options: string[]) => {
    await settled(page);
    const bytes = await downloadReport(page);
    expect(bytes.equals(asShown(bytes, files, options)), options.join(" ")).toBe(true);
  };

  await measure.selectOption("iobb");
  // A share stays what it was.
  await expect(page.getByTestId("iou")).toHaveValue("0.5");
  await page.getByTestId("iou").fill("0,4");
  await expect(named).toContainText("the script's rules at IoBB 0.4");
  await flags(["--hit", "iobb:0.4"]);
  await measure.selectOption("distance");
  await expect(page.getByTestId("iou")).toHaveValue("10");
  await expect(named).toContainText("the script's rules at centres within 10 pixels");
  await flags(["--hit", "distance:10"]);

  await page.getByTestId("iou").fill("0");
  await expect(page.getByTestId("error")).toHaveText(
    "Hit criterion distance: there is 0; expected pixels above 0, such as 10.",
  );
  await expect(page.getByTestId("results")).toHaveClass(/stale/);
  await expect(page.getByTestId("iou")).toHaveAttribute("aria-invalid", "true");
  await measure.selectOption("centre");
  await expect(page.getByTestId("error")).toHaveCount(0);
  await expect(page.getByTestId("iou")).toHaveCount(0);
  await expect(named).toContainText("the script's rules at centre in the box");
  await flags(["--hit", "centre"]);
  await page.getByTestId("tab-sweep").click();
  await expect(page.getByTestId("no-sweep")).toContainText("hits are by centre in the box");

  // The class that is chosen stays so, though its place is another.
  await page.getByTestId("filter-class").selectOption({ label: "Effusion" });
  await page.getByTestId("classes-scored").locator("summary").click();
  const scored = page.getByTestId("class-scored");
  await expect(scored).toHaveCount(10);
  await page.getByLabel("Consolidation", { exact: true }).uncheck();
  await page.getByLabel("Mass", { exact: true }).uncheck();
  await expect(page.getByTestId("all-classes-row")).toHaveCount(8);
  await expect(named).toContainText("some lesions ignored");
  await expect(page.getByTestId("filter-class").locator("option:checked")).toHaveText("Effusion");
  await flags(["--hit", "centre", "--ignore", "Mass", "--ignore", "Consolidation"]);

  // What counts neither way can be looked at.
  await page.getByTestId("filter-class").selectOption("");
  await page.getByTestId("filter-cause").and(page.locator("[data-category=ignored]")).click();
  await expect(page.getByTestId("tile").first()).toContainText(/\d ign\./);

  await page.getByTestId("classes-scored").locator("summary").click();
  for (let at = 0; at < 10; at++) await scored.nth(at).uncheck();
  await expect(page.getByTestId("error")).toContainText("Classes to be ignored: there are all of them");
  await expect(page.getByTestId("results")).toHaveClass(/stale/);
  await page.getByTestId("reset-options").click();
  await expect(page.getByTestId("error")).toHaveCount(0);
  await expect(named).toContainText("avg recall, official");
  await expect(page.getByTestId("headline")).toHaveText(first ?? "");
  await expect(page.getByTestId("reset-options")).toBeDisabled();
  await flags([]);
});

test("a ground truth in place of another ignores the same classes, and so does an engine in place of another", async ({
  page,
}) => {
  const names = ["Nodule", "Mass"];
  const truth = (at: number) =>
    upload(
      "test.json",
      JSON.stringify([
        {
          file_name: "0.png",
          syms: names,
          boxes: [
            [10, 10, 49, 49],
            [at, at, at + 40, at + 40],
          ],
        },
      ]),
    );
  await open(page);
  await choose(page, [truth(100), upload("a.zip", zip({ "0.json": nodule }))]);
  await page.getByTestId("classes-scored").locator("summary").click();
  await page.getByLabel("Mass", { exact: true }).uncheck();
  const ignored = async () => (await report(page)).ground_truth.ignored_classes ?? [];
  await expect(page.getByTestId("all-classes-row")).toHaveCount(9);
  await settled(page);
  expect(await ignored()).toEqual(["Mass"]);
  await choose(page, [truth(200)]);
  await expect(page.getByTestId("status")).toContainText("took the place of");
  expect(await ignored()).toEqual(["Mass"]);
  await page.getByTestId("file-input").setInputFiles([upload("b.zip", largeZip())]);
  await cancelWhenShown(page, "b.zip");
  await settled(page);
  await choose(page, [upload("c.zip", zip({ "0.json": nodule }))]);
  expect(await ignored()).toEqual(["Mass"]);
});
