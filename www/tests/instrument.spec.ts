// The page as an instrument: the reading on the first screen, one choice that all panels follow, nothing wider than the window.
import { readFileSync } from "node:fs";

import { expect, test, type Page } from "@playwright/test";

import { choose, open, report, sampleFiles, settled, upload, view } from "./page.ts";

/** The files of the first sample, without its pictures, which take time to draw. */
async function openSample(page: Page): Promise<void> {
  await open(page);
  await choose(page, sampleFiles());
}

/** Runs with names of 60 characters. */
async function openRuns(page: Page, n: number): Promise<void> {
  const truth = sampleFiles().find(({ name }) => name === "test.json");
  const run = sampleFiles().find(({ name }) => name.endsWith(".zip"));
  if (!truth || !run) throw new Error("the sample has a ground truth and a run");
  const name = (at: number) => `run_${at}_faster_rcnn_r50_fpn_1x_chestx_with_augmentations_s42.zip`;
  await open(page);
  await choose(page, [truth, ...Array.from({ length: n }, (_, at) => upload(name(at), run.buffer))]);
}

for (const [width, height] of [
  [1440, 900],
  [1024, 768],
  [390, 844],
  [360, 740],
] as const) {
  for (const n of [1, 3]) {
    test(`at ${width} x ${height} the score of ${n === 1 ? "one run" : "three runs"} is on the first screen`, async ({
      page,
    }) => {
      await page.setViewportSize({ width, height });
      await openRuns(page, n);
      const box = await page.getByTestId("headline").boundingBox();
      expect(await page.evaluate(() => scrollY)).toBe(0);
      expect(box && box.x >= 0 && box.y >= 0).toBe(true);
      expect((box?.x ?? Infinity) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
      expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThanOrEqual(height);
    });
  }
}

test("eight runs with names of 60 characters widen the page at no width", async ({ page }) => {
  await openRuns(page, 8);
  for (const width of [320, 360, 390, 768, 899, 900, 1024, 1239, 1240, 1440, 1920, 2560]) {
    await page.setViewportSize({ width, height: 900 });
    await expect
      .poll(
        () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
        `at ${width}`,
      )
      .toBeLessThanOrEqual(0);
  }
});

test("the bar takes little height, and no score of two runs is cut, at any width", async ({ page }) => {
  await openSample(page);
  for (const [width, most] of [
    [360, 180],
    [768, 160],
    [1024, 120],
    [1240, 120],
    [1440, 64],
    [1920, 64],
    [2560, 64],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    const bar = page.getByRole("banner");
    await expect.poll(async () => (await bar.boundingBox())?.height, `at ${width}`).toBeLessThanOrEqual(most);
    const cut = () => page.locator("#scores .scroll").evaluate((box) => Math.max(0, box.scrollWidth - box.clientWidth));
    await expect.poll(cut, `at ${width}`).toBe(0);
    // The menu is whole, wherever its button stands.
    await page.getByTestId("export").locator("summary").click();
    const menu = await page.getByRole("group", { name: "Export" }).boundingBox();
    expect(menu && menu.x >= 0 && menu.x + menu.width <= width && menu.y + menu.height <= 900, `at ${width}`).toBe(
      true,
    );
    await page.keyboard.press("Escape");
  }
});

test("no text of an open row is cut off or overprints another, at any width", async ({ page }) => {
  await openSample(page);
  await page.getByTestId("choose-class").nth(5).click();
  for (const width of [360, 390, 768, 1024, 1240, 1440, 1920, 2560]) {
    await page.setViewportSize({ width, height: 900 });
    const faults = () =>
      page.getByTestId("class-detail").evaluate((detail) => {
        const room = detail.closest(".scroll")?.getBoundingClientRect();
        const walker = document.createTreeWalker(detail, NodeFilter.SHOW_TEXT);
        const texts: [string, DOMRect][] = [];
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
          const range = document.createRange();
          range.selectNodeContents(node);
          const box = range.getBoundingClientRect();
          if (box.width > 0 && node.parentElement?.checkVisibility()) texts.push([node.textContent ?? "", box]);
        }
        const out = texts.filter(([, box]) => room && box.right > room.right + 1).map(([text]) => `${text} is cut off`);
        const over = texts.flatMap(([text, a], at) =>
          texts
            .slice(at + 1)
            .filter(
              ([, b]) =>
                Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
                Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4,
            )
            .map(([other]) => `${text} over ${other}`),
        );
        return [...out, ...over];
      });
    await expect.poll(faults, `at ${width}`).toEqual([]);
  }
});

test("of a dataset without a script every rate and the average are in sight", async ({ page }) => {
  const images = [1, 2].map((id) => ({ id, file_name: `${id}.png`, width: 100, height: 100 }));
  const annotations = images.map(({ id }) => ({
    id,
    image_id: id,
    category_id: 1,
    bbox: [10, 10, 40, 40],
    iscrowd: 0,
  }));
  const results = images.map(({ id }) => ({ image_id: id, category_id: 1, bbox: [10, 10, 40, 40], score: 0.5 }));
  await open(page);
  await choose(page, [
    upload("instances.json", JSON.stringify({ images, annotations, categories: [{ id: 1, name: "Nodule" }] })),
    upload("results.json", JSON.stringify(results)),
  ]);
  await expect(page.getByTestId("no-official")).toBeVisible();
  for (const width of [390, 1024, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const cut = () => page.locator("#scores .scroll").evaluate((box) => box.scrollWidth - box.clientWidth);
    await expect.poll(cut, `at ${width}`).toBeLessThanOrEqual(0);
  }
});

test("no two texts of the class table overprint, with one to eight runs", async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  for (const n of [1, 2, 3, 8]) {
    await openRuns(page, n);
    const overlaps = await page.getByTestId("all-classes-row").evaluateAll((rows) =>
      rows.flatMap((row) => {
        const boxes = [...row.querySelectorAll("th button, .bar svg, td button")]
          .map((one) => [one.textContent, one.getBoundingClientRect()] as const)
          .filter(([, box]) => box.width > 0)
          .sort(([, a], [, b]) => a.left - b.left);
        // What names the row stays where it is, above what is scrolled.
        return boxes.flatMap(([text, box], at) => {
          const [before, left] = boxes[at - 1] ?? [];
          return left && left.right > box.left + 1 ? [`${before} over ${text}`] : [];
        });
      }),
    );
    expect(overlaps, `${n} runs`).toEqual([]);
  }
});

test("curves, intervals and differences come by themselves, and another baseline turns the differences round", async ({
  page,
}) => {
  await openSample(page);
  await expect(page.getByTestId("froc-plot").locator("path[data-series]")).toHaveCount(2);
  await expect(page.getByTestId("froc-plot").locator("path.band")).toHaveCount(2);
  await expect(page.getByTestId("band")).toHaveCount(2);
  await expect(page.getByTestId("headline-interval")).toContainText(/\d+\.\d\d% to \d+\.\d\d%/);
  const points = page.getByTestId("difference").locator("strong");
  await expect(points).toHaveText(/^−\d+\.\d\d$/);
  const before = await points.textContent();
  const headline = await page.getByTestId("headline").textContent();
  await page.getByTestId("pin").last().click();
  await settled(page);
  await expect(points).toHaveText(`+${before?.slice(1)}`);
  await expect(page.getByTestId("headline")).not.toHaveText(headline ?? "");
});

test("official or exact, and the rate, are chosen once for the reading and the classes", async ({ page }) => {
  await openSample(page);
  const run = (await report(page)).runs[0];
  const percent = (value: number | null | undefined) => `${(100 * (value ?? NaN)).toFixed(2)}%`;
  const headline = page.getByTestId("headline");
  const first = page.getByTestId("all-classes-recall").first();
  await expect(headline).toHaveText(percent(run?.official.average_recall));
  await page.getByTestId("convention-exact").click();
  await expect(headline).toHaveText(percent(run?.exact.average_recall));
  await page.getByTestId("where-rate").nth(1).click();
  await expect(headline).toHaveText(percent(run?.exact.recall[1]));
  await expect(first).toContainText(percent(run?.classes[0]?.exact.recall[1]));
  await page.getByTestId("convention-official").click();
  await expect(headline).toHaveText(percent(run?.official.recall[1]));
  await expect(first).toHaveText(percent(run?.classes[0]?.official.recall[1]));
  await page.getByTestId("average").click();
  await expect(headline).toHaveText(percent(run?.official.average_recall));
});

/** Saves the FROC curve as SVG: its texts, and how many rings it has. */
async function curveSaved(page: Page): Promise<{ texts: string; rings: number }> {
  const waiting = page.waitForEvent("download");
  await page.getByTestId("curves").getByTestId("save-svg").click();
  const svg = readFileSync(await (await waiting).path(), "utf8");
  return page.evaluate((svg) => {
    const parsed = new DOMParser().parseFromString(svg, "image/svg+xml");
    const texts = [...parsed.querySelectorAll("text")].map((text) => text.textContent).join(" ");
    return { texts, rings: parsed.querySelectorAll("circle").length };
  }, svg);
}

test("tables, figures and what is copied follow the choice of official or exact, and say which they are", async ({
  page,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await openSample(page);
  const run = (await report(page)).runs[0];
  const percent = (value: number | null | undefined) => `${(100 * (value ?? NaN)).toFixed(2)}%`;
  const at = run?.classes.findIndex(({ official, exact }) => official.recall[0] !== exact.recall[0]) ?? -1;
  const cls = run?.classes[at];
  await view(page, "points");
  const cell = page.getByTestId("class-row").nth(at).getByTestId("class-recall").first();
  const copied = async () => {
    // "Copied" may still stand there from the last time.
    await page.evaluate(() => navigator.clipboard.writeText(""));
    await page.getByTestId("copy-lines").click();
    await expect(page.getByTestId("copy-lines")).toHaveText("Copied");
    const text = () => page.evaluate(() => navigator.clipboard.readText());
    await expect.poll(text).not.toBe("");
    return text();
  };

  // Both runs, at three rates.
  await expect(page.getByTestId("froc-point")).toHaveCount(6);
  await expect(cell).toHaveText(`${percent(cls?.official.recall[0])}exact ${percent(cls?.exact.recall[0])}`);
  expect(await copied()).toContain(`avg recall = ${percent(run?.official.average_recall)}`);
  let saved = await curveSaved(page);
  expect(saved.rings).toBe(6);
  expect(saved.texts).toContain("rings: official");

  await page.getByTestId("convention-exact").click();
  await expect(page.getByTestId("froc-point")).toHaveCount(0);
  await expect(cell).toHaveText(`${percent(cls?.exact.recall[0])}script ${percent(cls?.official.recall[0])}`);
  await expect(page.getByTestId("copy-lines")).toHaveText("Copy the exact lines");
  expect(await copied()).toMatch(new RegExp(`exact recall [^]*avg recall = ${percent(run?.exact.average_recall)}`));
  saved = await curveSaved(page);
  expect(saved.rings).toBe(0);
  expect(saved.texts).toContain("Exact recall");
  expect(saved.texts).not.toContain("rings");

  // Under another threshold nothing is official, and the page says why.
  await page.getByTestId("convention-official").click();
  await page.getByTestId("iou").fill("0.4");
  const rules = page.getByTestId("convention-official");
  await expect(rules).toHaveText("script's rules");
  await expect(rules).toHaveAttribute("data-explain", /not official: the script's rules at IoU 0\.4/);
  await settled(page);
  expect(await copied()).toMatch(/^the script's rules at IoU 0\.4\n/);
  await expect(page.getByTestId("curve-rules")).toHaveText("curves: exact recall; rings: by the script's rules");
  // Its ranking of all classes together is nowhere.
  await page.getByTestId("curve-row").selectOption("pooled");
  await expect(page.getByTestId("curve-rules")).toHaveText("exact recall; the script ranks no classes together");
  await expect(page.getByTestId("froc-point")).toHaveCount(0);
});

for (const width of [360, 390]) {
  test(`on a phone of ${width} px the second run is its difference, nothing is cut, and filters are folded`, async ({
    page,
  }) => {
    await page.setViewportSize({ width, height: 800 });
    await openSample(page);
    const { runs, comparisons } = await report(page);
    const table = page.getByRole("region", { name: "All runs by class" });
    const [scroll, client] = await table.evaluate((one) => [one.scrollWidth, one.clientWidth]);
    expect(scroll).toBeLessThanOrEqual(client ?? 0);
    const row = page.getByTestId("all-classes-row").first();
    const name = runs[0]?.classes[0]?.name;
    const difference = comparisons?.[0]?.rows.find((row) => row.name === name)?.average_recall?.value ?? NaN;
    await expect(row.getByTestId("all-classes-difference")).toContainText(Math.abs(100 * difference).toFixed(2));
    await expect(row.getByTestId("all-classes-recall").first()).toBeVisible();
    await expect(row.getByTestId("all-classes-recall").last()).toBeHidden();

    const fold = page.getByTestId("filters-fold");
    await expect(page.getByTestId("filter-class")).toBeHidden();
    await fold.locator("summary").click();
    await page.getByTestId("filter-class").selectOption("3");
    await page.getByTestId("lesion-free").selectOption("with");
    await fold.locator("summary").click();
    await expect(fold.locator("summary")).toContainText("2 filters");
    await expect(page.getByTestId("shown")).not.toContainText("104 of");
    await page.setViewportSize({ width: 1024, height: 800 });
    await expect(page.getByTestId("filter-class")).toHaveValue("3");
  });
}

test("the rate of all panels is dragged along the curves, or moved by keys", async ({ page }) => {
  await openSample(page);
  const run = (await report(page)).runs[0];
  const percent = (value: number | null | undefined) => `${(100 * (value ?? NaN)).toFixed(2)}%`;
  const headline = page.getByTestId("headline");
  const cursor = page.getByTestId("rate-cursor");
  await expect(headline).toHaveText(percent(run?.official.average_recall));
  await cursor.scrollIntoViewIfNeeded();
  const [box, plot] = [await cursor.boundingBox(), await page.getByTestId("froc-plot").boundingBox()];
  if (!box || !plot) throw new Error("both are on the page");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(plot.x + plot.width * 0.95, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await expect(headline).toHaveText(percent(run?.official.recall[2]));
  await expect(page.getByTestId("where-rate").last()).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByTestId("all-classes-recall").first()).toHaveText(percent(run?.classes[0]?.official.recall[2]));
  // The handle stands on the line of its rate.
  const line = await page.getByTestId("froc-plot").locator("line.mark").last().boundingBox();
  const handle = await cursor.boundingBox();
  expect(Math.abs((handle?.x ?? 0) + (handle?.width ?? 0) / 2 - (line?.x ?? NaN))).toBeLessThan(2);
  await cursor.focus();
  await page.keyboard.press("ArrowLeft");
  await expect(headline).toHaveText(percent(run?.official.recall[1]));
  await page.keyboard.press("Home");
  await expect(headline).toHaveText(percent(run?.official.recall[0]));
});

test("what each quirk cost is a line of the file check, and leads to the classes", async ({ page }) => {
  await openSample(page);
  const quirks = (await report(page)).runs[0]?.official.quirks ?? [];
  expect(quirks.length).toBeGreaterThan(0);
  const lines = page.getByTestId("check-of").first().getByTestId("check-quirk");
  await expect(lines).toHaveCount(quirks.length);
  for (const [at, quirk] of quirks.entries()) {
    await expect(lines.nth(at)).toContainText(quirk.id);
    await expect(lines.nth(at)).toContainText(Math.abs(quirk.average_cost ?? NaN).toFixed(2));
  }
  await lines.first().click();
  await expect(page.getByTestId("quirk")).toHaveCount(quirks.length);
});

test("the classes are sorted by a run and by lesions, and one is chosen for all panels", async ({ page }) => {
  await openSample(page);
  await page.getByTestId("where-rate").last().click();
  const lesions = async () =>
    (await page.getByTestId("all-classes-lesions").allTextContents()).map((text) => Number(text));
  await page.getByTestId("sort-lesions").click();
  const falling = await lesions();
  expect(falling).toEqual(falling.toSorted((a, b) => b - a));
  await page.getByTestId("sort-lesions").click();
  expect(await lesions()).toEqual(falling.toSorted((a, b) => a - b));
  await page.getByTestId("sort-run").first().click();
  const recalls = (await page.getByTestId("all-classes-row").getByTestId("all-classes-recall").allTextContents())
    .filter((_, at) => at % 2 === 0)
    .map((text) => Number.parseFloat(text));
  expect(recalls).toEqual(recalls.toSorted((a, b) => b - a));
  await page.getByTestId("choose-class").filter({ hasText: "Nodule" }).click();
  await expect(page.getByTestId("filter-class").locator("option:checked")).toHaveText("Nodule");
});

test("a class that opens has its thresholds, rates, metrics and mistakes, and its slider moves the bars beside it", async ({
  page,
}) => {
  await openSample(page);
  const run = (await report(page)).runs[0];
  const cls = run?.classes[5];
  await page.getByTestId("choose-class").nth(5).click();
  const detail = page.getByTestId("class-detail");
  await expect(detail).toHaveAttribute("data-class", cls?.name ?? "");
  // One selection: the curve and the images are of that class, too.
  await expect(page.getByTestId("curve-row")).toHaveValue(cls?.name ?? "");
  await expect(page.getByTestId("filter-class").locator("option:checked")).toHaveText(cls?.name ?? "");
  for (const [at, recall] of (cls?.exact.recall ?? []).entries()) {
    await expect(detail).toContainText(`${(100 * (recall ?? NaN)).toFixed(2)}%`);
    await expect(detail).toContainText(`${(100 * (cls?.official.recall[at] ?? NaN)).toFixed(2)}%`);
  }
  const cost = run?.official.quirks.find(({ classes }) => classes.some(({ name }) => name === cls?.name))?.id;
  await expect(page.getByTestId("detail-quirks")).toContainText(cost ?? "none");
  const slider = detail.getByTestId("threshold");
  expect((await slider.boundingBox())?.width ?? 0).toBeGreaterThanOrEqual(120);
  const bars = () => page.getByTestId("all-classes-row").nth(5).getByTestId("bar").allTextContents();
  const before = await bars();
  await slider.focus();
  await page.keyboard.press("End");
  await expect(page.getByTestId("detail-counts")).toContainText("0 false positives");
  expect(await bars()).not.toEqual(before);
  await page.getByRole("button", { name: "back to the operating point" }).click();
  await expect.poll(bars).toEqual(before);
  await page.getByTestId("choose-class").nth(5).click();
  await expect(detail).toHaveCount(0);
  await expect(page.getByTestId("curve-row")).toHaveValue("mean");
});

test("precision and recall, calibration and the best F1 are those of the report, and lead to their images", async ({
  page,
}) => {
  await openSample(page);
  const { runs } = await report(page);
  const rows = runs[1]?.statistics?.rows ?? [];
  const operating = rows[3]?.operating;
  await page.getByTestId("tab-pr").click();
  await page.getByTestId("pr-class").selectOption({ label: "Nodule" });
  await expect(page.getByTestId("pr-plot").locator("path[data-series]")).toHaveCount(2);
  // In steps: no precision is drawn that was not computed.
  const path = (await page.getByTestId("pr-plot").locator("path[data-series]").last().getAttribute("d")) ?? "";
  const drawn = [...path.matchAll(/([\d.]+),([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
  expect(drawn.length).toBeGreaterThan(2 * (operating?.precision_recall.recall.length ?? Infinity) - 2);
  for (const [at, [x, y]] of drawn.entries()) {
    const before = drawn[at - 1];
    if (before) expect(x === before[0] || y === before[1]).toBe(true);
  }
  await expect(page.getByTestId("pr-best").last()).toContainText(
    `best F1 ${(operating?.best_f1?.f1 ?? NaN).toFixed(4)}`,
  );
  await page.getByTestId("pr-best").last().click();
  await expect(page.getByTestId("where-run")).toHaveValue("1");
  expect(Number(await page.getByTestId("min-score").inputValue())).toBeCloseTo(
    operating?.best_f1?.score_threshold ?? NaN,
    5,
  );
  await page.getByTestId("tab-calibration").click();
  await expect(page.getByTestId("calibration-class").locator("option:checked")).toHaveText("Nodule");
  await expect(page.getByTestId("calibration-error").last()).toContainText(
    (operating?.calibration?.expected_error ?? NaN).toFixed(4),
  );
  // A point of the diagram is a bin: as many detections as the report says are in its images.
  const bins = operating?.calibration?.bins.filter(({ n_detections }) => n_detections > 0) ?? [];
  await page.getByTestId("calibration-plot").focus();
  await page.keyboard.press("Home");
  await page.getByTestId("calibration-plot-reading").last().click();
  await expect(page.getByTestId("max-score")).toHaveValue(String(bins[0]?.up_to));
  await view(page, "metrics");
  // Every published convention has its figure, or says why it has none.
  const published = runs[1]?.statistics?.published ?? [];
  const lines = page.getByTestId("published").locator("tbody tr");
  await expect(lines).toHaveCount(published.length);
  for (const [at, one] of published.entries()) {
    await expect(lines.nth(at).getByRole("rowheader")).toHaveText(one.name);
    const figure = one.value === null ? "–" : `${(100 * one.value).toFixed(2)}%`;
    await expect(lines.nth(at).getByRole("cell").nth(0)).toHaveText(figure);
    await expect(lines.nth(at)).toContainText(one.none_because ?? one.figure);
    await expect(lines.nth(at)).toContainText(one.source);
  }
  expect(published.filter(({ value }) => value !== null).length).toBe(9);
  const cells = page.getByTestId("operating").locator("tbody tr").nth(3).getByTestId("operating-rate");
  const there = operating?.at_rates[0];
  await page.getByTestId("where-rate").first().click();
  const percent = (value: number | null | undefined) => `${(100 * (value ?? NaN)).toFixed(2)}%`;
  await expect(cells.nth(0)).toHaveText(percent(there?.shown.precision));
  await expect(cells.nth(2)).toHaveText(percent(there?.image_sensitivity));
  await expect(cells.nth(3)).toHaveText(percent(there?.image_specificity));
});

test("recall weighs as asked in the F-score, which is named so", async ({ page }) => {
  await openSample(page);
  await view(page, "metrics");
  const before = (await report(page)).runs[0]?.statistics?.rows[3]?.operating;
  await page.getByTestId("beta").fill("2");
  await page.getByTestId("beta").press("Enter");
  await expect(page.getByTestId("operating").locator("thead")).toContainText("at the best F2");
  const after = await report(page);
  expect(after.options.beta).toBe(2);
  const operating = after.runs[0]?.statistics?.rows[3]?.operating;
  expect(operating?.best_f1?.score_threshold).toBe(before?.best_f1?.score_threshold);
  const best = page.getByTestId("operating").locator("tbody tr").nth(3).getByTestId("operating-best");
  await expect(best.nth(0)).toHaveText((operating?.best_f_beta?.f_beta ?? NaN).toFixed(4));
  await page.getByTestId("tab-pr").click();
  await page.getByTestId("pr-class").selectOption({ label: "Nodule" });
  await expect(page.getByTestId("pr-best").first()).toContainText(
    `best F2 ${(operating?.best_f_beta?.f_beta ?? NaN).toFixed(4)}`,
  );
  // What is no number above 0 changes nothing.
  await page.getByTestId("beta").fill("-1");
  await page.getByTestId("beta").press("Enter");
  await expect(page.getByTestId("operating").locator("thead")).toContainText("at the best F2");
});

test("sensitivity of images is read at the specificity that is asked for", async ({ page }) => {
  await openSample(page);
  await view(page, "metrics");
  const cell = page.getByTestId("operating").locator("tbody tr").nth(3).getByTestId("operating-sensitivity");
  const told = async (asked: number) => {
    const after = await report(page);
    expect(after.options.specificity).toBe(asked);
    await expect(page.getByTestId("operating").locator("thead")).toContainText(`at specificity ${asked}`);
    const at = after.runs[0]?.statistics?.rows[3]?.at_specificity;
    expect(at?.specificity).toBeGreaterThanOrEqual(asked);
    const [low, high] = (at?.sensitivity.interval ?? [NaN, NaN]).map((end) => (100 * end).toFixed(1));
    await expect(cell).toHaveText(`${(100 * (at?.sensitivity.value ?? NaN)).toFixed(2)}%${low} to ${high}`);
    const mean = after.runs[0]?.statistics?.rows[10]?.at_specificity?.sensitivity.value ?? NaN;
    const last = page.getByTestId("operating").getByTestId("operating-sensitivity").last();
    await expect(last).toContainText(`${(100 * mean).toFixed(2)}%`);
    return at?.sensitivity.value ?? NaN;
  };
  const usual = await told(0.9);
  await page.getByTestId("specificity").fill("0.99");
  await page.getByTestId("specificity").press("Enter");
  await expect(page.getByTestId("operating").locator("thead")).toContainText("at specificity 0.99");
  expect(await told(0.99)).toBeLessThan(usual);
  // What is no share changes nothing.
  await page.getByTestId("specificity").fill("90");
  await page.getByTestId("specificity").press("Enter");
  await expect(page.getByTestId("operating").locator("thead")).toContainText("at specificity 0.99");
  // It leads to the images that show the class there.
  await cell.click();
  await expect(page.getByTestId("gallery")).toBeInViewport();
});

test("more than two runs are ranked: intervals of ranks, letters, and each minus the others", async ({ page }) => {
  await open(page, "./");
  await choose(page, [...sampleFiles(), upload("copy-of-a.zip", sampleFiles()[0]?.buffer ?? "")]);
  const { ranking, runs } = await report(page);
  await view(page, "ranking");
  const rows = page.getByTestId("ranking-row");
  await expect(rows).toHaveCount(3);
  for (const [at, place] of (ranking?.places ?? []).entries()) {
    await expect(rows.nth(at)).toContainText(runs[place.run]?.name ?? "none");
    await expect(rows.nth(at).getByTestId("ranking-recall")).toContainText(
      `${(100 * (place.average_recall.value ?? NaN)).toFixed(2)}%`,
    );
    await expect(rows.nth(at)).toContainText(place.letters.join(" "));
  }
  // What is told apart has a mark, in both directions.
  const apart = (ranking?.pairs ?? []).filter(({ is_told_apart }) => is_told_apart).length;
  expect(apart).toBeGreaterThan(0);
  await expect(page.getByTestId("ranking-pair").filter({ hasText: "*" })).toHaveCount(2 * apart);
  await rows.last().getByTestId("ranking-pair").first().click();
  await expect(page.getByTestId("order")).toHaveValue("disagreement");
  await expect(page.getByTestId("where-run")).toHaveValue(String(ranking?.places[2]?.run));
  // By name, and back; the columns stay in the order of the ranks.
  const names = () => rows.locator("th .name").allTextContents();
  const ranked = await names();
  await page.getByTestId("sort-ranking-run").click();
  expect(await names()).toEqual([...ranked].sort((a, b) => a.localeCompare(b, "en", { numeric: true })));
  await page.getByTestId("sort-ranking-run").click();
  expect(await names()).toEqual([...ranked].sort((a, b) => b.localeCompare(a, "en", { numeric: true })));
  await page.getByTestId("sort-ranking-recall").click();
  expect(await names()).toEqual(ranked);
  await page.getByTestId("sort-ranking-recall").click();
  expect(await names()).toEqual([...ranked].reverse());
  await expect(page.getByRole("columnheader", { name: "exact avg recall" })).toHaveAttribute("aria-sort", "ascending");
});

test("thresholds that are kept are dropped beside other images: what they reach, and by how much they flatter", async ({
  page,
}) => {
  await openSample(page);
  await view(page, "thresholds");
  const waiting = page.waitForEvent("download");
  await page.getByTestId("keep-thresholds").click();
  const download = await waiting;
  expect(download.suggestedFilename()).toBe("model-a-thresholds.json");
  const kept = upload("model-a-thresholds.json", readFileSync(await download.path()));
  const waitingForTable = page.waitForEvent("download");
  await page.getByTestId("keep-thresholds-csv").click();
  const table = await waitingForTable;
  expect(table.suggestedFilename()).toBe("model-a-thresholds.csv");
  const keptTable = upload("any name.csv", readFileSync(await table.path()));

  // On the images themselves they reach what they were chosen for, and the page says that this flatters.
  const [a, b, truth] = sampleFiles();
  if (!a || !b || !truth) throw new Error("the sample has three files");
  await open(page);
  await choose(page, [truth, a, kept]);
  await view(page, "thresholds");
  await expect(page.getByTestId("reached-own")).toBeVisible();
  const percent = (value: number | null | undefined) => `${(100 * (value ?? NaN)).toFixed(2)}%`;
  const run = (await report(page)).runs[0];
  await page.getByTestId("where-rate").nth(1).click();
  await expect(page.getByTestId("reached-rate").locator("option:checked")).toHaveText("0.1 FP/image");
  await expect(page.getByTestId("reached-recall").first()).toContainText(percent(run?.exact.recall[1]));

  // On other images: half of them are gone.
  const half = JSON.parse(truth.buffer.toString()) as unknown[];
  await open(page);
  await choose(page, [upload("half.json", JSON.stringify(half.filter((_, at) => at % 2 === 0))), a, keptTable]);
  await expect(page.locator('[data-kind="thresholds"]')).toContainText("score thresholds");
  await view(page, "thresholds");
  await expect(page.getByTestId("reached-row")).toHaveCount(11);
  await expect(page.getByTestId("reached-own")).toHaveCount(0);
  const told = await report(page);
  const reached = told.thresholds?.rows.filter(({ run }) => run === 0) ?? [];
  await expect(page.getByTestId("reached-recall").nth(1)).toContainText(percent(reached[1]?.at_rates[0]?.recall.value));
  // The images behind it are seen at these thresholds.
  const fp = reached[1]?.at_rates[0]?.false_positives ?? 0;
  await page.getByTestId("reached-fp").nth(1).click();
  await expect(page.locator('[data-testid="counts"][data-class="Consolidation"] button').last()).toHaveText(`${fp} FP`);

  // Another IoU threshold: one sentence at the file, and the score stays.
  await page.getByTestId("iou").fill("0.3");
  await expect(page.locator('[data-kind="thresholds"]')).toContainText(
    "its score thresholds are for IoU threshold 0.5",
  );
  await expect(page.getByTestId("headline")).toBeVisible();
});

test("each table of the classes has an address, and arrow keys go from tab to tab", async ({ page }) => {
  await openSample(page);
  await page.getByTestId("view-recall").focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByTestId("class-table")).toBeVisible();
  await expect(page.getByTestId("all-classes-row")).toHaveCount(0);
  await expect.poll(() => page.evaluate(() => location.hash)).toContain("view=points");
  await page.goBack();
  await expect(page.getByTestId("all-classes-row").first()).toBeVisible();
});

test("what comes after the score leaves the images where they were scrolled to", async ({ page }) => {
  await open(page);
  await page.getByTestId("score-sample").click();
  await expect(page.getByTestId("tile").first()).toHaveAttribute("data-image", "0");
  await settled(page);
  await page.getByTestId("tile").first().focus();
  for (let n = 0; n < 6; n++) await page.keyboard.press("ArrowDown");
  // The row may have to come into the page first.
  const tile = page.locator('[data-testid="tile"][tabindex="0"]');
  await expect(tile).toBeFocused();
  const there = await tile.getAttribute("data-image");
  const top = () => page.getByTestId("gallery").evaluate((box) => box.scrollTop);
  const before = await top();
  expect(before).toBeGreaterThan(0);
  await view(page, "intervals");
  await page.getByTestId("seed").fill("7");
  await page.getByTestId("compute").click();
  await expect(page.getByTestId("bootstrap-used")).toContainText("seed 7");
  await settled(page);
  expect(await top()).toBe(before);
  expect(await tile.getAttribute("data-image")).toBe(there);
});

test("a hidden run leaves plots, scale and table, and comes back", async ({ page }) => {
  await openSample(page);
  await page.getByTestId("hide").last().click();
  await expect(page.getByTestId("froc-plot").locator("path[data-series]")).toHaveCount(1);
  await expect(page.getByTestId("needle")).toHaveCount(1);
  await expect(page.getByTestId("sort-run")).toHaveCount(1);
  for (const tab of ["roc", "pr", "calibration", "sweep"]) {
    await page.getByTestId(`tab-${tab}`).click();
    await expect(page.getByTestId(`${tab}-plot`).locator("path[data-series]"), tab).toHaveCount(1);
  }
  await page.getByTestId("hide").last().click();
  await expect(page.getByTestId("needle")).toHaveCount(2);
});

test("the empty page teaches before any script, with the sample's own number", async ({ page, browser }) => {
  const plain = await browser.newContext({ javaScriptEnabled: false });
  const still = await plain.newPage();
  await still.goto(test.info().project.use.baseURL ?? "");
  await expect(still.getByTestId("first-curve")).toBeVisible();
  const taught = await still.getByTestId("first-average").textContent();
  await plain.close();
  await open(page);
  await expect(page.getByTestId("first-curve")).toBeVisible();
  const marks = await page
    .locator("#first-look circle")
    .evaluateAll((all) => all.map((one) => Number(one.getAttribute("cy"))));
  await page.getByTestId("score-sample").click();
  await settled(page);
  await expect(page.getByTestId("first-curve")).toBeHidden();
  const run = (await report(page)).runs[0];
  expect(`${(100 * (run?.exact.average_recall ?? NaN)).toFixed(2)}%`).toBe(taught);
  // The marks stand where the recall of the sample is.
  expect(marks).toHaveLength(run?.exact.recall.length ?? 0);
  for (const [at, mark] of marks.entries()) expect((190 - mark) / 180).toBeCloseTo(run?.exact.recall[at] ?? NaN, 2);
});
