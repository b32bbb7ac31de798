// Where the points go: from a number to the images behind it, one image large, thresholds by hand, pictures from the disk.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { expect, test, type Locator, type Page } from "@playwright/test";
import { strToU8, zipSync } from "fflate";

import {
  choose,
  drop,
  golden,
  goldenCase,
  open,
  openExport,
  report,
  terminal,
  upload,
  sampleFiles,
  view,
} from "./page.ts";
import { png } from "./png.ts";
import { dist } from "./server.ts";

const FALSE_POSITIVES = ["duplicate", "badly_placed", "on_another_class", "elsewhere", "lesion_free_image"];
const SIDE = 1024;

/** The files of the first sample, without its pictures, which take time to draw. */
async function openSample(page: Page, path?: string): Promise<void> {
  await open(page, path);
  await choose(page, sampleFiles());
  await expect(page.getByTestId("tile").first()).toHaveAttribute("data-image", "0");
}

/** The first number of a text. */
const number = (text: string | null) => Number(/\d+/.exec(text ?? "")?.[0]);
const shown = async (page: Page) => number(await page.getByTestId("shown").textContent());
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** The grey in the corner of a tile, where the first images have no box. */
function corner(tile: Locator): Promise<number[]> {
  return tile
    .locator("canvas")
    .evaluate((canvas: HTMLCanvasElement) => [...(canvas.getContext("2d")?.getImageData(3, 3, 1, 1).data ?? [])]);
}

async function download(page: Page, button: Locator): Promise<{ name: string; bytes: Buffer }> {
  const waiting = page.waitForEvent("download");
  await button.click();
  const file = await waiting;
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
}

test("the causes of every class add up to the score's own counts, at every rate", async ({ page }) => {
  await openSample(page);
  const run = (await report(page)).runs[0];
  if (!run) throw new Error("the sample has runs");
  await view(page, "causes");
  const rows = page.getByTestId("budget-row");
  for (const [at, rate] of (await page.getByTestId("where-rate").allTextContents()).entries()) {
    await page.getByTestId("where-rate").nth(at).click();
    await expect(page.getByTestId("allowed")).toHaveText(
      `${run.classes[0]?.exact.budget[at]} false positives allowed per class at ${rate} per image`,
    );
    const counts = await rows.evaluateAll((rows) =>
      rows.map((row) => ({
        name: row.getAttribute("data-class"),
        causes: [...row.querySelectorAll("[data-testid=segment]")].map(
          (one) => [one.getAttribute("data-category"), Number(one.textContent)] as const,
        ),
      })),
    );
    for (const cls of run.classes) {
      const causes = counts.find(({ name }) => name === cls.name)?.causes ?? [];
      const [spent, missed] = [true, false].map((of) =>
        sum(causes.filter(([cause]) => FALSE_POSITIVES.includes(cause ?? "") === of).map(([, n]) => n)),
      );
      expect(spent, cls.name).toBe(cls.exact.false_positives[at]);
      expect(missed, cls.name).toBe(Math.round(cls.n_lesions * (1 - (cls.exact.recall[at] ?? 0))));
    }
  }
});

test("the table says the same as the bars, and so do the bars beside the recall", async ({ page }) => {
  await openSample(page);
  const beside = await page.getByTestId("all-classes-row").getByTestId("segment").allTextContents();
  await view(page, "causes");
  const bars = await page.getByTestId("segment").allTextContents();
  await page.getByTestId("budget-table").click();
  const ofAll = bars.slice(0, bars.length - beside.length);
  expect(bars.slice(ofAll.length)).toEqual(beside);
  const cells = (await page.getByTestId("cause-cell").allTextContents()).map(number).filter((n) => n > 0);
  expect(cells.sort()).toEqual(bars.map(number).sort());
});

test("a number leads to the images behind it, and the way back is one click", async ({ page }) => {
  await openSample(page);
  const all = await shown(page);
  await view(page, "causes");
  const row = page.locator('[data-testid="budget-row"][data-class="Fracture"]');
  const segment = row.locator('[data-testid="segment"][data-category="never_seen"]');
  const lesions = number(await segment.textContent());
  await segment.focus();
  await expect(page.getByTestId("explanation")).toContainText(
    /Fracture, missed entirely: \d+ missed lesions\.\nIf fixed, the recall would be \d+\.\d\d% \(\+\d+\.\d\d points\)\./,
  );
  await segment.click();
  await expect(page.locator('[data-testid="filter-cause"][aria-pressed="true"]')).toHaveText(/missed entirely/);
  await expect(page.getByTestId("filter-class")).toHaveValue("8");
  await expect.poll(() => shown(page)).toBeLessThan(all);
  expect(await shown(page)).toBeLessThanOrEqual(lesions);
  await expect(page.getByTestId("gallery")).toBeInViewport();
  // Every lesion of that class and cause is in one of these images: seen one by one, they add up to the number.
  let found = 0;
  const n = await shown(page);
  await page.getByTestId("tile").first().click();
  await page.getByTestId("second").selectOption({ label: "no other run" });
  for (let at = 0; at < n; at++) {
    await expect(page.getByTestId("position")).toHaveText(`${at + 1} of ${n}`);
    for (const box of await page.getByTestId("film").locator('[data-kind="lesion-missed"]').all()) {
      // A picture or an answer that comes meanwhile may take the focus along.
      await expect(async () => {
        await box.focus();
        await expect(box).toBeFocused({ timeout: 100 });
      }).toPass();
      await page.evaluate(() => new Promise(requestAnimationFrame));
      if (/Fracture, lesion\s*Missed entirely/.test((await page.getByTestId("reading-box").textContent()) ?? ""))
        found++;
    }
    if (at < n - 1) await page.keyboard.press("j");
  }
  expect(found).toBe(lesions);
  await page.keyboard.press("Escape");
  await page.getByTestId("clear-filters").click();
  await expect(page.getByTestId("shown")).toHaveText(`${all} of ${all} images`);
});

test("a cell of the class-by-class table leads to its images", async ({ page }) => {
  await openSample(page);
  await view(page, "found-as");
  for (const [cell, text] of [
    ["4-4", "lesions of Mass found as Mass"],
    ["4-nothing", "lesions of Mass found as nothing"],
    ["background-4", "false positives of Mass on no lesion of any class"],
  ] as const) {
    const button = page.getByTestId(`found-as-cell-${cell}`);
    const n = number(await button.textContent());
    await button.click();
    await expect(page.getByTestId("pair")).toHaveText(text);
    await expect.poll(() => shown(page)).toBeLessThanOrEqual(n);
    expect(await shown(page)).toBeGreaterThan(0);
  }
});

test("classes that are called as the rows of what is on no lesion have rows of their own", async ({ page }) => {
  const names = ["background", "taken lesion"];
  const box = (at: number) => [10 + 60 * at, 10, 50 + 60 * at, 50];
  const truth = names.map((name, at) => ({ file_name: `${at}.png`, syms: [name], boxes: [box(0)] }));
  // Each is found, found again, and has a box on nothing.
  const files = names.map((name, at) => [
    `${at}.json`,
    JSON.stringify([0, 0, 3].map((place, rank) => ({ [name]: [...box(place), 0.9 - rank / 10] }))),
  ]);
  await open(page);
  await choose(page, [
    upload("truth.json", JSON.stringify(truth)),
    upload("a.zip", zipSync(Object.fromEntries(files.map(([name, text]) => [name, strToU8(text ?? "")])))),
  ]);
  await page.getByTestId("fp").fill("2");
  await expect.poll(async () => (await report(page)).options.fp_per_image).toEqual([2]);
  await view(page, "found-as");
  const rows = page.getByTestId("found-as").locator("tbody tr");
  await expect(rows.locator("th")).toHaveText([...names, "taken lesion", "background"]);
  await expect(rows.nth(2)).toContainText(/1.*1/);
  await expect(rows.nth(3)).toContainText(/1.*1/);
});

test("images are filtered, ordered and searched; what no image holds is said; filters outlive a change of rate", async ({
  page,
}) => {
  await openSample(page);
  const all = await shown(page);
  await page.getByTestId("lesion-free").selectOption("without");
  await expect.poll(() => shown(page)).toBeLessThan(all);
  const free = await shown(page);
  await page.getByTestId("lesion-free").selectOption("with");
  await expect.poll(() => shown(page)).toBe(all - free);
  await page.getByTestId("where-rate").last().click();
  await expect(page.getByTestId("lesion-free")).toHaveValue("with");
  expect(await shown(page)).toBe(all - free);
  await page.getByTestId("clear-filters").click();

  await page.getByTestId("order").selectOption("missed_lesions");
  const missed = async () =>
    (await page.getByTestId("tile").allTextContents()).map((text) => Number(/(\d+) missed/.exec(text)?.[1] ?? 0));
  await expect.poll(async () => (await missed())[0]).toBeGreaterThan(1);
  expect(await missed()).toEqual((await missed()).sort((a, b) => b - a));

  await page.getByTestId("search").fill("SAMPLE_01");
  await expect(page.getByTestId("shown")).toHaveText(`10 of ${all} images`);
  await page.getByTestId("min-score").fill("2");
  await page.getByTestId("min-score").press("Enter");
  await expect(page.getByTestId("no-images")).toContainText(`None of the ${all} images`);
  await page.getByTestId("clear-filters").click();
  await expect(page.getByTestId("shown")).toHaveText(`${all} of ${all} images`);
  await expect(page.getByTestId("search")).toHaveValue("");
});

test("one image large, by keyboard alone", async ({ page }) => {
  await openSample(page);
  const tiles = page.getByTestId("tile");
  await tiles.first().focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  const view = page.getByTestId("image-view");
  await expect(page.getByTestId("position")).toHaveText("2 of 104");
  await page.keyboard.press("j");
  await page.keyboard.press("Alt+ArrowRight");
  await page.keyboard.press("Alt+ArrowRight");
  await page.keyboard.press("k");
  await expect(page.getByTestId("position")).toHaveText("4 of 104");
  // A picture can be zoomed once it is there.
  await expect(view).toHaveAttribute("aria-label", /sample_004/);
  await expect(view).toHaveAttribute("data-zoom", "1");
  await page.keyboard.press("+");
  await page.keyboard.press("+");
  await expect(view).toHaveAttribute("data-zoom", "2.25");
  const moved = page.getByTestId("film").first().locator("> g");
  const before = await moved.getAttribute("transform");
  await page.keyboard.press("ArrowRight");
  await expect(moved).not.toHaveAttribute("transform", before ?? "");
  await page.keyboard.press("-");
  await expect(view).toHaveAttribute("data-zoom", "1.5");
  await page.keyboard.press("0");
  await expect(view).toHaveAttribute("data-zoom", "1");
  await page.getByTestId("box").first().focus();
  await expect(page.getByTestId("reading-box")).toContainText(/(lesion|score)/);
  await page.keyboard.press("Escape");
  await expect(view).toHaveCount(0);
  await expect(page.locator('[data-testid="tile"]:focus')).toHaveAttribute("data-image", "3");
});

test("a box tells class, score, overlap, verdict and why; the other kinds have lines of their own", async ({
  page,
}) => {
  await openSample(page);
  await page.getByTestId("tile").nth(4).click();
  const film = page.getByTestId("film").first();
  const reading = page.getByTestId("reading-box");
  await film.locator('[data-kind="false-positive"]').first().hover();
  await expect(reading).toContainText("False positive: ");
  await film.locator('[data-kind="true-positive"]').first().focus();
  await expect(reading).toHaveText(
    /(\w+), detection.*score 0\.\d+.*model-a\.zip.*True positive: finds a lesion, IoU 0\.\d\d with a lesion of \1\./s,
  );
  await film.locator('[data-kind="lesion-missed"]').first().focus();
  await expect(reading).toContainText("Missed, ");
  await expect(film.locator('[data-kind="uncounted"]')).toHaveCount(0);
  await page.getByTestId("show-uncounted").check();
  await film.locator('[data-kind="uncounted"]').first().focus();
  await expect(reading).toContainText("Not counted, since it scores below the threshold");
  const lines = await Promise.all(
    ["lesion-found", "lesion-missed", "true-positive", "false-positive", "uncounted"].map((kind) =>
      film
        .locator(`[data-kind="${kind}"] rect`)
        .first()
        .evaluate((rect) =>
          [Number.parseFloat(rect.getAttribute("stroke-width") ?? ""), rect.getAttribute("stroke-dasharray")].join(),
        ),
    ),
  );
  expect(new Set(lines).size).toBe(lines.length);
});

test("two runs stand side by side and are zoomed and moved as one", async ({ page }) => {
  await openSample(page);
  await page.getByTestId("order").selectOption("disagreement");
  await page.getByTestId("tile").first().click();
  const films = page.getByTestId("film");
  await expect(films).toHaveCount(2);
  await films.last().hover();
  await page.mouse.wheel(0, -300);
  await expect(page.getByTestId("image-view")).not.toHaveAttribute("data-zoom", "1");
  const box = await films.first().boundingBox();
  if (!box) throw new Error("the film has no box");
  const before = await films.first().locator("> g").getAttribute("transform");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 60, box.y + box.height / 2 + 40, { steps: 4 });
  await page.mouse.up();
  const after = await films.first().locator("> g").getAttribute("transform");
  expect(after).not.toBe(before);
  await expect(films.last().locator("> g")).toHaveAttribute("transform", after ?? "");
  await page.getByTestId("view-class").selectOption("Nodule");
  const labels = await page
    .getByTestId("box")
    .evaluateAll((boxes) => boxes.map((box) => box.getAttribute("aria-label")));
  expect(labels.every((label) => label?.startsWith("Nodule"))).toBe(true);
  await page.getByTestId("second").selectOption({ label: "no other run" });
  await expect(films).toHaveCount(1);
});

test("a threshold moves the point, the counts, the bars, the tiles and the boxes, and goes back", async ({ page }) => {
  await openSample(page);
  const barOf = async () => {
    await view(page, "causes");
    const bar = await page.locator('[data-testid="budget-row"][data-class="Consolidation"]').innerText();
    await view(page, "thresholds");
    return bar;
  };
  const barBefore = await barOf();
  const slider = page.locator('[data-testid="thresholds"] [data-testid="threshold"][data-class="Consolidation"]');
  const all = page.locator('[data-testid="thresholds"] [data-testid="threshold"][data-class="All classes"]');
  const state = async () => ({
    counts: await page.locator('[data-testid="counts"][data-class="Consolidation"]').textContent(),
    point: await page.getByTestId("threshold-point").getAttribute("cx"),
    tiles: await page.getByTestId("tile").evaluateAll((tiles) => tiles.map((tile) => tile.getAttribute("aria-label"))),
  });
  await expect(page.getByTestId("threshold-point")).toHaveCount(1);
  const before = await state();
  await expect(page.getByTestId("back")).toBeDisabled();
  await slider.focus();
  for (let n = 0; n < 8; n++) await page.keyboard.press("ArrowLeft");
  await expect.poll(async () => (await state()).counts).not.toBe(before.counts);
  await expect.poll(async () => (await state()).tiles).not.toEqual(before.tiles);
  const after = await state();
  expect(await barOf()).not.toBe(barBefore);
  expect(after.point).not.toBe(before.point);
  // The point is what the engine counts: its false positives are those in the list.
  const images = (await report(page)).ground_truth.n_images;
  await expect
    .poll(async () => {
      const rate = Number(await page.getByTestId("point").getAttribute("data-fp"));
      return Math.round(rate * images) - number((await state()).counts?.split(",")[1] ?? null);
    })
    .toBe(0);
  await page.getByTestId("back").click();
  await expect.poll(state).toEqual(before);
  expect(await barOf()).toBe(barBefore);

  // All at once, to above the highest score: nothing is found, and everything in the image is missed.
  await page.getByTestId("tile").first().click();
  await expect(page.getByTestId("film").first().locator('[data-kind="lesion-found"]')).not.toHaveCount(0);
  await page.getByTestId("image-view").getByTestId("threshold").focus();
  await page.keyboard.press("End");
  await expect(page.getByTestId("film").first().locator('[data-kind="lesion-found"]')).toHaveCount(0);
  await page.keyboard.press("Escape");
  await view(page, "causes");
  await expect(page.getByTestId("false-positives").first()).toHaveText("0");
  await view(page, "thresholds");
  await all.focus();
  await page.keyboard.press("Home");
  await view(page, "causes");
  await expect(page.getByTestId("false-positives").first()).not.toHaveText("0");
});

test("pictures from a zip lie under their boxes, in the gallery and large; brightness and contrast change them", async ({
  page,
}) => {
  await openSample(page);
  const first = page.getByTestId("tile").first();
  const empty = await corner(first);
  const pictures = Object.fromEntries(
    ["sample_001.png", "sample_005.png", "nobody.png"].map((name) => [`films/${name}`, png(SIDE, 60)]),
  );
  await page
    .getByTestId("picture-input")
    .setInputFiles([upload("films.zip", zipSync({ ...pictures, "films/notes.txt": strToU8("no picture") }))]);
  await expect(page.getByTestId("matched")).toHaveText(
    "2 images of 104 have their picture. No image is named like nobody.png.",
  );
  await expect.poll(() => corner(first)).toEqual([60, 60, 60, 255]);
  expect(await corner(page.getByTestId("tile").nth(1))).toEqual(empty);
  await first.click();
  const picture = page.getByTestId("picture").first();
  await expect(picture).toBeVisible();
  expect(await picture.getAttribute("filter")).toBeNull();
  await page.getByTestId("brightness").focus();
  await page.keyboard.press("ArrowRight");
  await expect(picture).toHaveAttribute("filter", "url(#film-0)");
  // Nothing was sent anywhere, and nothing had to be stopped.
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("request-count")).toHaveText("0 network requests");
  await page.getByTestId("remove-pictures").click();
  await expect.poll(() => corner(first)).toEqual(empty);
});

test("pictures come by a drop too, before or after the score, as files, as a zip or as a folder", async ({ page }) => {
  await open(page);
  await drop(page, [upload("films.zip", zipSync({ "sample_001.png": png(SIDE, 70) }))]);
  await expect(page.getByTestId("status")).toContainText("1 picture, shown among the images.");
  await choose(page, sampleFiles());
  await expect.poll(() => corner(page.getByTestId("tile").first())).toEqual([70, 70, 70, 255]);
  await drop(page, [upload("sample_002.png", png(SIDE, 80))]);
  await expect(page.getByTestId("matched")).toContainText("2 images of 104 have their picture.");
  const folder = mkdtempSync(join(tmpdir(), "froc-"));
  writeFileSync(join(folder, "sample_003.png"), png(SIDE, 90));
  writeFileSync(join(folder, "readme.txt"), "no picture");
  await page.getByTestId("folder-input").setInputFiles(folder);
  await expect(page.getByTestId("matched")).toContainText("3 images of 104 have their picture.");
  await expect.poll(() => corner(page.getByTestId("tile").nth(2))).toEqual([90, 90, 90, 255]);
  // A zip with JSON is predictions, whatever else it holds.
  await choose(page, [upload("run.zip", zipSync({ "sample_001.json": strToU8("[]"), "sample_004.png": png(16, 90) }))]);
  await expect(page.locator('[data-testid="file"][data-kind="predictions"]')).toHaveCount(3);
  await expect(page.getByTestId("matched")).toContainText("3 images of 104 have their picture.");
});

test("a zip of pictures and ground truth is both", async ({ page }) => {
  const [model, , truth] = sampleFiles();
  if (!model || !truth) throw new Error("a run and a ground truth");
  const dataset = { "test.json": new Uint8Array(truth.buffer), "images/sample_001.png": png(SIDE, 70) };
  await open(page);
  await choose(page, [upload("dataset.zip", zipSync(dataset)), model]);
  await expect.poll(() => corner(page.getByTestId("tile").first())).toEqual([70, 70, 70, 255]);
  await expect(page.getByTestId("matched")).toContainText("1 image of 104 has its picture.");
  expect((await report(page)).ground_truth.name).toBe("dataset.zip");
});

test("a folder that is dropped is searched for pictures, those of its folders included", async ({ page }) => {
  await openSample(page);
  const data = await page.evaluateHandle((base64) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([], "films"));
    const file = new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], "sample_001.png");
    const folder = (name: string, batches: object[][]) => ({
      isDirectory: true,
      name,
      createReader: () => ({ readEntries: (done: (entries: object[]) => void) => done(batches.shift() ?? []) }),
    });
    const entry = { isDirectory: false, name: file.name, file: (done: (file: File) => void) => done(file) };
    // A browser alone can make a folder's entry; this is what it hands over.
    Object.defineProperty(DataTransferItem.prototype, "webkitGetAsEntry", {
      value: () => folder("films", [[folder("a", [[entry]])]]),
    });
    return transfer;
  }, png(SIDE, 50).toString("base64"));
  await page.getByTestId("drop-zone").dispatchEvent("drop", { dataTransfer: data });
  await expect(page.getByTestId("matched")).toContainText("1 image of 104 has its picture.");
  await expect(page.getByTestId("error")).toHaveCount(0);
  await expect.poll(() => corner(page.getByTestId("tile").first())).toEqual([50, 50, 50, 255]);
});

test("the view is saved as SVG that holds the picture and the boxes, and as PNG", async ({ page }) => {
  await openSample(page);
  await page.getByTestId("picture-input").setInputFiles([upload("sample_001.png", png(SIDE, 60))]);
  await page.getByTestId("tile").first().click();
  await expect(page.getByTestId("picture").first()).toBeVisible();
  const view = page.getByTestId("image-view");
  const boxes = await page.getByTestId("film").first().getByTestId("box").count();
  const svg = await download(page, view.getByTestId("save-svg").first());
  expect(svg.name).toBe("froc-sample_001-model-a.svg");
  const parsed = await page.evaluate((text) => {
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
    // On a picture a dark line lies below each.
    const lines = [...parsed.querySelectorAll("g > g > rect")].filter(
      (line) => line.getAttribute("stroke") !== "rgb(0, 0, 0)",
    );
    return {
      error: parsed.querySelector("parsererror")?.textContent ?? null,
      picture: parsed.querySelector("image")?.getAttribute("href")?.slice(0, 22),
      boxes: lines.length,
      plain: lines.filter((line) => line.getAttribute("stroke") === "none" || line.getAttribute("fill") !== "none")
        .length,
      dashed: lines.filter((line) => line.getAttribute("stroke-dasharray") !== "none").length,
    };
  }, svg.bytes.toString("utf8"));
  expect(parsed).toMatchObject({ error: null, picture: "data:image/png;base64,", boxes, plain: 0 });
  expect(parsed.dashed).toBeGreaterThan(0);
  const saved = await download(page, view.getByTestId("save-png").first());
  expect(saved.bytes.subarray(1, 4).toString()).toBe("PNG");
  // 180 mm at 600 dots per inch; the corner is the picture's grey.
  expect(saved.bytes.readUInt32BE(16)).toBe(Math.round((180 / 25.4) * 600));
  const grey = await page.evaluate(async (base64) => {
    const bitmap = await createImageBitmap(
      new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]),
      30,
      30,
      1,
      1,
    );
    const canvas = new OffscreenCanvas(1, 1);
    const context = canvas.getContext("2d");
    context?.drawImage(bitmap, 0, 0);
    return [...(context?.getImageData(0, 0, 1, 1).data ?? [])];
  }, saved.bytes.toString("base64"));
  expect(grey).toEqual([60, 60, 60, 255]);
});

test("the list of errors is the very bytes of the terminal, at the rate and the IoU threshold chosen", async ({
  page,
}) => {
  const files = goldenCase(join(golden, "synthetic"));
  await open(page);
  await choose(page, files);
  await page.getByTestId("iou").fill("0.4");
  await expect.poll(async () => (await report(page)).options.iou_threshold).toBe(0.4);
  await page.getByTestId("where-rate").nth(1).click();
  for (const format of ["csv", "json"]) {
    await openExport(page);
    const { name, bytes } = await download(page, page.getByTestId(`errors-${format}`));
    expect(name).toBe(`froc-errors-0.1.${format}`);
    expect(bytes.equals(terminal(files, ["--fp", "0.1", "--iou", "0.4"], "errors", format)), format).toBe(true);
  }
});

test("the images behind a number are those that the list of errors names", async ({ page }) => {
  await openSample(page);
  await openExport(page);
  const { bytes } = await download(page, page.getByTestId("errors-csv"));
  const [head, ...rows] = bytes
    .toString("utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  const column = (name: string) => head?.indexOf(name) ?? -1;
  await view(page, "causes");
  for (const category of ["duplicate", "elsewhere", "lesion_free_image"]) {
    const named = rows.filter(
      (row) =>
        row[column("run")] === "model-a.zip" && row[column("cause")] === category && row[column("counted")] === "true",
    );
    const segment = page
      .getByTestId("budget-row")
      .first()
      .locator(`[data-testid="segment"][data-category="${category}"]`);
    await expect(segment).toHaveText(String(named.length));
    await segment.click();
    await expect(page.getByTestId("shown")).toHaveText(
      `${new Set(named.map((row) => row[column("image")])).size} of 104 images`,
    );
  }
});

test("the one file has it all too", async ({ page }) => {
  await openSample(page, pathToFileURL(join(dist, "froc.html")).href);
  await page.getByTestId("segment").first().click();
  await page
    .getByTestId("picture-input")
    .setInputFiles([upload("films.zip", zipSync({ "sample_001.png": png(SIDE, 60) }))]);
  await expect(page.getByTestId("matched")).toContainText("1 image of 104 has its picture.");
  await page.getByTestId("tile").first().click();
  await expect(page.getByTestId("film")).toHaveCount(2);
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("request-count")).toHaveText("0 network requests");
});

test("on a wide window an image opens in the right half: the list stays, is used, and follows it", async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openSample(page);
  const tile = (image: number) => page.locator(`[data-testid="tile"][data-image="${image}"]`);
  await tile(4).click();
  const view = page.getByTestId("image-view");
  await expect(view.getByRole("heading", { level: 2 })).toHaveText("sample_005.png");
  const box = await view.boundingBox();
  expect(box?.x).toBe(720);
  expect((box?.x ?? 0) + (box?.width ?? 0)).toBe(1440);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1440);
  // Nothing of the list lies under the image.
  const gallery = await page.getByTestId("gallery").boundingBox();
  expect((gallery?.x ?? 0) + (gallery?.width ?? 0)).toBeLessThanOrEqual(720);
  await expect(tile(4)).toHaveAttribute("aria-current", "true");
  await expect(tile(4)).toBeInViewport();
  // Another tile, another image; keys go on from there, and the list scrolls along.
  await tile(2).click();
  await expect(view.getByRole("heading", { level: 2 })).toHaveText("sample_003.png");
  for (let n = 0; n < 30; n++) await page.keyboard.press("j");
  await expect(view.getByRole("heading", { level: 2 })).toHaveText("sample_033.png");
  await expect(tile(32)).toHaveAttribute("aria-current", "true");
  await expect(tile(32)).toBeInViewport();
  // Filters change the list while the image stays; letters that are typed are no keys of the image.
  await page.getByTestId("search").fill("sample_03");
  await expect(page.getByTestId("shown")).toHaveText("10 of 104 images");
  await page.getByTestId("search").press("k");
  await expect(view.getByRole("heading", { level: 2 })).toHaveText("sample_033.png");
  await page.getByTestId("search").fill("");
  await expect(page.getByTestId("shown")).toHaveText("104 of 104 images");
  await expect(tile(32)).toHaveAttribute("aria-current", "true");
  await page.getByTestId("next").focus();
  await page.keyboard.press("Escape");
  await expect(view).toHaveCount(0);
  await expect(tile(32)).toBeFocused();
  // Back closes it, and does not leave the page, however many images were looked at.
  await tile(32).click();
  await page.keyboard.press("j");
  await page.goBack();
  await expect(view).toHaveCount(0);
  await expect(page.getByTestId("headline")).toHaveCount(1);
});

test("a drag with the right button or with Shift changes brightness and contrast, and moves nothing", async ({
  page,
}) => {
  await openSample(page);
  await page
    .getByTestId("picture-input")
    .setInputFiles([upload("films.zip", zipSync({ "sample_001.png": png(SIDE, 60) }))]);
  await expect(page.getByTestId("matched")).toContainText("1 image of 104");
  await page.getByTestId("tile").first().click();
  await expect(page.getByTestId("picture").first()).toBeVisible();
  const sliders = async () =>
    Promise.all(["brightness", "contrast"].map(async (name) => Number(await page.getByTestId(name).inputValue())));
  const film = await page.getByTestId("film").first().boundingBox();
  if (!film) throw new Error("the film has a box");
  await page.getByTestId("image-view").getByRole("button", { name: "Zoom in" }).click();
  const transform = () => page.getByTestId("film").first().locator("> g").getAttribute("transform");
  const before = await transform();
  for (const button of ["right", "left"] as const) {
    const [brightness = 0, contrast = 0] = await sliders();
    await page.mouse.move(film.x + 100, film.y + 200);
    if (button === "left") await page.keyboard.down("Shift");
    await page.mouse.down({ button });
    await page.mouse.move(film.x + 150, film.y + 150, { steps: 5 });
    await page.mouse.up({ button });
    if (button === "left") await page.keyboard.up("Shift");
    const [brighter = 0, more = 0] = await sliders();
    expect(brighter).toBeGreaterThan(brightness + 0.1);
    expect(more).toBeGreaterThan(contrast + 0.1);
    expect(await transform()).toBe(before);
  }
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`bars, a tile and an image look as they did, ${colorScheme}`, async ({ page }) => {
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme });
    await openSample(page);
    await view(page, "causes");
    // Fonts differ between machines, boxes and colours do not.
    const as = (name: string) => [`${name}-${colorScheme}.png`, { maxDiffPixelRatio: 0.06, threshold: 0.3 }] as const;
    await expect(page.getByTestId("bar").first()).toHaveScreenshot(...as("budget-bar"));
    await expect(page.locator('[data-class="Mass"] [data-testid="bar"]').first()).toHaveScreenshot(
      ...as("budget-bar-of-a-class"),
    );
    await expect(page.getByTestId("tile").nth(4).locator("canvas")).toHaveScreenshot(...as("tile"));
    await page.getByTestId("tile").nth(4).click();
    await page.getByTestId("show-uncounted").check();
    await expect(page.getByTestId("film").first()).toHaveScreenshot(...as("image"));
  });
}
