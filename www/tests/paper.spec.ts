// What leaves the page for paper: the printed page, and figures that hold without it.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test, type Page } from "@playwright/test";

import { choose, compute, golden, goldenCase, open, upload, view } from "./page.ts";

/** Runs of these names on the data of a golden case. */
async function openRuns(page: Page, names: string[]): Promise<void> {
  const [truth, predictions] = goldenCase(join(golden, "synthetic"));
  if (!truth || !predictions) throw new Error("a golden case has two files");
  await open(page);
  await choose(page, [truth, ...names.map((name) => upload(name, predictions.buffer))]);
  await expect(page.getByTestId("run-scores")).toHaveCount(names.length);
}

/** Shows a plot that stands on a tab of its own. */
async function toTab(page: Page, panel: string): Promise<void> {
  const name = panel === "curves" ? "froc" : panel;
  if (name === "forest") await view(page, "intervals");
  else await page.getByTestId(`tab-${name}`).click();
}

/** The text of a saved figure, with the words of a line and of a name that was broken put together again. */
async function savedFigure(page: Page, panel: string, width: string): Promise<{ text: string; strokes: string[] }> {
  await toTab(page, panel);
  const section = page.getByTestId(panel);
  await section.getByTestId("save-width").selectOption(width);
  const waiting = page.waitForEvent("download");
  await section.getByTestId("save-svg").click();
  const svg = readFileSync(await (await waiting).path(), "utf8");
  return page.evaluate((svg) => {
    const parsed = new DOMParser().parseFromString(svg, "image/svg+xml");
    return {
      text: [...parsed.querySelectorAll("text")]
        .map((text) => text.textContent)
        .join(" ")
        .replace(/\s/g, ""),
      strokes: [...parsed.querySelectorAll("path, line")].map(
        (line) =>
          `${line.getAttribute("stroke")} ${line.getAttribute("stroke-dasharray")} ${line.getAttribute("stroke-width")}`,
      ),
    };
  }, svg);
}

/** A4 without its margins, in pixels: upright, and as wide tables have it. */
const UPRIGHT = { width: 703, height: 1032 };
const WIDE = { width: 1032, height: 703 };

/** What is seen on paper that only a screen has a use for, and what does not fit its page: upright, or wide. */
function faults(page: Page, isWide = false): Promise<{ controls: string[]; cut: string[]; pale: string[] }> {
  return page.evaluate((isWide) => {
    const isSeen = (element: Element) =>
      element.getClientRects().length > 0 && getComputedStyle(element).visibility === "visible";
    const seen = (selector: string) => [...document.querySelectorAll(selector)].filter(isSeen);
    const named = (element: Element) => element.getAttribute("data-testid") ?? element.outerHTML.slice(0, 80);
    return {
      controls: seen(
        ".no-print, form, nav, input, progress, [data-testid=theme], [data-testid=download-json], [data-testid=save-svg], [data-testid=compute], [data-testid=copy-lines], [data-testid=gallery]",
      ).map(named),
      cut: seen("main *")
        .filter((element) => (element.closest(".wide") !== null) === isWide)
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
        .map(named),
      pale: seen(".segment, .cause, [data-testid=run-key] line")
        .filter((element) => getComputedStyle(element).printColorAdjust !== "exact")
        .map(named),
    };
  }, isWide);
}

for (const rates of ["0.05, 0.1, 0.2", "0.125, 0.25, 0.5, 1, 2, 4, 8"]) {
  test(`on A4 no control is printed, bars keep their colours and no table is cut, with the rates ${rates}`, async ({
    page,
  }) => {
    await openRuns(page, ["a.zip", "b.zip"]);
    await page.getByTestId("fp").fill(rates);
    await view(page, "points");
    await expect(page.getByTestId("class-table").first().locator("th[scope=colgroup]")).toHaveCount(
      rates.split(",").length,
    );
    await compute(page, 50);
    await view(page, "causes");
    await page.getByTestId("budget-table").click();
    await page.setViewportSize(UPRIGHT);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    // Every table of the classes is on paper, whichever is on the screen.
    for (const table of ["all-classes-row", "class-row", "budget", "forest", "metrics", "found-as", "quirk"])
      await expect(page.getByTestId(table).first(), table).toBeVisible();
    await expect.poll(() => faults(page)).toEqual({ controls: [], cut: [], pale: [] });
    expect(await page.evaluate(() => getComputedStyle(document.body).colorScheme)).toBe("light");
    await page.setViewportSize(WIDE);
    await expect.poll(() => faults(page, true)).toEqual({ controls: [], cut: [], pale: [] });
    // Large enough to be read.
    const sizes = await page
      .locator("table td")
      .evaluateAll((all) => all.map((one) => parseFloat(getComputedStyle(one).fontSize)));
    expect(Math.min(...sizes)).toBeGreaterThan(6);
    await page.setViewportSize(UPRIGHT);
    expect((await page.pdf({ format: "A4" })).subarray(0, 5).toString()).toBe("%PDF-");
    await page.emulateMedia({ media: "screen" });
    await page.getByTestId("budget-table").click();
    await page.emulateMedia({ media: "print" });
    await expect.poll(() => faults(page)).toEqual({ controls: [], cut: [], pale: [] });
  });
}

test("a saved figure says which line is which of eight runs, how recall is counted, at what IoU and rates", async ({
  page,
}) => {
  const names = Array.from({ length: 8 }, (_, at) => `faster_rcnn_r50_fpn_1x_chestx_seed_${at}.zip`);
  await openRuns(page, names);
  await page.getByTestId("iou").fill("0.4");
  await expect(page.locator("#scores")).toContainText("IoU 0.4");
  await compute(page, 50);
  for (const width of ["column", "page"]) {
    for (const panel of ["curves", "roc", "pr", "calibration", "sweep"]) {
      const { text, strokes } = await savedFigure(page, panel, width);
      for (const name of names) expect(text, `${panel}, ${width}`).toContain(name);
      const recall = { curves: "Curves:exactrecall;rings:bythescript'srules", sweep: "Exactrecall" }[panel];
      if (recall) expect(text).toContain(`${recall};rates0.05,0.1,0.2falsepositivesperimage`);
      if (panel === "curves") expect(text).toContain("atIoU0.4");
      // Each run has a line that no other has; a line of the legend has the look of its curve.
      const looks = strokes.filter((look) => look.endsWith("2px") && !look.startsWith("none"));
      expect(new Set(looks).size, panel).toBe(names.length);
    }
    const forest = await savedFigure(page, "forest", width);
    expect(forest.text).toContain(names[0]);
    expect(forest.text).toMatch(/atIoU0\.4.*Exactrecall/);
    expect(forest.text.match(/\d+\.\d\d%\(\d+\.\d\d%to\d+\.\d\d%\)/g)?.length).toBeGreaterThan(10);
  }
});

test("a figure that is saved holds no text that is cut off", async ({ page }) => {
  await openRuns(page, [`${"a-long-name-".repeat(5)}.zip`, "b.zip"]);
  await compute(page, 50);
  for (const panel of ["curves", "forest", "roc", "pr", "calibration", "sweep"]) {
    await toTab(page, panel);
    const section = page.getByTestId(panel);
    const waiting = page.waitForEvent("download");
    await section.getByTestId("save-svg").click();
    const svg = readFileSync(await (await waiting).path(), "utf8");
    const out = await page.evaluate((svg) => {
      const holder = document.createElement("div");
      holder.innerHTML = svg.slice(svg.indexOf("<svg"));
      document.body.append(holder);
      const box = holder.firstElementChild?.getBoundingClientRect();
      const texts = [...holder.querySelectorAll("text")].filter((text) => {
        const own = text.getBoundingClientRect();
        return box && (own.left < box.left - 1 || own.right > box.right + 1 || own.bottom > box.bottom + 1);
      });
      holder.remove();
      return texts.map((text) => text.textContent);
    }, svg);
    expect(out, panel).toEqual([]);
  }
});
