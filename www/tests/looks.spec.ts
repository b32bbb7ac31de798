// What a person sees at each width and in each colour scheme, and what a screen reader is told.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";

import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";

import { choose, open, settled, upload, zip, view } from "./page.ts";

async function sample(page: Page): Promise<void> {
  await page.getByTestId("score-sample").click();
  await settled(page);
  // Intervals come by themselves, a moment later.
  await expect(page.getByTestId("froc-plot").locator("path.band")).toHaveCount(2);
}

const STATES: Record<string, (page: Page) => Promise<void>> = {
  empty: async () => undefined,
  result: async (page) => {
    await sample(page);
    await expect(page.getByTestId("results")).toBeVisible();
    await view(page, "quirks");
    await page.getByTestId("quirk-open").last().click();
  },
  "where the points go": async (page) => {
    await sample(page);
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
    await sample(page);
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

/** What the panel of the classes shows of the sample, one after the other. */
const TABLES: Record<string, (page: Page) => Promise<void>> = {
  "a class open": async (page) => {
    await page.getByTestId("choose-class").nth(5).click();
    // The hint of the button under the pointer is not what is looked at.
    await page.keyboard.press("Escape");
    await expect(page.getByTestId("class-detail")).toBeVisible();
  },
  points: (page) => view(page, "points"),
  metrics: async (page) => {
    await view(page, "metrics");
    await expect(page.getByTestId("metrics")).toBeVisible();
  },
  thresholds: async (page) => {
    await view(page, "thresholds");
    await expect(page.getByTestId("threshold-plot")).toBeVisible();
  },
  slices: async (page) => {
    await view(page, "slices");
    for (const choice of [1, 2]) await page.getByTestId("slice-choice").nth(choice).click();
    await expect(page.getByTestId("division")).toHaveCount(2);
    await page.keyboard.press("Escape");
  },
  "found as": (page) => view(page, "found-as"),
  intervals: (page) => view(page, "intervals"),
};

/** Whether it fits at each width, and what axe finds, in the whole page or in a part of it. */
async function look(page: Page, what: string, part?: string): Promise<void> {
  const asItIs = page.viewportSize();
  for (const width of [360, 1024, 2560]) {
    await page.setViewportSize({ width, height: 800 });
    const { scrollWidth, clientWidth } = await page.evaluate(async () => {
      // What follows a change of width, such as a plot, is drawn by then.
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      const { scrollWidth, clientWidth } = document.documentElement;
      return { scrollWidth, clientWidth };
    });
    expect(scrollWidth, `${what}, ${width} px`).toBeLessThanOrEqual(clientWidth);
  }
  if (asItIs) await page.setViewportSize(asItIs);
  const violations = async (rules?: string[]) => {
    const axe = new AxeBuilder({ page });
    if (part) axe.include(part);
    if (rules) axe.withRules(rules);
    return (await axe.analyze()).violations.map(({ id, nodes }) => ({ id, html: nodes.map((node) => node.html) }));
  };
  await page.emulateMedia({ colorScheme: "light" });
  expect(await violations(), what).toEqual([]);
  // The schemes differ in colours alone.
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await violations(["color-contrast", "link-in-text-block"]), what).toEqual([]);
}

for (const [name, reach] of Object.entries(STATES)) {
  test(`${name}: does not scroll sideways at 360, 1024 and 2560 px, and axe finds no violation`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: "light" });
    const asItIs = page.viewportSize();
    // What is reached on a phone is looked at in a window.
    await page.setViewportSize({ width: 360, height: 800 });
    await open(page);
    await reach(page);
    if (asItIs) await page.setViewportSize(asItIs);
    await look(page, name);
  });
}

test("no table of the classes scrolls the page sideways at 360, 1024 and 2560 px, and axe finds no violation", async ({
  page,
}) => {
  test.setTimeout(180_000);
  await open(page);
  await sample(page);
  for (const [name, reach] of Object.entries(TABLES)) {
    await reach(page);
    await look(page, name, "#classes");
  }
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`the empty page, the reading, the classes and the plots look as they did, ${colorScheme}`, async ({ page }) => {
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme });
    await open(page, "./");
    // The sample and its draws are the same every time; fonts differ between machines, lines and colours do not.
    const as = (name: string) => [`${name}-${colorScheme}.png`, { maxDiffPixelRatio: 0.06, threshold: 0.3 }] as const;
    await expect(page.locator("#first-look")).toHaveScreenshot(...as("empty"));
    await sample(page);
    await expect(page.getByTestId("reading-panel")).toHaveScreenshot(...as("reading"));
    await expect(page.getByTestId("all-classes")).toHaveScreenshot(...as("classes"));
    await view(page, "intervals");
    for (const panel of ["curves", "forest", "roc", "sweep"]) {
      if (panel === "roc" || panel === "sweep") await page.getByTestId(`tab-${panel}`).click();
      await expect(page.getByTestId(panel).locator("svg.plot")).toHaveScreenshot(...as(panel));
    }
  });
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
  await open(page, "./");
  await page.getByTestId("score-sample").click();
  await settled(page);
  const folder = resolve(import.meta.dirname, "../docs");
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: resolve(folder, "page.png") });
});
