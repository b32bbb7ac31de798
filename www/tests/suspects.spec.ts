// Is the ground truth right? A list to go through by keys, marks that can be taken back, and a corrected copy beside the original.
import { readFileSync } from "node:fs";

import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";

import { choose, open, settled, terminal, upload, view, zip, type Upload } from "./page.ts";

type Box = [number, number, number, number];
interface Image {
  file_name: string;
  syms: string[];
  boxes: Box[];
}

const N = 40;
const BOX: Box = [100, 100, 199, 199];
/** Two runs that see a nodule in each of the first thirty images; in five of them the ground truth has none, in three another class. */
const truth: Image[] = Array.from({ length: N }, (_, at) => ({
  file_name: `${at}.png`,
  syms: at >= 30 || at < 5 ? [] : [at < 8 ? "Mass" : "Nodule"],
  boxes: at >= 30 || at < 5 ? [] : [BOX],
}));
const run = (name: string, shift: number): Upload =>
  upload(
    name,
    zip(
      Object.fromEntries(
        Array.from({ length: N }, (_, at) => {
          const box = [BOX[0] + shift, BOX[1], BOX[2] + shift, BOX[3], 0.99 - at / 100];
          return [`${at}.json`, JSON.stringify(at < 30 ? [{ Nodule: box }] : [])];
        }),
      ),
    ),
  );
const files = [upload("test.json", JSON.stringify(truth)), run("a.zip", 0), run("b.zip", 4)];

async function openList(page: Page): Promise<void> {
  await open(page);
  await choose(page, files);
  // So many false positives are within the lowest rate.
  await page.getByTestId("fp").fill("0.25, 0.5");
  await settled(page);
  await view(page, "suspects");
  await expect(page.getByTestId("suspect")).toHaveCount(8);
}

test("suspects are gone through by keys, undone, corrected in a copy, and scored under both", async ({ page }) => {
  await openList(page);
  await expect(page.getByTestId("suspect-kind")).toHaveText([
    "all 8",
    "lesion missing 5",
    "wrong label 3",
    "box off 0",
  ]);
  const marked = page.getByTestId("marked");
  const current = page.locator('[data-testid="suspect-open"][aria-current="true"]');
  await page.getByTestId("suspect-open").first().click();
  await page.keyboard.press("Escape");
  await expect(current).toBeFocused();
  await page.keyboard.press("w");
  await expect(marked).toHaveText("1 of 8 marked");
  // The next one is looked at.
  await expect(page.getByTestId("suspect-open").nth(1)).toBeFocused();
  await page.keyboard.press("r");
  await expect(marked).toHaveText("2 of 8 marked");
  await page.keyboard.press("u");
  await expect(marked).toHaveText("1 of 8 marked");
  await expect(page.getByTestId("suspect-open").nth(1)).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByTestId("suspect-open").nth(2)).toBeFocused();

  // Every wrong label: the corrected copy has the class that the runs see.
  await page.getByTestId("suspect-kind").nth(2).click();
  for (const nth of [0, 1, 2]) await page.getByTestId("mark-wrong").nth(nth).click();
  await expect(page.getByTestId("corrections")).toContainText("With 4 corrections of the ground truth");
  const waiting = page.waitForEvent("download");
  await page.getByTestId("save-corrected").click();
  const download = await waiting;
  const bytes = readFileSync(await download.path());
  const corrected = JSON.parse(bytes.toString()) as Image[];
  expect(corrected.map(({ file_name }) => file_name)).toEqual(truth.map(({ file_name }) => file_name));
  expect(corrected.flatMap(({ syms }) => syms).filter((name) => name === "Mass")).toEqual([]);
  expect(corrected.flatMap(({ syms }) => syms).filter((name) => name === "Nodule")).toHaveLength(22 + 3 + 1);
  expect(download.suggestedFilename()).not.toBe("test.json");

  // What is shown is what the terminal gives the copy, under a name that is not the official one.
  const rows = page.getByTestId("under-both");
  await expect(rows).toHaveCount(4);
  const report = JSON.parse(
    terminal([upload("corrected.json", bytes), run("a.zip", 0)], ["--fp", "0.25,0.5"]).toString(),
  ) as { runs: { exact: { average_recall: number } }[] };
  const exact = rows.filter({ hasText: "exact" }).first().locator("td");
  await expect(exact.nth(2)).toHaveText(`${(100 * (report.runs[0]?.exact.average_recall ?? Number.NaN)).toFixed(2)}%`);
  for (const row of await rows.all()) await expect(row.locator(".by")).toContainText("corrections of the ground truth");

  for (const width of [320, 1024]) {
    await page.setViewportSize({ width, height: 800 });
    const beyond = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    });
    expect(beyond, `${width} px`).toBe(0);
  }
  expect((await new AxeBuilder({ page }).include("#classes").analyze()).violations).toEqual([]);

  // The list is saved with its marks.
  const list = page.waitForEvent("download");
  await page.getByTestId("save-suspects").click();
  expect(readFileSync(await (await list).path(), "utf8").match(/,wrong\b|\bwrong,/g)).toHaveLength(4);
});

test("a saved session brings the marks back, and one run alone has no suspects", async ({ page }) => {
  await openList(page);
  await page.getByTestId("mark-right").first().click();
  await expect(page.getByTestId("marked")).toHaveText("1 of 8 marked");
  const waiting = page.waitForEvent("download");
  await page.getByTestId("export").evaluate((menu) => menu.setAttribute("open", ""));
  await page.getByTestId("save-session").click();
  const session = upload("mine.froc.json", readFileSync(await (await waiting).path()));
  await open(page);
  await choose(page, [...files, session]);
  await view(page, "suspects");
  await expect(page.getByTestId("marked")).toHaveText("1 of 8 marked");
  await page.getByRole("button", { name: "Remove b.zip" }).click();
  await settled(page);
  await expect(page.getByTestId("view-suspects")).toHaveCount(0);
});
