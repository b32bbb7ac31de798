// What a person sees at each width and in each colour scheme, and what a screen reader is told.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";

import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";

import { choose, open, settled, upload } from "./page.ts";

const STATES: Record<string, (page: Page) => Promise<void>> = {
  empty: async () => undefined,
  result: async (page) => {
    await page.getByTestId("score-sample").click();
    await settled(page);
    await expect(page.getByTestId("results")).toBeVisible();
    await page.getByTestId("quirk").last().locator("summary").click();
  },
  error: async (page) => {
    const long = `${"a-long-name-".repeat(12)}.zip`;
    await choose(page, [upload(long, "no zip"), upload("page.html", "<!doctype html>")]);
    await expect(page.getByTestId("error")).toHaveCount(2);
  },
};

for (const [name, reach] of Object.entries(STATES)) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`${name}, ${colorScheme}: axe finds no violation`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await open(page);
      await reach(page);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => ({ id, html: nodes.map((node) => node.html) }))).toEqual([]);
    });
  }
  for (const width of [360, 1024, 2560]) {
    test(`${name} at ${width} px does not scroll sideways`, async ({ page }) => {
      await page.setViewportSize({ width, height: 800 });
      await open(page);
      await reach(page);
      const { scrollWidth, clientWidth } = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return { scrollWidth, clientWidth };
      });
      expect(scrollWidth).toBeLessThanOrEqual(clientWidth);
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
  await expect(page.getByTestId("theme")).toHaveText("Theme: dark");
  expect(await background()).not.toBe(light);
  await page.reload();
  await expect(page.getByTestId("theme")).toHaveText("Theme: dark");
});

test("the README shows the page as it is", async ({ page }) => {
  test.skip(!process.env.UPDATE_SCREENSHOT, "UPDATE_SCREENSHOT=1 writes docs/page.png anew");
  await page.setViewportSize({ width: 1100, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
  await open(page);
  await page.getByTestId("score-sample").click();
  await settled(page);
  const folder = resolve(import.meta.dirname, "../docs");
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: resolve(folder, "page.png") });
});
