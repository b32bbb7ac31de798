// From a score to a finding: intervals, comparison, plots, and every format in which they leave the page.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test, type Page } from "@playwright/test";

import {
  choose,
  compute,
  openExport,
  golden,
  goldenCase,
  LARGE,
  largeZip,
  open,
  report,
  settled,
  smallTruth,
  upload,
  type Upload,
  view,
  sampleFiles,
} from "./page.ts";

/** The files of the first sample, without its pictures, which take time to draw. */
async function openSample(page: Page): Promise<void> {
  await open(page);
  await choose(page, sampleFiles());
}

/** The bytes of a file that the page hands out. */
async function download(page: Page, testid: string): Promise<Buffer> {
  await openExport(page);
  const waiting = page.waitForEvent("download");
  await page.getByTestId(testid).click();
  return readFileSync(await (await waiting).path());
}

/** What the program prints for files in a folder of their own. */
function program(files: Upload[], command: string, options: string[]): Buffer {
  const froc = process.env.FROC_BIN;
  if (!froc) throw new Error("FROC_BIN names no program; run the tests by `cargo xtask test`");
  const folder = mkdtempSync(join(tmpdir(), "froc-"));
  const inputs = files.flatMap(({ name, buffer }) => {
    writeFileSync(join(folder, name), buffer);
    return [name.endsWith(".json") ? "--ground-truth" : "--predictions", join(folder, name)];
  });
  return execFileSync(froc, [command, ...inputs, ...options], { maxBuffer: 1 << 28 });
}

test("every format is the very bytes of the terminal, with intervals too", async ({ page }) => {
  const files = goldenCase(join(golden, "synthetic"));
  await open(page);
  await choose(page, files);
  await compute(page, 200);
  for (const format of ["text", "json", "csv", "markdown", "latex", "html"]) {
    const bytes = await download(page, `download-${format}`);
    const printed = program(files, "score", ["--bootstrap", "200", "--seed", "1", "--format", format]);
    expect(bytes.equals(printed), format).toBe(true);
  }
});

test("only what the script itself would give is called official, on the page and in every export, which lead with it", async ({
  page,
}) => {
  const files = goldenCase(join(golden, "quirks"));
  await open(page);
  await choose(page, files);
  const rows = page.getByTestId("run-scores").locator("th[scope=row]");
  await expect(rows.first()).toHaveText(/^official/);
  const [run] = (await report(page)).runs;
  expect(run?.official).toMatchObject({ is_official: true, name: "official" });
  const official = run?.official.printed.at(-1)?.replace("%", "") ?? "";
  const exact = (100 * (run?.exact.average_recall ?? 0)).toFixed(2);
  const latex = (await download(page, "download-latex")).toString("utf8");
  expect(latex.indexOf(`& ${official} \\`)).toBeGreaterThan(0);
  expect(latex.indexOf(`& ${official} \\`)).toBeLessThan(latex.indexOf(`& ${exact} \\`));

  await page.getByTestId("iou").fill("0.3");
  await expect(rows.first()).toHaveText("the script's rules at IoU 0.3");
  expect((await report(page)).runs[0]?.official).toMatchObject({
    is_official: false,
    name: "the script's rules at IoU 0.3",
  });
  for (const format of ["text", "csv", "markdown", "latex", "html"]) {
    const text = (await download(page, `download-${format}`)).toString("utf8");
    expect(text.replaceAll("official script", "script"), format).not.toContain("official");
  }
});

test("two runs are compared on the same draws; a copy of a run differs by exactly 0, p = 1", async ({ page }) => {
  const [truth, predictions] = goldenCase(join(golden, "synthetic"));
  if (!truth || !predictions) throw new Error("a golden case has two files");
  await open(page);
  await choose(page, [truth, predictions, { ...predictions, name: "copy.zip" }]);
  await compute(page, 200);
  const differences = (await report(page)).comparisons?.[0]?.rows.map((row) => row.average_recall) ?? [];
  expect(differences).toHaveLength(12);
  for (const difference of differences)
    expect([difference?.value, difference?.p, difference?.interval]).toEqual([0, 1, [0, 0]]);
  await page.getByTestId("forest-what").selectOption({ label: "copy.zip minus predictions.zip" });
  await expect(page.getByTestId("forest-plot")).toContainText("0.00, p = 1.000");
  await expect(page.getByTestId("changes")).toContainText("0 lesions gained and 0 lost");
});

test("the curves are read by pointer, by arrow keys and by touch", async ({ page }) => {
  await openSample(page);
  await compute(page, 200);
  const plot = page.getByTestId("froc-plot");
  const readings = page.getByTestId("froc-readings");
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  if (!box) throw new Error("the plot has no box");
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.5);
  await expect(readings).toContainText(/FP\/image.*model-a\.zip.*%.*model-b\.zip.*%/s);
  await page.mouse.move(0, 0);
  await page.getByTestId("curve-row").selectOption("Nodule");
  await plot.focus();
  // What was read stays, so that it can be clicked.
  await page.keyboard.press("Escape");
  await page.keyboard.press("PageUp");
  await expect(readings).toContainText("0.1 FP/image");
  await expect(readings).toContainText("at score ≥");
  const before = await readings.textContent();
  await page.keyboard.press("ArrowRight");
  await expect(readings).not.toHaveText(before ?? "");
  await expect(plot).toHaveAttribute("aria-valuetext", /false positives per image, model-a\.zip/);
  await page.keyboard.press("Escape");
  await plot.dispatchEvent("pointerdown", {
    pointerType: "touch",
    clientX: box.x + box.width * 0.5,
    clientY: box.y + 20,
  });
  await expect(readings).toContainText("FP/image");
});

test("runs are hidden and shown, and the axis changes", async ({ page }) => {
  await openSample(page);
  await compute(page, 200);
  const lines = page.getByTestId("froc-plot").locator("path[data-series]");
  await expect(lines).toHaveCount(2);
  const logarithmic = await lines.first().getAttribute("d");
  await page.getByTestId("curve-axis").selectOption("linear");
  await expect(lines.first()).not.toHaveAttribute("d", logarithmic ?? "");
  await page.getByTestId("curve-run").first().uncheck();
  await expect(lines).toHaveCount(1);
});

for (const panel of ["curves", "forest", "roc", "sweep"]) {
  test(`the plot of ${panel} is saved as SVG that holds its series, and as PNG, in light colours from a dark page`, async ({
    page,
  }) => {
    await page.emulateMedia({ colorScheme: "dark" });
    await openSample(page);
    await compute(page, 200);
    if (panel === "roc" || panel === "sweep") await page.getByTestId(`tab-${panel}`).click();
    const section = page.getByTestId(panel);
    const svgDownload = page.waitForEvent("download");
    await section.getByTestId("save-svg").click();
    const svg = readFileSync(await (await svgDownload).path(), "utf8");
    const parsed = await page.evaluate((text) => {
      const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
      return {
        error: parsed.querySelector("parsererror")?.textContent ?? null,
        width: parsed.documentElement.getAttribute("width"),
        font: parsed.documentElement.getAttribute("font-family"),
        strokes: [...parsed.querySelectorAll("path, line")].map((shape) => shape.getAttribute("stroke")),
        filled: [...parsed.querySelectorAll("path")].filter((path) => path.getAttribute("fill") === "rgb(0, 0, 0)")
          .length,
        texts: [...parsed.querySelectorAll("text")].length,
        styled: parsed.querySelectorAll("[class], style").length,
      };
    }, svg);
    expect(parsed).toMatchObject({
      error: null,
      width: "85mm",
      font: "Helvetica, Arial, sans-serif",
      styled: 0,
      filled: 0,
    });
    // The colour of the first run on white paper, written out.
    expect(parsed.strokes).toContain("rgb(0, 114, 178)");
    expect(parsed.texts).toBeGreaterThan(5);
    await section.getByTestId("save-width").selectOption("page");
    const pngDownload = page.waitForEvent("download");
    await section.getByTestId("save-png").click();
    const png = readFileSync(await (await pngDownload).path());
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    // 180 mm at 600 dots per inch.
    expect(png.readUInt32BE(16)).toBe(Math.round((180 / 25.4) * 600));
  });
}

test("drawing is told and can be cancelled, and other options ask for it anew", async ({ page }) => {
  await openSample(page);
  await view(page, "intervals");
  await page.getByTestId("replicates").fill("100000");
  await page.getByTestId("compute").click();
  await expect(page.locator('progress[aria-label="Drawing replicates"]')).toBeVisible();
  await page.getByTestId("cancel-bootstrap").click();
  await expect(page.getByTestId("compute")).toBeVisible();
  await settled(page);
  await expect(page.getByTestId("bootstrap-used")).not.toContainText("100000");
  await compute(page, 200);
  await page.getByTestId("iou").fill("0.4");
  await expect
    .poll(async () => (await report(page)).options)
    .toMatchObject({
      iou_threshold: 0.4,
      bootstrap: { replicates: 200 },
    });
});

test("drawing that takes long waits for a click beside the score, which starts it", async ({ page }) => {
  await open(page, "./#v=1&replicates=100000");
  await page
    .getByTestId("file-input")
    .setInputFiles([upload("test.json", smallTruth(LARGE)), upload("large.zip", largeZip())]);
  const offer = page.getByTestId("draw-all-the-same");
  await expect(offer).toBeVisible({ timeout: 40_000 });
  await expect(page.getByTestId("headline-interval")).toHaveText(/the interval takes about \d+ s:/);
  await offer.click();
  await expect(offer).toHaveCount(0);
  await expect(page.getByTestId("headline-interval")).toHaveText(/interval: \d+% drawn/);
  await view(page, "intervals");
  await page.getByTestId("cancel-bootstrap").click();
  await expect(page.getByTestId("headline-interval")).toHaveText("no interval yet");
});

test("patients are drawn when groups are dropped as CSV, and a number out of range is said", async ({ page }) => {
  const files = goldenCase(join(golden, "synthetic"));
  const names = (JSON.parse(files[0]?.buffer.toString() ?? "[]") as { file_name: string }[]).map(
    ({ file_name }) => file_name,
  );
  const csv = upload(
    "groups.csv",
    `file_name,group\n${names.map((name, at) => `${name},patient ${at % 40}`).join("\n")}\n`,
  );
  await open(page);
  await choose(page, [...files, csv]);
  // It is used once it is there, and said.
  await view(page, "intervals");
  await expect(page.getByTestId("groups")).toHaveValue("csv");
  await expect(page.locator('[data-kind="groups"]')).toContainText("40 groups of");
  await compute(page, 200);
  await expect(page.getByTestId("bootstrap-used")).toContainText("200 replicates of 40 groups, seed 1");
  await page.getByTestId("replicates").evaluate((input: HTMLInputElement) => input.removeAttribute("max"));
  await page.getByTestId("replicates").fill("200000");
  await page.getByTestId("compute").click();
  await expect(page.getByTestId("statistics").getByTestId("error")).toContainText("200000");
});
