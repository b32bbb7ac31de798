// What a person sees at each width and in each colour scheme, and what a screen reader is told.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";

import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";

import { choose, open, settled, upload, zip, view } from "./page.ts";

const STATES: Record<string, (page: Page) => Promise<void>> = {
  empty: async () => undefined,
  result: async (page) => {
    await page.getByTestId("score-sample").click();
    await settled(page);
    await expect(page.getByTestId("results")).toBeVisible();
    await view(page, "quirks");
    await page.getByTestId("quirk-open").last().click();
  },
  "a class open": async (page) => {
    await page.getByTestId("score-sample").click();
    await settled(page);
    await page.getByTestId("choose-class").nth(5).click();
    // The hint of the button under the pointer is not what is looked at.
    await page.keyboard.press("Escape");
    await expect(page.getByTestId("class-detail")).toBeVisible();
  },
  points: async (page) => {
    await page.getByTestId("score-sample").click();
    await settled(page);
    await view(page, "points");
  },
  metrics: async (page) => {
    await page.getByTestId("score-sample").click();
    await settled(page);
    await view(page, "metrics");
    await expect(page.getByTestId("metrics")).toBeVisible();
  },
  thresholds: async (page) => {
    await page.getByTestId("score-sample").click();
    await settled(page);
    await view(page, "thresholds");
    await expect(page.getByTestId("threshold-plot")).toBeVisible();
  },
  slices: async (page) => {
    await page.getByTestId("score-sample").click();
    await settled(page);
    await view(page, "slices");
    for (const choice of [1, 2]) await page.getByTestId("slice-choice").nth(choice).click();
    await expect(page.getByTestId("division")).toHaveCount(2);
    await page.keyboard.press("Escape");
  },
  "found as": async (page) => {
    await page.getByTestId("score-sample").click();
    await settled(page);
    await view(page, "found-as");
  },
  statistics: async (page) => {
    await page.getByTestId("score-sample").click();
    await settled(page);
    await expect(page.getByTestId("froc-plot").locator("path.band")).toHaveCount(2);
    await view(page, "intervals");
  },
  "where the points go": async (page) => {
    await page.getByTestId("score-sample").click();
    await settled(page);
    await view(page, "causes");
    await page.getByTestId("budget-table").click();
    await page.getByTestId("causes").locator("summary").click();
    // On phones the filters are folded.
    const fold = page.getByTestId("filters-fold").locator("summary");
    if (await fold.isVisible()) await fold.click();
    await page.getByTestId("filter-cause").first().click();
    await page.keyboard.press("Escape");
    await expect(page.getByTestId("tile").first()).toHaveAttribute("data-image", /\d/);
  },
  "an image large": async (page) => {
    await page.getByTestId("score-sample").click();
    await settled(page);
    await page.getByTestId("tile").nth(4).click();
    await page.getByTestId("show-uncounted").check();
    await page.getByTestId("box").first().focus();
  },
  "a mistake in files": async (page) => {
    const boxes = Array.from({ length: 40 }, (_, at) => [100 + at * 5, 300 + at * 3, 160 + at * 5, 345 + at * 3]);
    const truth = boxes.map((box, at) => ({ file_name: `${at}.png`, syms: ["Nodule"], boxes: [box] }));
    const files = boxes.map(([x1, y1], at) => [`${at}.json`, JSON.stringify([{ Nodule: [x1, y1, 60, 45, at / 100] }])]);
    await choose(page, [
      upload("test.json", JSON.stringify(truth)),
      upload("boxes.zip", zip(Object.fromEntries(files))),
    ]);
    await page.getByTestId("remedy").click();
    await expect(page.getByTestId("reading")).toBeVisible();
  },
  error: async (page) => {
    const long = `${"a-long-name-".repeat(12)}.zip`;
    await choose(page, [upload(long, "no zip"), upload("page.html", "<!doctype html>")]);
    await expect(page.getByTestId("error")).toHaveCount(2);
  },
};

for (const [name, reach] of Object.entries(STATES)) {
  test(`${name}: does not scroll sideways at 360, 1024 and 2560 px, and axe finds no violation`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: "light" });
    const asItIs = page.viewportSize();
    await page.setViewportSize({ width: 360, height: 800 });
    await open(page);
    await reach(page);
    for (const width of [360, 1024, 2560]) {
      await page.setViewportSize({ width, height: 800 });
      const { scrollWidth, clientWidth } = await page.evaluate(async () => {
        // What follows a change of width, such as a plot, is drawn by then.
        await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
        const { scrollWidth, clientWidth } = document.documentElement;
        return { scrollWidth, clientWidth };
      });
      expect(scrollWidth, `${width} px`).toBeLessThanOrEqual(clientWidth);
    }
    if (asItIs) await page.setViewportSize(asItIs);
    const violations = async (axe: AxeBuilder) =>
      (await axe.analyze()).violations.map(({ id, nodes }) => ({ id, html: nodes.map((node) => node.html) }));
    expect(await violations(new AxeBuilder({ page }))).toEqual([]);
    // The schemes differ in colours alone.
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await violations(new AxeBuilder({ page }).withRules(["color-contrast", "link-in-text-block"]))).toEqual([]);
  });
}

for (const panel of ["curves", "forest", "roc", "sweep"]) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`the plot of ${panel} looks as it did, ${colorScheme}`, async ({ page }) => {
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.emulateMedia({ colorScheme });
      await open(page);
      await STATES.statistics?.(page);
      if (panel === "roc" || panel === "sweep") await page.getByTestId(`tab-${panel}`).click();
      // The sample and its draws are the same every time; fonts differ between machines, lines and colours do not.
      await expect(page.getByTestId(panel).locator("svg.plot")).toHaveScreenshot(`${panel}-${colorScheme}.png`, {
        maxDiffPixelRatio: 0.06,
        threshold: 0.3,
      });
    });
  }
}

test("the theme is chosen and kept", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await open(page);
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await page.getByTestId("theme").click();
  await page.getByTestId("theme").click();
  await expect(page.getByTestId("theme")).toHaveAttribute("aria-label", "Theme: dark");
  expect(await background()).not.toBe(light);
  await page.reload();
  await expect(page.getByTestId("theme")).toHaveAttribute("aria-label", "Theme: dark");
});

test("the README shows the page as it is", async ({ page }) => {
  test.skip(!process.env.UPDATE_SCREENSHOT, "UPDATE_SCREENSHOT=1 writes docs/page.png anew");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
  await open(page);
  await page.getByTestId("score-sample").click();
  await settled(page);
  const folder = resolve(import.meta.dirname, "../docs");
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: resolve(folder, "page.png") });
});
