// Numbers and what stands behind them: counts beside their own rate, links from every number to its images, the way back.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test, type Locator, type Page } from "@playwright/test";

import {
  choose,
  compute,
  golden,
  goldenCase,
  open,
  openExport,
  report,
  settled,
  smallTruth,
  terminal,
  upload,
  zip,
  sampleFiles,
  view,
} from "./page.ts";

/** The files of the first sample, without its pictures, which take time to draw. */
async function openSample(page: Page): Promise<void> {
  await open(page);
  await choose(page, sampleFiles());
  await expect(page.getByTestId("tile").first()).toHaveAttribute("data-image", "0");
}

async function openGolden(page: Page, name: string): Promise<void> {
  await open(page);
  await choose(page, goldenCase(join(golden, name)));
  await view(page, "causes");
  await expect(page.getByTestId("budget")).toBeVisible();
}

test("no count stands beside the rate of another, not even for a moment", async ({ page }) => {
  await openSample(page);
  await view(page, "causes");
  await page.getByTestId("budget").evaluate((budget) => {
    const seen = new Set<string>();
    Object.assign(window, { seen });
    const note = () => {
      const row = budget.querySelector('[data-class="Consolidation"] .cell');
      const spent = [...(row?.querySelectorAll("[data-testid=segment]") ?? [])].reduce(
        (sum, one) => sum + Number(one.textContent),
        0,
      );
      const allowed = /\d+/.exec(budget.querySelector("[data-testid=allowed]")?.textContent ?? "")?.[0];
      seen.add(`${spent} of ${allowed}`);
    };
    new MutationObserver(note).observe(budget, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    });
  });
  const cls = (await report(page)).runs[0]?.classes[0];
  const pairs = cls?.exact.budget.map((allowed, at) => `${cls.exact.false_positives[at]} of ${allowed}`) ?? [];
  for (const at of [1, 2, 0, 2, 1, 0, 2]) {
    await page.getByTestId("where-rate").nth(at).click();
    await expect(
      page.locator('[data-testid="budget-row"][data-class="Consolidation"] [data-testid="false-positives"]'),
    ).toHaveText(pairs[at] ?? "");
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
  await expect(all.getByTestId("false-positives")).toHaveText(
    `${spent} of ${total(scored.map((cls) => cls.exact.budget[0]))}`,
  );
  const segments = await all
    .locator('[data-testid="segment"]')
    .evaluateAll((all) => all.map((one) => [one.getAttribute("data-category"), Number(one.textContent)] as const));
  const missed = ["out_ranked", "badly_placed_lesion", "seen_as_another_class", "never_seen"];
  expect(total(segments.filter(([category]) => !missed.includes(category ?? "")).map(([, n]) => n))).toBe(spent);
  for (const { name } of absent) await expect(page.getByTestId("absent")).toContainText(name);
  await expect(page.getByTestId("absent")).toContainText(/\d+ false positives? there\.$/);
});

test("a budget of nothing says why", async ({ page }) => {
  await openGolden(page, "few-images");
  const { ground_truth } = await report(page);
  await expect(page.getByTestId("allowed")).toHaveText(
    `At 0.05 per image, ${ground_truth.n_images} images allow no false positive.`,
  );
});

for (const width of [360, 1024]) {
  test(`totals stand beside their bars and the table is whole, at ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 800 });
    await openSample(page);
    await view(page, "causes");
    const overlaps = await page.getByTestId("budget").evaluate((budget) => {
      const box = (element: Element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return range.getBoundingClientRect();
      };
      const texts = [...budget.querySelectorAll(".total, .class > span, .gain span")]
        .filter((one) => one.checkVisibility())
        .map((one) => [one.textContent, box(one)] as const);
      const bars = [...budget.querySelectorAll("[data-testid=bar]")].map(
        (one) => ["bar", one.getBoundingClientRect()] as const,
      );
      return [...texts, ...bars].flatMap(([name, a], at, all) =>
        all
          .slice(at + 1)
          .flatMap(([other, b]) =>
            Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
            Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1
              ? [`${name} and ${other}`]
              : [],
          ),
      );
    });
    expect(overlaps).toEqual([]);
    await page.getByTestId("budget-table").click();
    if (width === 1024) {
      const cut = await page
        .getByTestId("budget")
        .locator(".scroll")
        .evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).length);
      expect(cut).toBe(0);
    }
  });
}

test("what mending would gain most is on the page, not only in a tooltip", async ({ page }) => {
  await openSample(page);
  await view(page, "causes");
  const all = page.locator('[data-testid="budget-row"][data-class="All classes"]');
  await expect(all.getByTestId("most-to-gain")).toHaveText(/^\s*missed entirely\s*\+\d+\.\d\d\s*$/);
  await all.getByTestId("most-to-gain").focus();
  const gain = /\+\d+\.\d\d/.exec((await all.getByTestId("most-to-gain").textContent()) ?? "")?.[0];
  await expect(page.getByTestId("explanation")).toContainText(`(${gain} points)`);
});

test("the numbers of the class table, the scores, the quirks and the sliders lead to their images", async ({
  page,
}) => {
  await openSample(page);
  const pressed = page.locator('[data-testid="filter-cause"][aria-pressed="true"]');
  const second = await detail(page, 1);
  // False positives of the third class of the second run, at the second rate.
  const spent = second.getByTestId("class-row").nth(2).getByTestId("class-spent").nth(1);
  await page.mouse.move(0, 0);
  await spent.focus();
  await expect(page.getByTestId("explanation")).toContainText(
    /of the \d+ false positives that the rate allows\.\nClick: the images with them\./,
  );
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("where-run")).toHaveValue("1");
  await expect(page.getByTestId("where-rate").nth(1)).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByTestId("filter-class")).toHaveValue("2");
  await expect(pressed).toHaveCount(5);
  await expect(page.getByTestId("gallery")).toBeInViewport();
  // By keyboard the focus is at the images, and the way back is the grid.
  expect(await page.evaluate(() => document.activeElement?.querySelector('[data-testid="gallery"]') !== null)).toBe(
    true,
  );

  // Recall, of another run and rate.
  await (await detail(page, 0)).getByTestId("class-row").first().getByTestId("class-recall").last().click();
  await expect(page.getByTestId("where-run")).toHaveValue("0");
  await expect(page.getByTestId("where-rate").last()).toHaveAttribute("aria-pressed", "true");
  await expect(pressed).toHaveText(/found/);
  await expect(page.getByTestId("filter-class")).toHaveValue("0");

  // Lesions: every image with one, as many as the ground truth has.
  await (await detail(page, 0)).getByTestId("class-row").first().getByTestId("class-lesions").click();
  await expect(pressed).toHaveCount(5);

  await page.getByTestId("exact-recall").first().click();
  await expect(page.getByTestId("filter-class")).toHaveValue("");
  await expect(page.getByTestId("where-rate").first()).toHaveAttribute("aria-pressed", "true");

  // Numbers over several rates lead to the highest of them.
  await page.getByTestId("official-average").last().click();
  await expect(page.getByTestId("where-rate").last()).toHaveAttribute("aria-pressed", "true");
  await expect(pressed).toHaveText(/found/);
  await (await detail(page, 0)).getByTestId("class-row").nth(1).getByTestId("class-detections").click();
  await expect(page.getByTestId("filter-class")).toHaveValue("1");
  await expect(page.getByTestId("where-rate").last()).toHaveAttribute("aria-pressed", "true");

  await view(page, "thresholds");
  const counts = page.locator('[data-testid="counts"][data-class="Effusion"] button');
  await counts.last().click();
  await expect(page.getByTestId("filter-class")).toHaveValue("2");
  await expect(pressed).toHaveCount(5);
});

test("the count of a notice leads to the images that it is about, and one about none leads nowhere", async ({
  page,
}) => {
  const nodule = '[{"Nodule": [10, 10, 49, 49, 0.5]}]';
  await open(page);
  await choose(page, [
    upload("test.json", smallTruth(5)),
    upload("some.zip", zip({ "0.json": nodule, "1.json": "", "3.json": nodule, "stray.json": nodule })),
  ]);
  const notice = (code: string) => page.locator(`[data-code="${code}"]`);
  const tiles = page.getByTestId("tile");
  for (const [code, images] of [
    ["image_without_file", ["2.png", "4.png"]],
    ["empty_file", ["1.png"]],
  ] as const) {
    await notice(code).locator("summary").click();
    await notice(code).getByTestId("notice-count").click();
    await expect(tiles).toHaveCount(images.length);
    for (const [at, image] of images.entries()) await expect(tiles.nth(at)).toHaveAttribute("title", image);
  }
  await expect(notice("file_without_image")).toContainText("1 prediction file");
  await expect(notice("file_without_image").getByTestId("notice-count")).toHaveCount(0);
  await page.getByTestId("filter-chip").click();
  await expect(tiles).toHaveCount(5);
});

test("the counts of a file lead to its images", async ({ page }) => {
  await openSample(page);
  const count = (file: string, what: string) =>
    page.getByTestId("file").filter({ hasText: file }).getByTestId("file-count").filter({ hasText: what });
  await count("test.json", "lesions").click();
  await expect(page.getByTestId("lesion-free")).toHaveValue("with");
  await count("model-b.zip", "detections").click();
  await expect(page.getByTestId("where-run")).toHaveValue("1");
  await expect(page.getByTestId("apart")).toContainText("every detection");
  await count("model-a.zip", "files").click();
  await expect(page.getByTestId("where-run")).toHaveValue("0");
  await expect(page.getByTestId("shown")).toContainText("104 images");
});

test("where every detection counts, the list of errors names no rate and counts them all", async ({ page }) => {
  await openSample(page);
  await view(page, "points");
  await page.getByTestId("run-detections").first().click();
  await expect(page.getByTestId("apart")).toContainText("every detection");
  const waiting = page.waitForEvent("download");
  await openExport(page);
  await page.getByTestId("errors-json").click();
  const download = await waiting;
  expect(download.suggestedFilename()).toBe("froc-errors-all.json");
  const rows = JSON.parse(readFileSync(await download.path(), "utf8")) as {
    fp_per_image: number | null;
    counted: boolean;
    verdict: string;
  }[];
  expect(rows.filter(({ fp_per_image }) => fp_per_image !== null)).toEqual([]);
  const detections = rows.filter(({ verdict }) => verdict !== "missed_lesion");
  expect(detections.filter(({ counted }) => !counted)).toEqual([]);
  expect(detections.length).toBe((await report(page)).runs.reduce((all, run) => all + run.n_detections, 0));
});

test("an image that a notice names is a click away", async ({ page }) => {
  const truth = JSON.stringify(
    ["a.png", "b.png"].map((file_name) => ({ file_name, syms: ["Nodule"], boxes: [[10, 10, 49, 49]] })),
  );
  await open(page);
  await choose(page, [
    upload("test.json", truth),
    upload("run.zip", zip({ "a.json": '[{"Nodule": [10, 10, 49, 49, 0.9]}]' })),
  ]);
  await page.locator('[data-code="image_without_file"] summary').click();
  await page.locator('[data-code="image_without_file"]').getByTestId("notice-image").click();
  await expect(page.getByTestId("search")).toHaveValue("b.png");
  await expect(page.getByTestId("shown")).toHaveText("1 of 2 images");
});

test("the table of classes is one tab stop, and so are the bars; a link leads past them to the images", async ({
  page,
}) => {
  await openSample(page);
  await view(page, "causes");
  await page.getByTestId("where-rate").last().focus();
  const stops: string[] = [];
  for (let presses = 0; presses < 40 && stops.at(-1) !== "tile"; presses++) {
    await page.keyboard.press("Tab");
    stops.push(
      await page.evaluate(
        () => (document.activeElement as HTMLElement).dataset.testid ?? document.activeElement?.tagName ?? "",
      ),
    );
  }
  expect(
    stops.filter((stop) => ["segment", "false-positives", "missed-lesions", "most-to-gain"].includes(stop)),
  ).toEqual([]);
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
  await expect(page.getByTestId("all-classes")).toBeVisible();
});

test("leaving asks while files of the person's own are loaded, and not for the sample", async ({ page }) => {
  const asked = () =>
    page.evaluate(() => {
      const event = new Event("beforeunload", { cancelable: true });
      window.dispatchEvent(event);
      return event.defaultPrevented;
    });
  await open(page);
  await page.getByTestId("score-sample").click();
  await settled(page);
  await expect(page.getByTestId("matched")).toBeVisible();
  expect(await asked()).toBe(false);
  await open(page);
  await choose(page, goldenCase(join(golden, "few-images")));
  expect(await asked()).toBe(true);
});

test("the end of a slider says that nothing counts", async ({ page }) => {
  await openSample(page);
  await view(page, "thresholds");
  const slider = page.locator('[data-testid="thresholds"] [data-testid="threshold"][data-class="Mass"]');
  await slider.focus();
  await page.keyboard.press("End");
  await expect(slider).toHaveAttribute("aria-valuetext", "none");
  await expect(page.getByTestId("errors-at")).toHaveText("Errors at the operating points of 0.05");
});

test("three runs: the one to disagree with is chosen", async ({ page }) => {
  await open(page);
  await choose(page, sampleFiles());
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
  await view(page, "causes");
  for (const number of [page.getByTestId("most-to-gain").first(), page.getByTestId("official-average").first()]) {
    await page.mouse.move(0, 0);
    await number.evaluate((element) => element.scrollIntoView({ block: "center", behavior: "instant" }));
    // A scroll hides the tooltip, and the event of it comes later.
    await page.waitForTimeout(300);
    await number.hover();
    const tip = page.getByTestId("explanation");
    await expect(tip).toBeVisible();
    await expect
      .poll(async () => {
        const box = await tip.boundingBox();
        return box !== null && box.x >= 8 && box.x + box.width <= 352;
      })
      .toBe(true);
  }
});

test("no text of a plot is cut off, nor larger than the headings; the scores keep off the edge of their card", async ({
  page,
}) => {
  for (const width of [360, 1024, 2560]) {
    await page.setViewportSize({ width, height: 800 });
    await openSample(page);
    const scores = await page.locator("#scores").evaluate((card) => card.scrollWidth - card.clientWidth);
    expect(scores, `scores at ${width}`).toBe(0);
    await page.getByTestId("tab-roc").click();
    await expect(page.getByTestId("roc-plot").locator("path[data-series]")).toHaveCount(2);
    const cut = await page.locator("svg.plot").evaluateAll((plots) =>
      plots.flatMap((plot) => {
        const box = plot.getBoundingClientRect();
        const heading = Number.parseFloat(getComputedStyle(document.querySelector("h2") ?? plot).fontSize);
        const scale = box.width / (plot as SVGSVGElement).viewBox.baseVal.width;
        return [...plot.querySelectorAll("text")]
          .filter((text) => {
            const own = text.getBoundingClientRect();
            const isOut =
              own.left < box.left - 1 ||
              own.right > box.right + 1 ||
              own.top < box.top - 1 ||
              own.bottom > box.bottom + 1;
            return isOut || scale * Number.parseFloat(getComputedStyle(text).fontSize) > heading;
          })
          .map((text) => text.textContent);
      }),
    );
    expect(cut, `at ${width}`).toEqual([]);
  }
});

/** The operating points of a run, which are those of the run that is looked at. */
async function detail(page: Page, run: number) {
  await view(page, "points");
  await page.getByTestId("where-run").selectOption(String(run));
  return page.getByTestId("run");
}

/** What the results hold that is no number with images behind it, by selector, each with the reason. */
const NO_LINKS: Record<string, string> = {
  "thead, caption": "rates that were typed, and names of columns",
  "[data-testid=quirk-open]": "names of quirks",
  "[data-testid=published] th, [data-testid=published] .words": "names and rules of conventions",
  "[data-testid=notice] summary": "the line that opens a notice, in which its images are linked",
  "[data-testid=bootstrap-used], [data-testid=forest] h2": "how it was drawn: replicates, seed, level",
  "svg.plot > text, [data-testid=scale] text": "the axes of plots",
  "[data-testid=reading-panel] .what": "what the headline is of, and its interval; the headline beside it is linked",
  "[data-testid=classes-read], [data-testid=causes-at]": "the rate that is chosen",
  "[data-testid=detail-head], [data-testid=detail-rate], [data-testid=detail-name], [data-testid=class-detail] output":
    "rates, and where the slider stands",
  "[data-testid=changes] .rate, [data-testid=froc-readings] .rate, [data-testid=threshold-readings] .rate":
    "the rate at which something is read",
  "[data-testid=at-rate], [data-testid=back], [data-testid=allowed], [data-testid=thresholds] header":
    "the rate that is chosen, and what it allows",
  "[data-testid=thresholds] output": "where sliders stand",
  "[data-testid=shown]": "how many images are shown, just above them",
  "[data-testid=tile]": "the images themselves",
};

/** Texts with a digit that lead to no images and are no exceptions; and which exceptions there are, and how many links. */
function unlinked(page: Page): Promise<{ texts: string[]; met: string[]; links: number }> {
  return page.locator("[data-testid=results], [data-testid=file-check]").evaluateAll((roots, exceptions) => {
    const met = new Set<string>();
    const texts: string[] = [];
    let links = 0;
    const nodes = roots.flatMap((root) => {
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      const inside: Node[] = [];
      for (let node = walker.nextNode(); node; node = walker.nextNode()) inside.push(node);
      return inside;
    });
    for (const node of nodes) {
      const element = node.parentElement;
      if (!element || !/\d/.test(node.textContent ?? "") || !element.checkVisibility()) continue;
      const link = element.closest<HTMLElement>("button, [role=button]");
      if (link?.dataset.explain?.includes("Click: ") && !link.matches(":disabled")) links++;
      else {
        const exception = exceptions.find((selector) => element.closest(selector));
        if (exception) met.add(exception);
        else
          texts.push(`${element.closest("[data-testid]")?.getAttribute("data-testid")}: ${node.textContent?.trim()}`);
      }
    }
    return { texts, met: [...met], links };
  }, Object.keys(NO_LINKS));
}

/** Opens whatever can be opened. */
async function unfold(page: Page): Promise<void> {
  await page
    .getByTestId("results")
    .locator("details")
    .evaluateAll((all: HTMLDetailsElement[]) => all.forEach((one) => (one.open = true)));
  // Of the classes one is open at a time.
  const folded = page.getByTestId("results").locator("[aria-expanded=false]:not([data-testid=choose-class])");
  await folded.evaluateAll((all: HTMLElement[]) => all.forEach((one) => one.click()));
  await expect(folded).toHaveCount(0);
  const open = page.getByTestId("class-detail");
  if ((await page.getByTestId("choose-class").count()) > 0 && (await open.count()) === 0) {
    await page.getByTestId("choose-class").nth(5).click();
    await expect(open).toBeVisible();
  }
}

const VIEWS = ["recall", "points", "causes", "thresholds", "intervals", "metrics", "found-as", "quirks"];

test("every number and every bar in the results leads to the images behind it", async ({ page }) => {
  await openSample(page);
  await compute(page, 100);
  await view(page, "thresholds");
  // Plots are read where the keys put it, and each says that a click leads on.
  const plots = page.locator("svg.plot[role=slider]");
  for (const tab of ["sweep", "roc", "pr", "calibration", "froc"]) {
    await page.getByTestId(`tab-${tab}`).click();
    await expect(page.getByTestId(`${tab}-plot`)).toBeVisible();
    await expect(plots).toHaveCount(2);
    for (const plot of await plots.all()) {
      await expect(plot).toHaveAttribute("data-leads", "");
      await plot.focus();
      await page.keyboard.press("End");
    }
    expect((await unlinked(page)).texts, tab).toEqual([]);
  }
  const met = new Set<string>();
  let links = 0;
  const look = async (what: string) => {
    await unfold(page);
    const found = await unlinked(page);
    expect(found.texts, what).toEqual([]);
    links += found.links;
    for (const exception of found.met) met.add(exception);
  };
  // The marks of the other plot, and the bars.
  await view(page, "intervals");
  const marksOf = () =>
    page
      .locator("[data-testid=forest-plot] [data-series], [data-testid=bar] > .segment")
      .evaluateAll((all: HTMLElement[]) => all.map((one) => one.dataset.explain ?? ""));
  for (const shown of ["intervals", "causes"]) {
    await view(page, shown);
    const marks = await marksOf();
    expect(marks.length).toBeGreaterThan(shown === "causes" ? 30 : 10);
    expect(marks.filter((explain) => !explain.includes("Click: "))).toEqual([]);
  }
  for (const shown of VIEWS) {
    await view(page, shown);
    for (const run of ["0", "1"]) {
      await page.getByTestId("where-run").selectOption(run);
      await look(`${shown}, run ${run}`);
    }
    if (shown === "causes") await page.getByTestId("budget-table").click();
    if (shown === "intervals") await page.getByTestId("forest-what").selectOption("difference 0");
    await page.getByTestId("where-rate").first().click();
    await look(`${shown}, official at a rate`);
    await page.getByTestId("average").click();
  }
  expect(links).toBeGreaterThan(1500);
  // A number that leads nowhere would be found.
  await view(page, "causes");
  await page
    .getByTestId("budget")
    .evaluate((budget) => budget.append(Object.assign(document.createElement("p"), { textContent: "17 of 104" })));
  expect((await unlinked(page)).texts).toEqual(["budget: 17 of 104"]);
  // None of the exceptions is there in vain.
  expect(Object.keys(NO_LINKS).filter((selector) => !met.has(selector))).toEqual([]);
});

test("whatever leads to images is reached by keys, a table or a plot by one tab", async ({ page }) => {
  await openSample(page);
  await compute(page, 100);
  await unfold(page);
  for (const shown of VIEWS) {
    await view(page, shown);
    await unfold(page);
    const stops = await page
      .locator("[data-testid=results] table, [data-testid=forest] div:has(> svg)")
      .evaluateAll((all) =>
        all.map(
          (one) =>
            [
              one.textContent?.slice(0, 40),
              [...one.querySelectorAll<HTMLElement>("[data-explain]")].filter((it) => it.tabIndex === 0).length,
            ] as const,
        ),
      );
    expect(stops.length, shown).toBeGreaterThan(0);
    expect(stops.filter(([, n]) => n !== 1)).toEqual([]);
  }
  await view(page, "intervals");
  const row = page.getByTestId("forest-plot").locator("[role=button]");
  await row.first().focus();
  await page.keyboard.press("ArrowDown");
  await expect(row.nth(1)).toBeFocused();
  await expect(page.getByTestId("explanation")).toContainText(/Fibrosis: .*\nClick: the images with lesions found/);
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("filter-class")).toHaveValue("1");
  expect(await page.evaluate(() => document.activeElement?.querySelector('[data-testid="gallery"]') !== null)).toBe(
    true,
  );
});

const SAMPLE = ["test.json", "model-a.zip", "model-b.zip"].map((name) =>
  upload(name, readFileSync(join(import.meta.dirname, "../sample", name))),
);

/** Every detection and every missed lesion of the sample, as the program lists them. */
function errors(options: string[]): Record<string, string>[] {
  const [head = [], ...rows] = terminal(SAMPLE, options, "errors", "csv")
    .toString("utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  return rows.map((row) => Object.fromEntries(row.map((cell, at) => [head[at] ?? "", cell])));
}

/** How many images some rows are of. */
const imagesOf = (rows: Record<string, string>[]) => new Set(rows.map(({ image }) => image)).size;
const shows = (page: Page, images: number) => expect(page.getByTestId("shown")).toHaveText(`${images} of 104 images`);
const chip = (page: Page, id: string) => page.locator(`[data-testid="filter-chip"][data-chip="${id}"]`);

test("counts and costs of quirks lead to the images with what they touched", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openSample(page);
  const all = errors(["--fp", "0.2"]).filter(
    ({ run, verdict }) => run === "model-b.zip" && verdict !== "missed_lesion",
  );
  await detail(page, 1);
  await view(page, "quirks");
  const quirk = (id: string) => page.locator(`[data-quirk="${id}"]`);
  for (const id of ["Q1", "Q5", "Q7", "Q8"]) await quirk(id).getByTestId("quirk-open").click();

  // Equal scores: of a class, at a rate, and of all that the sentence names.
  const tied = (name: string) => {
    const of = all.filter((row) => row.class === name);
    return of.filter(({ score }) => of.filter((other) => other.score === score).length > 1);
  };
  await quirk("Q5").getByTestId("quirk-detections").first().click();
  await expect(page.getByTestId("where-run")).toHaveValue("1");
  await expect(page.getByTestId("filter-class")).toHaveValue("1");
  await expect(chip(page, "Q5")).toHaveText("Q5: detections that share their score with another");
  await shows(page, imagesOf(tied("Fibrosis")));
  await quirk("Q5")
    .getByTestId("quirk-class-cost")
    .nth(3 * 2 + 1)
    .click();
  await expect(page.getByTestId("filter-class")).toHaveValue("3");
  await expect(page.getByTestId("where-rate").nth(1)).toHaveAttribute("aria-pressed", "true");
  await shows(page, imagesOf(tied("Nodule")));
  const classes = ["Fibrosis", "Effusion", "Nodule", "Mass"];
  for (const number of ["quirk-all", "quirk-cost", "quirk-mean-cost"]) {
    await page.getByTestId("clear-filters").click();
    await quirk("Q5").getByTestId(number).first().click();
    await expect(page.getByTestId("filter-class")).toHaveValue("");
    await shows(page, imagesOf(classes.flatMap(tied)));
  }
  // A number in the line that opens the table leaves it open; all else in that line opens and closes it.
  await expect(quirk("Q5").locator("table")).toBeVisible();
  await quirk("Q5")
    .locator(".sentence")
    .click({ position: { x: 300, y: 8 }, force: true });
  await expect(quirk("Q5").locator("table")).toHaveCount(0);

  // Second boxes, whether they count at the rate or not.
  await quirk("Q7").getByTestId("quirk-all").click();
  await shows(page, imagesOf(all.filter(({ cause }) => cause === "duplicate")));

  // True positives below the last false positive.
  const [first] = all
    .filter((row) => row.class === "Emphysema" && row.verdict === "false_positive")
    .sort((a, b) => Number(a.score) - Number(b.score));
  await quirk("Q1").getByTestId("quirk-detections").first().click();
  await shows(
    page,
    imagesOf(
      all.filter(
        (row) =>
          row.class === "Emphysema" && row.verdict === "true_positive" && Number(row.score) < Number(first?.score),
      ),
    ),
  );

  // As many images as detections at most, and the filter goes away again.
  await quirk("Q8").getByTestId("quirk-cost").click();
  await expect(chip(page, "Q8")).toBeVisible();
  await expect(page.getByTestId("shown")).toHaveText(/^[12] of 104 images$/);
  await chip(page, "Q8").click();
  await shows(page, 104);
});

test("quirks of other data lead to their images, too", async ({ page }) => {
  for (const [name, id] of [
    ["whole-number-budget", "Q3"],
    ["few-images", "Q4"],
    ["few-images", "Q6"],
    ["leading-false-positive", "Q2"],
  ] as const) {
    await openGolden(page, name);
    await view(page, "quirks");
    await page.locator(`[data-quirk="${id}"]`).getByTestId("quirk-cost").click();
    await expect(chip(page, id), name).toBeVisible();
    await expect(page.getByTestId("shown"), name).toHaveText(/^[1-9]\d* of /);
    await expect(page.getByTestId("tile").first(), name).toBeVisible();
  }
  await openGolden(page, "absent-class");
  await page.getByTestId("absent-detections").click();
  await expect(chip(page, "Q6")).toBeVisible();
});

test("numbers beside the score lead to their images: rates, every detection, IoU thresholds, sizes, image ROC", async ({
  page,
}) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openSample(page);
  await compute(page, 100);
  await detail(page, 1);
  await view(page, "metrics");
  const metrics = page.getByTestId("metrics").locator("tbody tr");
  const ofRun = (options: string[]) => errors(options).filter(({ run }) => run === "model-b.zip");
  const found = (rows: Record<string, string>[], name?: string) =>
    rows.filter(
      (row) => row.verdict === "true_positive" && row.counted === "true" && (name === undefined || row.class === name),
    );

  // A mean over rates: the highest one; one that is none of the options; all of them.
  await metrics.nth(2).getByTestId("metric-recall").click();
  await expect(page.getByTestId("where-run")).toHaveValue("1");
  await expect(page.getByTestId("where-rate").last()).toHaveAttribute("aria-pressed", "true");
  await shows(page, imagesOf(found(ofRun(["--fp", "0.2"]), "Effusion")));
  await metrics.nth(2).getByTestId("metric-seven").click();
  await expect(page.getByTestId("apart")).toHaveText("operating point at 8 FP/image");
  await expect(page.locator('[data-testid="where-rate"][aria-pressed="true"]')).toHaveCount(0);
  await shows(page, imagesOf(found(ofRun(["--fp", "8"]), "Effusion")));
  await metrics.nth(10).getByTestId("metric-area").click();
  await expect(page.getByTestId("apart")).toHaveText("operating point at 1 FP/image");
  await shows(page, imagesOf(found(ofRun(["--fp", "1"]))));
  await page.getByTestId("apart").click();
  await expect(page.locator('[data-testid="where-rate"][aria-pressed="true"]')).toHaveCount(1);

  // Average precision: every detection and lesion of the class, at the IoU threshold.
  const all = ofRun(["--fp", "1e300", "--iou", "0.75"]);
  await metrics.nth(2).getByTestId("metric-ap75").click();
  await expect(page.getByTestId("apart")).toHaveText("every detection counts");
  await expect(page.getByTestId("own-iou")).toHaveText("IoU threshold 0.75");
  await shows(page, imagesOf(all.filter((row) => row.class === "Effusion")));
  await page.locator('[data-testid="filter-cause"][data-category="true_positive"]').click();
  await shows(page, imagesOf(found(all, "Effusion")));
  await page.getByTestId("own-iou").click();
  await shows(page, imagesOf(found(ofRun(["--fp", "1e300"]), "Effusion")));

  // Sizes: lesions of the third, as the report tells their areas.
  const truth = JSON.parse(SAMPLE[0]?.buffer.toString() ?? "[]") as { syms: string[]; boxes: number[][] }[];
  const { runs } = await report(page);
  const rows = runs[1]?.statistics?.rows ?? [];
  for (const [at, size] of ["small", "medium", "large"].entries()) {
    const [least = 0, most = 0] =
      rows[2]?.sizes.find((one) => one.division === "thirds" && one.size === size)?.areas ?? [];
    const isOfSize = ([x1 = 0, y1 = 0, x2 = 0, y2 = 0]: number[]) =>
      (x2 - x1) * (y2 - y1) >= least && (x2 - x1) * (y2 - y1) <= most;
    await metrics.nth(2).getByTestId("metric-size").nth(at).click();
    await expect(chip(page, "size")).toHaveText(
      `lesions of the ${["smallest", "middle", "largest"][at]} third of their class`,
    );
    await shows(
      page,
      truth.filter(({ syms, boxes }) => boxes.some((box, lesion) => syms[lesion] === "Effusion" && isOfSize(box)))
        .length,
    );
  }

  // Image ROC: by the highest score, every image with a lesion or a detection of the class.
  await metrics.nth(2).getByTestId("metric-roc").click();
  await expect(page.getByTestId("order")).toHaveValue("highest_score");
  await shows(page, imagesOf(ofRun(["--fp", "1e300"]).filter((row) => row.class === "Effusion")));
  const detections = ofRun(["--fp", "1e300"]).filter(
    (row) => row.class === "Effusion" && row.verdict !== "missed_lesion",
  );
  const [top] = detections.sort((a, b) => Number(b.score) - Number(a.score));
  await expect(page.getByTestId("tile").first()).toHaveAttribute("title", top?.image ?? "");

  // All classes ranked together have one threshold: the lesions missed are those of the pooled recall.
  await metrics.nth(11).getByTestId("metric-recall").click();
  await expect(page.getByTestId("apart")).toHaveText("operating point at 0.2 FP/image, all classes ranked together");
  const pooled = rows.at(-1);
  const lesions = pooled?.n_lesions ?? 0;
  await view(page, "causes");
  await expect(page.getByTestId("missed-lesions").first()).toHaveText(
    `${Math.round(lesions * (1 - (pooled?.recall.at(-1)?.value ?? 0)))} of ${lesions}`,
  );

  // Other conventions: what they decide otherwise.
  await view(page, "metrics");
  await page.getByTestId("convention").last().click();
  await expect(chip(page, "Q7")).toBeVisible();
  await expect(chip(page, "Q8")).toBeVisible();
});

test("points of curves lead to their images, by click and by keys", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openSample(page);
  await compute(page, 100);
  const at = async (plot: Locator, x: number, y: number) => {
    await plot.scrollIntoViewIfNeeded();
    const box = await plot.boundingBox();
    if (!box) throw new Error("the plot has no box");
    return { position: { x: box.width * x, y: box.height * y } };
  };
  const found = (rows: Record<string, string>[], run: string, name?: string) =>
    imagesOf(
      rows.filter(
        (row) =>
          row.run === run &&
          row.verdict === "true_positive" &&
          row.counted === "true" &&
          (name === undefined || row.class === name),
      ),
    );

  // The FROC curve of a class: at the bottom the lower one is the nearest.
  await page.getByTestId("curve-row").selectOption("Nodule");
  const curve = page.getByTestId("froc-plot");
  await curve.focus();
  await page.keyboard.press("PageUp");
  await page.keyboard.press("PageUp");
  await expect(page.getByTestId("froc-readings")).toContainText("0.2 FP/image");
  await page.getByTestId("froc-reading").last().click();
  await expect(page.getByTestId("where-run")).toHaveValue("1");
  await expect(page.getByTestId("filter-class")).toHaveValue("3");
  await shows(page, found(errors(["--fp", "0.2"]), "model-b.zip", "Nodule"));
  await curve.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("where-run")).toHaveValue("0");
  await shows(page, found(errors(["--fp", "0.2"]), "model-a.zip", "Nodule"));
  await curve.click(await at(curve, 0.6, 0.8));
  await expect(page.getByTestId("apart")).toHaveText(/^operating point at 0\.\d+ FP\/image$/);

  // Verdicts at another IoU threshold, while the score keeps its own.
  await page.getByTestId("tab-sweep").click();
  await expect(page.getByTestId("sweep-class").locator("option:checked")).toHaveText("Nodule");
  await page.getByTestId("sweep-class").selectOption("mean over classes");
  await expect(page.getByTestId("filter-class")).toHaveValue("");
  await page.getByTestId("sweep-plot").focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.getByTestId("sweep-plot-reading").first().click();
  await expect(page.getByTestId("own-iou")).toHaveText("IoU threshold 0.2");
  await shows(page, found(errors(["--fp", "0.2", "--iou", "0.2"]), "model-a.zip"));
  expect((await report(page)).options.iou_threshold).toBe(0.5);
  await page.getByTestId("official-recall").first().click();
  await expect(page.getByTestId("own-iou")).toHaveCount(0);

  // Image ROC: as many images as the curve takes at that point, and no others.
  await page.getByTestId("tab-roc").click();
  await page.getByTestId("roc-class").selectOption("Mass");
  const roc = page.getByTestId("roc-plot");
  await expect(roc).toHaveAttribute("aria-label", "ROC curve of Mass");
  await roc.focus();
  await page.keyboard.press("Home");
  for (let n = 0; n < 5; n++) await page.keyboard.press("ArrowRight");
  const reading = (await page.getByTestId("roc-plot-reading").first().textContent()) ?? "";
  await page.getByTestId("roc-plot-reading").first().click();
  const least = Number(await page.getByTestId("min-score").inputValue());
  expect(least, reading).toBeGreaterThan(0);
  const rows = errors(["--fp", "1e300"]).filter(
    (row) => row.run === "model-a.zip" && row.class === "Mass" && row.verdict !== "missed_lesion",
  );
  await shows(page, imagesOf(rows.filter(({ score }) => Number(score) >= least)));
  const truth = JSON.parse(SAMPLE[0]?.buffer.toString() ?? "[]") as { file_name: string; syms: string[] }[];
  const taken = new Set(rows.filter(({ score }) => Number(score) >= least).map(({ image }) => image));
  const positive = truth.filter(({ syms }) => syms.includes("Mass"));
  const share = positive.filter(({ file_name }) => taken.has(file_name)).length / positive.length;
  expect(reading).toContain(`${(100 * share).toFixed(2)}%`);
  await page.getByTestId("roc-area").last().click();
  await expect(page.getByTestId("min-score")).toHaveValue("");
  await expect(page.getByTestId("where-run")).toHaveValue("1");
});

test("a difference between runs leads to the images on which they differ, most first, both side by side", async ({
  page,
}) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openSample(page);
  await compute(page, 100);
  await page.getByTestId("forest-what").selectOption("difference 0");
  await page.getByTestId("forest-plot").locator('[data-series="Mass"]').click();
  await expect(page.getByTestId("where-run")).toHaveValue("1");
  await expect(page.getByTestId("order")).toHaveValue("disagreement");
  await expect(page.getByTestId("filter-class")).toHaveValue("4");
  await expect(chip(page, "change")).toHaveText("not as in model-a.zip");
  const shown = async () => Number(/\d+/.exec((await page.getByTestId("shown").textContent()) ?? "")?.[0]);
  await expect.poll(shown).toBeLessThan(104);
  expect(await shown()).toBeGreaterThan(0);
  await page.getByTestId("tile").first().click();
  await expect(page.getByTestId("film")).toHaveCount(2);
  await page.keyboard.press("Escape");

  // As many images as the report says changed sides, at every rate.
  const changes = (await report(page)).comparisons?.[0]?.changes ?? [];
  for (const [at, { images, lesions }] of changes.entries()) {
    const [gained, lost, better, worse] = [0, 1, 2, 3].map((number) =>
      page.getByTestId("changes").locator("li").nth(at).getByTestId("change").nth(number),
    );
    await better?.click();
    await expect(page.getByTestId("where-rate").nth(at)).toHaveAttribute("aria-pressed", "true");
    await shows(page, images.gained);
    await worse?.click();
    await shows(page, images.lost);
    // Each of these images holds one of the lesions at least.
    for (const [link, n] of [
      [gained, lesions.gained],
      [lost, lesions.lost],
    ] as const) {
      await link?.click();
      await expect(chip(page, "change")).toHaveText(/a lesion (found, and missed|missed, and found) by model-a\.zip/);
      await expect.poll(shown).toBeLessThanOrEqual(n);
      expect((await shown()) > 0).toBe(n > 0);
    }
  }
});
