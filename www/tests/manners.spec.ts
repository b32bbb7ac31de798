// How the page behaves under the hand: nothing moves, nothing covers, nothing is wider than the window.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { expect, test, type Page } from "@playwright/test";

import {
  choose,
  compute,
  golden,
  goldenCase,
  open,
  openExport,
  report,
  settled,
  terminal,
  upload,
  zip,
  view,
} from "./page.ts";

/** Where everything of the result stands, and how the page is scrolled. */
const places = (page: Page) =>
  page
    .locator("#scores, [data-testid=run], [data-testid=export], [data-testid=iou]")
    .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));

async function openNamed(page: Page, names: string[]): Promise<void> {
  const [truth, predictions] = goldenCase(join(golden, "synthetic"));
  if (!truth || !predictions) throw new Error("a golden case has two files");
  await open(page);
  await choose(page, [truth, ...names.map((name) => upload(name, predictions.buffer))]);
  await expect(page.getByTestId("run-scores")).toHaveCount(names.length);
}

for (const width of [390, 1440]) {
  test(`at ${width} px options that make no sense dim the score of those before, which says what it is of, and nothing moves`, async ({
    page,
  }) => {
    await page.setViewportSize({ width, height: 900 });
    await openNamed(page, ["a.zip"]);
    // A telephone shows files and options on demand.
    if (width < 560) await page.getByTestId("files-fold").click();
    await page.getByTestId("iou").fill("0.3");
    await expect(page.locator("#scores")).toContainText("IoU 0.3");
    await settled(page);
    const before = await places(page);
    await page.getByTestId("iou").fill("abc");
    await expect(page.getByTestId("error")).toBeVisible();
    await expect(page.getByTestId("results")).toHaveCSS("opacity", "0.45");
    await expect(page.locator("#scores")).toContainText("IoU 0.3");
    expect(await places(page)).toEqual(before);
    await page.getByTestId("iou").fill("0.3");
    await expect(page.getByTestId("error")).toHaveCount(0);
    await expect(page.getByTestId("results")).toHaveCSS("opacity", "1");
    expect(await places(page)).toEqual(before);
  });
}

test("a tooltip waits, opens for a pointer that moves and for no other, and keeps off what it explains", async ({
  page,
}) => {
  await open(page);
  const sample = page.getByTestId("score-sample");
  const box = await sample.boundingBox();
  if (!box) throw new Error("the button has no box");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.up();
  await settled(page);
  const tip = page.getByTestId("explanation");
  await page.waitForTimeout(600);
  await expect(tip).toBeHidden();
  const number = page.getByTestId("official-average").first();
  await number.hover();
  await page.waitForTimeout(100);
  await expect(tip).toBeHidden();
  await expect(tip).toBeVisible();
  const [own, explained] = [await tip.boundingBox(), await number.boundingBox()];
  if (!own || !explained) throw new Error("both are on the screen");
  expect(own.y >= explained.y + explained.height || own.y + own.height <= explained.y).toBe(true);

  // What a menu is about is not told over the open menu.
  const menu = page.getByTestId("classes-scored").locator("summary");
  await menu.hover();
  await expect(tip).toBeVisible();
  await menu.click();
  await page.waitForTimeout(600);
  await expect(tip).toBeHidden();

  // What opens or closes elsewhere, however late, leaves what is focused explained.
  await number.focus();
  await expect(tip).toBeVisible();
  const details = page.getByTestId("classes-scored");
  await details.evaluate(async (element) => {
    const toggled = new Promise((done) => element.addEventListener("toggle", done, { once: true }));
    (element as HTMLDetailsElement).open = !(element as HTMLDetailsElement).open;
    await toggled;
  });
  await expect(number).toBeFocused();
  await expect(tip).toBeVisible();
});

test("the chip of a file counts what is scored of it, by choice read otherwise", async ({ page }) => {
  const boxes = Array.from({ length: 40 }, (_, at) => [100 + at * 5, 300 + at * 3, 160 + at * 5, 345 + at * 3]);
  const truth = boxes.map((box, at) => ({ file_name: `${at}.png`, syms: ["Nodule"], boxes: [box] }));
  const name = (at: number) => (at < 20 ? "Nodule" : "NODULE");
  const files = boxes.map((box, at) => [`${at}.json`, JSON.stringify([{ [name(at)]: [...box, at / 100] }])]);
  await open(page);
  await choose(page, [upload("test.json", JSON.stringify(truth)), upload("names.zip", zip(Object.fromEntries(files)))]);
  const chip = page.getByTestId("file").filter({ hasText: "names.zip" });
  await expect(chip).toContainText("20 detections");
  await page.getByTestId("remedy").first().click();
  await expect(page.getByTestId("reading")).toBeVisible();
  expect((await report(page)).runs[0]?.n_detections).toBe(40);
  await expect(chip).toContainText("40 detections");
  await view(page, "points");
  await expect(page.getByTestId("run-detections")).toHaveText("40 detections");
});

test("names of 60 characters widen the page at no width", async ({ page }) => {
  const names = ["a", "b"].map((letter) => `run_${letter}_faster_rcnn_r50_fpn_1x_chestx_with_augmentations_s42.zip`);
  await openNamed(page, names);
  await compute(page, 20);
  await page.getByTestId("forest-what").selectOption("difference 0");
  for (const width of [320, 360, 390, 768, 1024, 1440, 1920, 2560]) {
    await page.setViewportSize({ width, height: 900 });
    await expect
      .poll(
        () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
        `at ${width}`,
      )
      .toBeLessThanOrEqual(0);
  }
});

test("sliders have 120 pixels, and thresholds and recalls do not overprint, with a wide font", async ({ page }) => {
  await open(page);
  await page.getByTestId("score-sample").click();
  await settled(page);
  await view(page, "thresholds");
  await page.evaluate(() => (document.documentElement.style.fontFamily = '"DejaVu Sans", Verdana'));
  for (const width of [320, 390, 768, 1024, 1366, 1440, 1680, 2560]) {
    await page.setViewportSize({ width, height: 900 });
    const faults = await page.getByTestId("thresholds").evaluate((section) => {
      const narrow = [...section.querySelectorAll("input[type=range]")].filter(
        (slider) => slider.getBoundingClientRect().width < 120,
      ).length;
      const texts = [...section.querySelectorAll("output, [data-testid=counts], .name")].map((element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return { box: range.getBoundingClientRect(), isCut: getComputedStyle(element).textOverflow === "ellipsis" };
      });
      const over = texts.flatMap((one, at) =>
        texts
          .slice(at + 1)
          .filter(
            (other) =>
              !one.isCut &&
              !other.isCut &&
              one.box.right > other.box.left + 1 &&
              other.box.right > one.box.left + 1 &&
              one.box.bottom > other.box.top + 4 &&
              other.box.bottom > one.box.top + 4,
          ),
      ).length;
      return { narrow, over };
    });
    expect(faults, `at ${width}`).toEqual({ narrow: 0, over: 0 });
  }
});

test("the curves are drawn as the terminal computes them, at a hundred rates, and nowhere left of their first point", async ({
  page,
}) => {
  const files = goldenCase(join(golden, "synthetic"));
  await open(page);
  await choose(page, files);
  await compute(page, 20);
  // The same numbers every time, all over the axis.
  let state = 7;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const rates = [
    ...new Set(Array.from({ length: 100 }, () => Number((10 ** (-2.3 + 2.6 * random())).toPrecision(5)))),
  ].sort((a, b) => a - b);
  const run = (
    JSON.parse(terminal(files, ["--statistics", "--fp", rates.join(",")]).toString()) as Awaited<
      ReturnType<typeof report>
    >
  ).runs[0];
  for (const axis of ["log", "linear"]) {
    await page.getByTestId("curve-axis").selectOption(axis);
    for (const [row, title] of [
      ["Nodule", "Nodule"],
      ["mean", "mean over classes"],
      ["pooled", "all classes ranked together"],
    ] as const) {
      await page.getByTestId("curve-row").selectOption(row);
      await expect(page.getByTestId("froc-plot")).toHaveAttribute("aria-label", `FROC curve, ${title}`);
      await page.getByTestId("froc-plot").focus();
      const exact = run?.statistics?.rows.find(({ name }) => name === row)?.recall.map(({ value }) => value) ?? [];
      await expect(async () => {
        const drawn = await page.getByTestId("froc-plot").evaluate((plot, rates) => {
          const number = (element: Element | null | undefined, name: string) => Number(element?.getAttribute(name));
          // The axes are read as a person does: from their ticks.
          const texts = [...plot.querySelectorAll("text")].map((text) => ({
            text: text.textContent,
            x: number(text, "x"),
            y: number(text, "y"),
            anchor: text.getAttribute("text-anchor"),
          }));
          const across = texts.filter(({ text, anchor }) => anchor === "middle" && /^[\d.]+$/.test(text));
          const up = texts.filter(({ text }) => /^\d+%$/.test(text));
          const [a, b] = [across[0], across.at(-1)];
          const isLog = a?.text !== "0";
          const of = (rate: number) => (isLog ? Math.log(rate) : rate);
          if (!a || !b) throw new Error("there are ticks");
          const x = (rate: number) =>
            a.x + ((of(rate) - of(Number(a.text))) / (of(Number(b.text)) - of(Number(a.text)))) * (b.x - a.x);
          const [zero, one] = [
            up.find(({ text }) => text === "0%")?.y ?? NaN,
            up.find(({ text }) => text === "100%")?.y ?? NaN,
          ];
          const path = plot.querySelector<SVGPathElement>("path[data-series]");
          const points = [...(path?.getAttribute("d") ?? "").matchAll(/([\d.]+),([\d.]+)/g)].map(
            ([, x, y]) => [Number(x), Number(y)] as const,
          );
          const last = points.at(-1)?.[0] ?? 0;
          // A step that is nearer than a hundredth of a pixel may be taken or not.
          const at = (place: number) => points.findLast(([x]) => x <= place)?.[1];
          return rates.map((rate) =>
            x(rate) > last || x(rate) < (points[0]?.[0] ?? 0)
              ? null
              : [at(x(rate) - 0.02), at(x(rate) + 0.02)].map((y) =>
                  y === undefined ? NaN : (y - zero) / (one - zero),
                ),
          );
        }, rates);
        expect(drawn.filter((ends) => ends !== null).length).toBeGreaterThan(30);
        for (const [at, ends] of drawn.entries()) {
          if (!ends) continue;
          const best = Math.min(
            ...ends.map((end) => Math.abs(end - (exact[at] ?? NaN))).filter((distance) => !Number.isNaN(distance)),
          );
          expect(best, `${row} at ${rates[at]}, ${axis}`).toBeLessThan(1e-4);
        }
      }).toPass({ timeout: 10_000 });
    }
  }
});

test("the form of a bug is filled in with version and browser, and with nothing of files", async ({ page }) => {
  await open(page);
  await choose(page, [
    upload(
      "secret-truth.json",
      JSON.stringify([{ file_name: "secret-patient.png", syms: ["Nodule"], boxes: [[1, 1, 9, 9]] }]),
    ),
    upload("secret-model.zip", zip({ "secret-patient.json": '[{"Nodule": [1, 1, 9, 9, 0.9]}]' })),
  ]);
  const manifest = readFileSync(resolve(import.meta.dirname, "../../Cargo.toml"), "utf8");
  const told = (key: string) => new RegExp(`^${key} = "(.*)"$`, "m").exec(manifest)?.[1] ?? "";
  const address = new URL((await page.getByTestId("report-bug").getAttribute("href")) ?? "");
  expect(address.origin + address.pathname).toBe(`${told("repository")}/issues/new`);
  expect(
    existsSync(
      resolve(import.meta.dirname, "../../.github/ISSUE_TEMPLATE", address.searchParams.get("template") ?? ""),
    ),
  ).toBe(true);
  const body = address.searchParams.get("body") ?? "";
  expect(body).toContain(`froc ${told("version")},`);
  expect(body).toContain(await page.evaluate(() => navigator.userAgent));
  expect(address.href).not.toMatch(/secret|patient\.|model|Nodule/);
  const links = await page.locator("footer nav a").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  for (const part of ["ChestX-Det10-Dataset", "arxiv.org/abs/2006.10550", "/blob/c535e9a/eval.py", told("repository")])
    expect(links.some((link) => link?.endsWith(part))).toBe(true);
});

test("the export menu scrolls in a low window, and no words in it stand over others", async ({ page }) => {
  for (const [width, height] of [
    [360, 740],
    [1440, 600],
  ] as const) {
    await page.setViewportSize({ width, height });
    await openNamed(page, ["a.zip"]);
    await openExport(page);
    const words = await page
      .getByTestId("export")
      .locator(".menu h3, .menu span")
      .evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map(({ top, bottom }) => ({ top, bottom })));
    expect(words.length).toBeGreaterThan(20);
    for (const [at, { top }] of words.entries())
      expect(top, `${width} px, ${at}`).toBeGreaterThanOrEqual((words[at - 1]?.bottom ?? 0) - 1);
  }
});
