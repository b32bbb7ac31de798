// Numbers and what stands behind them: counts beside their own rate, links from every number to its images, the way back.
import { join } from "node:path";

import { expect, test, type Page } from "@playwright/test";

import { choose, golden, goldenCase, open, report, settled, upload, zip } from "./page.ts";

async function openSample(page: Page): Promise<void> {
  await open(page);
  await page.getByTestId("score-sample").click();
  await settled(page);
  await expect(page.getByTestId("tile").first()).toHaveAttribute("data-image", "0");
}

async function openGolden(page: Page, name: string): Promise<void> {
  await open(page);
  await choose(page, goldenCase(join(golden, name)));
  await expect(page.getByTestId("budget")).toBeVisible();
}

test("no count stands beside the rate of another, not even for a moment", async ({ page }) => {
  await openSample(page);
  await page.getByTestId("budget").evaluate((budget) => {
    const seen = new Set<string>();
    Object.assign(window, { seen });
    const note = () => {
      const row = budget.querySelector('[data-class="Consolidation"] .cell');
      const spent = [...(row?.querySelectorAll("[data-testid=segment]") ?? [])].reduce((sum, one) => sum + Number(one.textContent), 0);
      const allowed = /\d+/.exec(budget.querySelector("[data-testid=allowed]")?.textContent ?? "")?.[0];
      seen.add(`${spent} of ${allowed}`);
    };
    new MutationObserver(note).observe(budget, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  const cls = (await report(page)).runs[0]?.classes[0];
  const pairs = cls?.exact.budget.map((allowed, at) => `${cls.exact.false_positives[at]} of ${allowed}`) ?? [];
  for (const at of [1, 2, 0, 2, 1, 0, 2]) {
    await page.getByTestId("where-rate").nth(at).click();
    await expect(page.locator('[data-testid="budget-row"][data-class="Consolidation"] [data-testid="false-positives"]')).toHaveText(pairs[at] ?? "");
  }
  const seen = await page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen]);
  expect(seen.filter((pair) => !pairs.includes(pair))).toEqual([]);
  expect(seen.length).toBe(3);
});

test("classes without lesions have no budget and are in no total; they are told apart", async ({ page }) => {
  await openGolden(page, "absent-class");
  const run = (await report(page)).runs[0];
  const scored = run?.classes.filter((cls) => cls.n_lesions > 0) ?? [];
  const absent = run?.classes.filter((cls) => cls.n_lesions === 0) ?? [];
  const total = (values: (number | null | undefined)[]) => values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const all = page.locator('[data-testid="budget-row"][data-class="All classes"]');
  const spent = total(scored.map((cls) => cls.exact.false_positives[0]));
  await expect(all.getByTestId("false-positives")).toHaveText(`${spent} of ${total(scored.map((cls) => cls.exact.budget[0]))}`);
  const segments = await all.locator('[data-testid="segment"]').evaluateAll((all) => all.map((one) => [one.getAttribute("data-category"), Number(one.textContent)] as const));
  const missed = ["out_ranked", "badly_placed_lesion", "seen_as_another_class", "never_seen"];
  expect(total(segments.filter(([category]) => !missed.includes(category ?? "")).map(([, n]) => n))).toBe(spent);
  for (const { name } of absent) await expect(page.getByTestId("absent")).toContainText(name);
  await expect(page.getByTestId("absent")).toContainText(/\d+ false positives? there\.$/);
});

test("a budget of nothing says why", async ({ page }) => {
  await openGolden(page, "few-images");
  const { ground_truth } = await report(page);
  await expect(page.getByTestId("allowed")).toHaveText(`At 0.05 per image, ${ground_truth.n_images} images allow no false positive.`);
});

for (const width of [360, 1024]) {
  test(`totals stand beside their bars and the table is whole, at ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 800 });
    await openSample(page);
    const overlaps = await page.getByTestId("budget").evaluate((budget) => {
      const box = (element: Element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return range.getBoundingClientRect();
      };
      const texts = [...budget.querySelectorAll(".total, .class > span, .gain span")].filter((one) => one.checkVisibility()).map((one) => [one.textContent, box(one)] as const);
      const bars = [...budget.querySelectorAll("[data-testid=bar]")].map((one) => ["bar", one.getBoundingClientRect()] as const);
      return [...texts, ...bars].flatMap(([name, a], at, all) =>
        all.slice(at + 1).flatMap(([other, b]) => (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1 ? [`${name} and ${other}`] : [])),
      );
    });
    expect(overlaps).toEqual([]);
    await page.getByTestId("budget-table").click();
    if (width === 1024) {
      const cut = await page.getByTestId("budget").locator(".scroll").evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).length);
      expect(cut).toBe(0);
    }
  });
}

test("what mending would gain most is on the page, not only in a tooltip", async ({ page }) => {
  await openSample(page);
  const all = page.locator('[data-testid="budget-row"][data-class="All classes"]');
  await expect(all.getByTestId("most-to-gain")).toHaveText(/^\s*never seen\s*\+\d+\.\d\d\s*$/);
  await all.getByTestId("most-to-gain").focus();
  const gain = /\+\d+\.\d\d/.exec((await all.getByTestId("most-to-gain").textContent()) ?? "")?.[0];
  await expect(page.getByTestId("explanation")).toContainText(`(${gain} points)`);
});

test("the numbers of the class table, the scores, the quirks and the sliders lead to their images", async ({ page }) => {
  await openSample(page);
  const pressed = page.locator('[data-testid="filter-cause"][aria-pressed="true"]');
  const second = page.getByTestId("run").nth(1);
  // False positives of the third class of the second run, at the second rate.
  const spent = second.getByTestId("class-row").nth(2).getByTestId("class-spent").nth(1);
  await page.mouse.move(0, 0);
  await spent.focus();
  await expect(page.getByTestId("explanation")).toContainText(/of the \d+ false positives that the rate allows\.\nClick: the images with them\./);
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("where-run")).toHaveValue("1");
  await expect(page.getByTestId("where-rate").nth(1)).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByTestId("filter-class")).toHaveValue("2");
  await expect(pressed).toHaveCount(5);
  await expect(page.getByTestId("gallery")).toBeInViewport();
  // By keyboard the focus is at the images, and the way back is the grid.
  expect(await page.evaluate(() => document.activeElement?.querySelector('[data-testid="gallery"]') !== null)).toBe(true);

  // Recall, of another run and rate.
  await page.getByTestId("run").first().getByTestId("class-row").first().getByTestId("class-recall").last().click();
  await expect(page.getByTestId("where-run")).toHaveValue("0");
  await expect(page.getByTestId("where-rate").last()).toHaveAttribute("aria-pressed", "true");
  await expect(pressed).toHaveText(/found/);
  await expect(page.getByTestId("filter-class")).toHaveValue("0");

  // Lesions: every image with one, as many as the ground truth has.
  await page.getByTestId("run").first().getByTestId("class-row").first().getByTestId("class-lesions").click();
  await expect(pressed).toHaveCount(5);

  await page.getByTestId("exact-recall").first().click();
  await expect(page.getByTestId("filter-class")).toHaveValue("");
  await expect(page.getByTestId("where-rate").first()).toHaveAttribute("aria-pressed", "true");

  // Numbers over several rates lead to the highest of them.
  await page.getByTestId("official-average").last().click();
  await expect(page.getByTestId("where-rate").last()).toHaveAttribute("aria-pressed", "true");
  await expect(pressed).toHaveText(/found/);
  await page.getByTestId("run").first().getByTestId("class-row").nth(1).getByTestId("class-detections").click();
  await expect(page.getByTestId("filter-class")).toHaveValue("1");
  await expect(page.getByTestId("where-rate").last()).toHaveAttribute("aria-pressed", "true");

  const counts = page.locator('[data-testid="counts"][data-class="Effusion"] button');
  await counts.last().click();
  await expect(page.getByTestId("filter-class")).toHaveValue("2");
  await expect(pressed).toHaveCount(5);
});

test("an image that a notice names is a click away", async ({ page }) => {
  const truth = JSON.stringify(["a.png", "b.png"].map((file_name) => ({ file_name, syms: ["Nodule"], boxes: [[10, 10, 49, 49]] })));
  await open(page);
  await choose(page, [upload("test.json", truth), upload("run.zip", zip({ "a.json": '[{"Nodule": [10, 10, 49, 49, 0.9]}]' }))]);
  await page.locator('[data-code="image_without_file"]').getByTestId("notice-image").click();
  await expect(page.getByTestId("search")).toHaveValue("b.png");
  await expect(page.getByTestId("shown")).toHaveText("1 of 2 images");
});

test("the table of classes is one tab stop, and so are the bars; a link leads past them to the images", async ({ page }) => {
  await openSample(page);
  await page.getByTestId("where-rate").last().focus();
  const stops: string[] = [];
  for (let presses = 0; presses < 40 && stops.at(-1) !== "tile"; presses++) {
    await page.keyboard.press("Tab");
    stops.push(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.testid ?? document.activeElement?.tagName ?? ""));
  }
  expect(stops.filter((stop) => ["segment", "false-positives", "missed-lesions", "most-to-gain"].includes(stop))).toEqual([]);
  // Within the bars arrow keys go from number to number.
  const row = page.getByTestId("budget-row").first();
  await row.locator("button").first().focus();
  await page.keyboard.press("ArrowRight");
  await expect(row.getByTestId("segment").first()).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByTestId("budget-row").nth(1).getByTestId("segment").first()).toBeFocused();
  await page.getByTestId("to-images").focus();
  await expect(page.getByTestId("to-images")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("gallery")).toBeInViewport();
});

test("Back closes the image that is open; closing it by key leaves no step behind", async ({ page }) => {
  await openSample(page);
  const view = page.getByTestId("image-view");
  await page.getByTestId("tile").first().click();
  await expect(view).toBeVisible();
  await page.keyboard.press("j");
  await page.goBack();
  await expect(view).toHaveCount(0);
  await expect(page.locator('[data-testid="tile"]:focus')).toHaveAttribute("data-image", "1");
  const steps = await page.evaluate(() => history.length);
  for (let n = 0; n < 3; n++) {
    await page.getByTestId("tile").first().click();
    await page.keyboard.press("Escape");
    await expect(view).toHaveCount(0);
    await expect.poll(() => page.evaluate(() => history.state as unknown)).toBeNull();
  }
  expect(await page.evaluate(() => history.length)).toBe(steps);
  await expect(page.getByTestId("budget")).toBeVisible();
});

test("leaving asks while files of the person's own are loaded, and not for the sample", async ({ page }) => {
  const asked = () =>
    page.evaluate(() => {
      const event = new Event("beforeunload", { cancelable: true });
      window.dispatchEvent(event);
      return event.defaultPrevented;
    });
  await openSample(page);
  expect(await asked()).toBe(false);
  await open(page);
  await choose(page, goldenCase(join(golden, "few-images")));
  expect(await asked()).toBe(true);
});

test("the end of a slider says that nothing counts", async ({ page }) => {
  await openSample(page);
  const slider = page.locator('[data-testid="thresholds"] [data-testid="threshold"][data-class="Mass"]');
  await slider.focus();
  await page.keyboard.press("End");
  await expect(slider).toHaveAttribute("aria-valuetext", "none");
  await expect(page.getByTestId("errors-at")).toHaveText("errors at the operating points of 0.05");
});

test("three runs: the one to disagree with is chosen", async ({ page }) => {
  await openSample(page);
  await choose(page, [upload("none.zip", zip({ "sample_001.json": "[]" }))]);
  await page.getByTestId("order").selectOption("disagreement");
  await expect(page.getByTestId("disagree-with")).toHaveValue("1");
  await page.getByTestId("disagree-with").selectOption("none.zip");
  await expect(page.getByTestId("order").locator("option:checked")).toHaveText("greatest disagreement with none.zip");
});

test("what is not JSON is told as that, with its place", async ({ page }) => {
  await open(page);
  await choose(page, [upload("test.json", "{not json")]);
  await expect(page.getByTestId("error")).toContainText("test.json, line 1, column 2: it is not JSON");
});

test("a tooltip at the edge of a narrow page keeps its distance from it", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 800 });
  await openSample(page);
  for (const number of [page.getByTestId("most-to-gain").first(), page.getByTestId("official-average").first()]) {
    await page.mouse.move(0, 0);
    await number.evaluate((element) => element.scrollIntoView({ block: "center", behavior: "instant" }));
    // A scroll hides the tooltip, and the event of it comes later.
    await page.waitForTimeout(300);
    await number.hover();
    const tip = page.getByTestId("explanation");
    await expect(tip).toBeVisible();
    await expect.poll(async () => {
      const box = await tip.boundingBox();
      return box !== null && box.x >= 8 && box.x + box.width <= 352;
    }).toBe(true);
  }
});

test("no text of a plot is cut off, nor larger than the headings; the scores keep off the edge of their card", async ({ page }) => {
  for (const width of [360, 1024, 2560]) {
    await page.setViewportSize({ width, height: 800 });
    await openSample(page);
    const scores = await page.locator("#scores").evaluate((card) => card.scrollWidth - card.clientWidth);
    expect(scores, `scores at ${width}`).toBe(0);
    await page.getByTestId("compute").click();
    await expect(page.getByTestId("roc-plot").locator("path[data-series]")).toHaveCount(2);
    const cut = await page.locator("svg.plot").evaluateAll((plots) =>
      plots.flatMap((plot) => {
        const box = plot.getBoundingClientRect();
        const heading = Number.parseFloat(getComputedStyle(document.querySelector("h2") ?? plot).fontSize);
        const scale = box.width / (plot as SVGSVGElement).viewBox.baseVal.width;
        return [...plot.querySelectorAll("text")]
          .filter((text) => {
            const own = text.getBoundingClientRect();
            const isOut = own.left < box.left - 1 || own.right > box.right + 1 || own.top < box.top - 1 || own.bottom > box.bottom + 1;
            return isOut || scale * Number.parseFloat(getComputedStyle(text).fontSize) > heading;
          })
          .map((text) => text.textContent);
      }),
    );
    expect(cut, `at ${width}`).toEqual([]);
  }
});
