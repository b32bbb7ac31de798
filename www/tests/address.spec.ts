// What is looked at stands in the address; the help explains the words, and keys do what it says.
import { readFileSync } from "node:fs";

import { expect, test, type Page } from "@playwright/test";

import { choose, compute, open, report, settled, upload, view, zip } from "./page.ts";

/** Opens the page at an address, from anew. */
async function openAt(page: Page, hash: string): Promise<void> {
  await page.goto("about:blank");
  await page.goto(`/${hash}`);
  await expect(page.getByTestId("page")).toHaveAttribute("data-ready", "true");
  // The sample comes by itself, a moment later.
  if (hash.startsWith("#v=1&open=")) await expect(page.getByTestId("headline")).toBeVisible();
  await settled(page);
}

const hash = (page: Page) => page.evaluate(() => location.hash);

/** What of the selection is to be seen. */
const seen = (page: Page) =>
  page.evaluate(() => {
    const pressed = (testid: string) =>
      [...document.querySelectorAll(`[data-testid=${testid}]`)].map((one) => one.getAttribute("aria-pressed"));
    const text = (testid: string) => document.querySelector(`[data-testid=${testid}]`)?.textContent?.trim();
    return {
      rules: pressed("convention-exact"),
      rates: pressed("where-rate"),
      average: pressed("average"),
      classes: pressed("choose-class"),
      tab: document.querySelector("[role=tab][aria-selected=true]")?.textContent,
      headline: text("headline"),
      shown: text("shown"),
      iou: (document.querySelector("[data-testid=iou]") as HTMLInputElement | null)?.value,
      order: (document.querySelector("[data-testid=order]") as HTMLSelectElement | null)?.value,
    };
  });

test("a link opens the sample as it was looked at, and a reload brings it back", async ({ page }) => {
  await openAt(page, "#v=1&open=sample");
  await expect(page.getByTestId("headline")).toBeVisible();
  await page.getByTestId("where-rate").nth(1).click();
  await page.getByTestId("convention-exact").click();
  await page.getByTestId("choose-class").nth(3).click();
  await page.getByTestId("tab-roc").click();
  await page.getByTestId("order").selectOption("false_positives");
  await page.getByTestId("iou").fill("0.3");
  await expect.poll(() => hash(page)).toContain("iou=0.3");
  await settled(page);
  const [address, before] = [await hash(page), await seen(page)];
  await page.reload();
  await expect(page.getByTestId("headline")).toBeVisible();
  await settled(page);
  await expect.poll(() => seen(page)).toEqual(before);
  expect(await hash(page)).toBe(address);
  await openAt(page, address);
  await expect.poll(() => seen(page)).toEqual(before);
});

test("each sample opens by its name, with its pictures, and shows what it says that it teaches", async ({ page }) => {
  const value = async () => Number.parseFloat((await page.getByTestId("headline").textContent()) ?? "");
  const drawn = page.getByTestId("matched");
  await openAt(page, "#v=1&open=sample");
  const ofModelA = await value();
  await expect(drawn).toHaveText("104 images of 104 have their picture.");

  // One click mends the mistake: the boxes are those of the first model.
  await openAt(page, "#v=1&open=mistake");
  expect(await value()).toBe(0);
  await page.getByTestId("remedy").click();
  await expect.poll(value).toBe(ofModelA);
  await expect(drawn).toHaveText("104 images of 104 have their picture.");

  // The official number of the second is the higher one, and the interval of the difference holds 0.
  await openAt(page, "#v=1&open=near-tie");
  const { runs, comparisons } = await report(page);
  const [first, second] = runs.map(({ official }) => official?.average_recall ?? Number.NaN);
  expect(second).toBeGreaterThan(first ?? Number.NaN);
  const interval = comparisons?.[0]?.rows.find(({ name }) => name === "mean")?.average_recall?.interval;
  expect(interval?.[0]).toBeLessThan(0);
  expect(interval?.[1]).toBeGreaterThan(0);

  await openAt(page, "#v=1&open=other-dataset");
  await expect(page.getByTestId("choose-class")).toHaveText([/Pacemaker/, /Button/, /Ring/]);
  await expect(drawn).toHaveText("40 images of 40 have their picture.");
  expect(await value()).toBeGreaterThan(30);
  expect(await value()).toBeLessThan(90);
});

test("the hit criterion and the ignored classes stand in the address, by their places", async ({ page }) => {
  await openAt(page, "#v=1&open=sample&hit=distance:25&ignore=0,4&class=1");
  const rows = page.getByTestId("all-classes-row");
  await expect(rows).toHaveCount(8);
  await expect(page.getByTestId("measure")).toHaveValue("distance");
  await expect(page.getByTestId("iou")).toHaveValue("25");
  await expect(rows.nth(1)).toHaveAttribute("aria-current", "true");
  await expect(rows.nth(1)).toContainText("Effusion");
  await settled(page);
  expect(await hash(page)).toBe("#v=1&open=sample&hit=distance:25&ignore=0,4&class=1");
  await page.getByTestId("measure").selectOption("centre");
  await expect.poll(() => hash(page)).toBe("#v=1&open=sample&hit=centre&ignore=0,4&class=1");
  await settled(page);
  await page.goBack();
  await expect(page.getByTestId("iou")).toHaveValue("25");
  await settled(page);
  await page.getByTestId("reset-options").click();
  await expect(rows).toHaveCount(10);
  await expect.poll(() => hash(page)).toBe("#v=1&open=sample&class=2");
});

test("how images are drawn stands in the address; what is out of range is passed over", async ({ page }) => {
  await openAt(page, "#v=1&open=near-tie&replicates=0&seed=x");
  const used = page.getByTestId("bootstrap-used");
  await view(page, "intervals");
  await expect(used).toContainText("2000 replicates");
  await compute(page, 150);
  await expect.poll(() => hash(page)).toBe("#v=1&open=near-tie&replicates=150&view=intervals");
  await page.reload();
  await expect(used).toContainText("150 replicates");
  await expect(page.getByTestId("replicates")).toHaveValue("150");
  await page.getByTestId("seed").fill("7");
  await page.getByTestId("compute").click();
  await expect(used).toContainText("seed 7");
  await expect.poll(() => hash(page)).toContain("&seed=7");
  await settled(page);
  await page.goBack();
  await expect(used).toContainText("150 replicates");
  await expect(used).toContainText("seed 1");
});

test("Back undoes one choice after the other", async ({ page }) => {
  await openAt(page, "#v=1&open=sample");
  const first = await seen(page);
  await page.getByTestId("where-rate").nth(1).click();
  await expect(page.getByTestId("average")).toHaveAttribute("aria-pressed", "false");
  const second = await seen(page);
  await page.getByTestId("iou").fill("0.3");
  await settled(page);
  await expect.poll(() => hash(page)).toContain("iou=0.3");
  await page.goBack();
  await settled(page);
  await expect.poll(() => seen(page)).toEqual(second);
  await page.goBack();
  await settled(page);
  await expect.poll(async () => (await seen(page)).average).toEqual(first.average);
  expect((await seen(page)).headline).toBe(first.headline);
});

test("an address that means nothing is passed over, in one of another version all of it", async ({ page }) => {
  const failures: string[] = [];
  page.on("pageerror", (error) => failures.push(error.message));
  await openAt(page, "#v=1&open=sample&run=99&class=77&rate=5&order=%00&causes=x,elsewhere&quirks=Q99&tab=&help=");
  await expect(page.getByTestId("headline")).toBeVisible();
  await page.keyboard.press("Escape");
  expect((await seen(page)).average).toEqual(["true"]);
  await openAt(page, "#v=2&open=sample");
  await expect(page.getByTestId("headline")).toHaveCount(0);
  await openAt(page, "#v=1&iou=much");
  await expect(page.getByTestId("headline")).toHaveCount(0);
  expect(failures).toEqual([]);
});

test("the address holds no name and no value of a file", async ({ page }) => {
  await open(page);
  await choose(page, [
    upload(
      "test.json",
      JSON.stringify([{ file_name: "secret-patient.png", syms: ["Nodule"], boxes: [[200, 200, 400, 400]] }]),
    ),
    upload(
      "secret-model.zip",
      zip({ "secret-patient.json": JSON.stringify([{ Nodule: [200, 200, 400, 400, 0.875] }]) }),
    ),
  ]);
  await page.getByTestId("choose-class").first().click();
  await page.getByTestId("search").fill("secret");
  await page.getByTestId("min-score").fill("0.875");
  await page.getByTestId("convention-exact").click();
  await settled(page);
  await expect.poll(() => hash(page)).toContain("rules=exact");
  const address = await hash(page);
  expect(address).not.toMatch(/secret|patient|Nodule|0\.875/);
});

test("keys read rates, rules and classes, not where one types", async ({ page }) => {
  await openAt(page, "#v=1&open=sample");
  await page.keyboard.press("2");
  await expect(page.getByTestId("where-rate").nth(1)).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByTestId("average")).toHaveAttribute("aria-pressed", "false");
  await page.keyboard.press("7");
  await expect(page.getByTestId("where-rate").nth(1)).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("0");
  await expect(page.getByTestId("average")).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("o");
  await expect(page.getByTestId("convention-exact")).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("]");
  const rows = page.getByTestId("all-classes-row");
  await expect(rows.first()).toHaveAttribute("aria-current", "true");
  await expect(page.getByTestId("curve-row")).toHaveValue("Consolidation");
  await page.keyboard.press("[");
  await page.keyboard.press("[");
  await expect(rows.last()).toHaveAttribute("aria-current", "true");
  // A row that is open goes along.
  await page.getByTestId("choose-class").last().click();
  await page.keyboard.press("[");
  await expect(page.getByTestId("class-detail")).toHaveAttribute("data-class", "Fracture");
  await page.getByTestId("iou").focus();
  await page.keyboard.press("o");
  await expect(page.getByTestId("convention-exact")).toHaveAttribute("aria-pressed", "true");
});

test("the help opens by key, button and link, tells every quirk, format and key, and gives the focus back", async ({
  page,
}) => {
  await openAt(page, "#v=1");
  const help = page.getByTestId("help");
  await page.getByTestId("help-open").focus();
  await page.keyboard.press("?");
  await expect(help).toBeVisible();
  await expect(page.locator("#help-shortcuts")).toBeInViewport();
  expect(await page.getByTestId("help-quirk").count()).toBe(11);
  const rows = await page.getByTestId("help-format").allTextContents();
  expect(rows.length).toBeGreaterThan(8);
  // The empty page names what is read, and nothing else.
  const [truths, runs] = await page.locator("#first-look li").allTextContents();
  for (const [text, what] of [
    [truths, "ground truth"],
    [runs, "predictions"],
  ] as const) {
    const named = ["COCO", "CSV", "YOLO", "VOC"].filter((name) => text?.includes(name));
    expect(named.length).toBeGreaterThan(1);
    for (const name of named) {
      expect(rows.filter((row) => row.trim().endsWith(what)).join("\n")).toContain(name);
    }
  }
  await page.keyboard.press("Escape");
  await expect(help).toBeHidden();
  await expect(page.getByTestId("help-open")).toBeFocused();
  await page.getByTestId("help-open").click();
  await page.getByRole("button", { name: "The script's quirks" }).click();
  await expect.poll(() => hash(page)).toContain("help=quirks");
  await page.reload();
  await expect(page.locator("#help-quirks")).toBeInViewport();
  await page.getByTestId("help-close").click();
  await expect.poll(() => hash(page)).not.toContain("help");
});

test("each link of the guide opens the sample in its state, and is that of the page as it is published", async ({
  page,
}) => {
  test.setTimeout(120_000);
  const root = new URL("../../", import.meta.url);
  const repository = /^repository = "https:\/\/github.com\/(.+)\/(.+)"$/m.exec(
    readFileSync(new URL("Cargo.toml", root), "utf8"),
  );
  const published = `https://${repository?.[1]}.github.io/${repository?.[2]}/`;
  const guide = readFileSync(new URL("src/guide.md", root), "utf8");
  const states = [...guide.matchAll(/\]\((https:[^)#]+)(#v=[^)]+)\)/g)].map(([, at, state]) => {
    expect(at).toBe(published);
    return state ?? "";
  });
  expect(states.length).toBeGreaterThan(5);

  await openAt(page, "#v=1&help=guide");
  const links = page.locator("#help-guide a[href^='#']");
  expect(await links.evaluateAll((all) => all.map((one) => one.getAttribute("href")))).toEqual(states);
  const opening = page.waitForEvent("popup");
  await links.first().click();
  const popup = await opening;
  await expect(popup.getByTestId("headline")).toBeVisible();
  await popup.close();
  for (const state of states) {
    await openAt(page, state);
    await expect.poll(() => hash(page)).toBe(state);
    const view = new URLSearchParams(state.slice(1)).get("view");
    if (view) await expect(page.getByTestId(`view-${view}`)).toHaveAttribute("aria-selected", "true");
  }
});
