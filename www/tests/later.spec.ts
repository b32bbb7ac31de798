// The engine comes in two parts: the first one scores, and nothing waits for the second that can do without.
import { expect, test, type Page } from "@playwright/test";

import { choose, downloadReport, open, settled, terminal, upload, zip, type Upload } from "./page.ts";

const rest = /froc_rest/;
const places = Array.from({ length: 60 }, (_, at) => [100 + at * 5, 300 + at * 3, 160 + at * 5, 345 + at * 3] as const);
const truth = upload("test.json", JSON.stringify(places.map((box, at) => ({ file_name: `${at}.png`, syms: ["Nodule"], boxes: [box] }))));

/** Boxes as x, y, width and height, which is found by looking into them. */
const files = Object.fromEntries(
  places.map(([x1, y1, x2, y2], at) => [`${at}.json`, JSON.stringify([{ Nodule: [x1, y1, x2 - x1, y2 - y1, 0.5 + at / 1000] }])]),
);
const run: Upload = upload("run.zip", zip(files));

/** Holds the second part back until it is let go. */
async function hold(page: Page): Promise<() => void> {
  let letGo = () => undefined as void;
  const free = new Promise<void>((resolve) => (letGo = resolve));
  await page.route(rest, (route) => free.then(() => route.continue()));
  return letGo;
}

test("a score is shown without the second part, and what is wrong with the files once it is there", async ({ page }) => {
  const letGo = await hold(page);
  await open(page);
  await page.getByTestId("file-input").setInputFiles([truth, run]);
  await expect(page.getByTestId("run-scores")).toContainText("%");
  await expect(page.locator('[data-code="box_layout"]')).toHaveCount(0);
  const before = await page.getByTestId("run-scores").innerText();
  letGo();
  await expect(page.locator('[data-code="box_layout"]')).toHaveCount(1);
  await settled(page);
  expect((await downloadReport(page)).equals(terminal([truth, run], []))).toBe(true);
  await expect(page.getByTestId("run-scores")).toHaveText(before, { useInnerText: true });
});

test("other options before the second part is there change nothing about what it finds", async ({ page }) => {
  const letGo = await hold(page);
  await open(page);
  await page.getByTestId("file-input").setInputFiles([truth, run]);
  await expect(page.getByTestId("run-scores")).toContainText("%");
  await page.getByTestId("fp").fill("0.5");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("results")).toContainText("0.5 FP/image");
  letGo();
  await expect(page.locator('[data-code="box_layout"]')).toHaveCount(1);
  await settled(page);
  expect((await downloadReport(page)).equals(terminal([truth, run], ["--fp", "0.5"]))).toBe(true);
});

test("statistics asked for before the second part is there are computed once it is", async ({ page }) => {
  const letGo = await hold(page);
  await open(page);
  await page.getByTestId("file-input").setInputFiles([truth, run]);
  await page.getByTestId("replicates").fill("200");
  await page.getByTestId("compute").click();
  await expect(page.getByTestId("cancel-bootstrap")).toBeVisible();
  letGo();
  await expect(page.getByTestId("bootstrap-used")).toContainText("200 replicates");
  await expect(page.locator('[data-code="box_layout"]')).toHaveCount(1);
  expect((await downloadReport(page)).equals(terminal([truth, run], ["--bootstrap", "200"]))).toBe(true);
});

test("a file that takes the patient reader waits for the second part, and is read as in the terminal", async ({ page }) => {
  const letGo = await hold(page);
  const escaped = upload("escaped.zip", zip({ ...files, "0.json": '[{"\\u004eodule": [10, 10, 49, 49, 0.5]}]' }));
  await open(page);
  await page.getByTestId("file-input").setInputFiles([truth, escaped]);
  await expect(page.locator('[data-state="ready"]')).toHaveCount(1);
  await expect(page.locator('[data-state="reading"]')).toHaveCount(1);
  letGo();
  await settled(page);
  expect((await downloadReport(page)).equals(terminal([truth, escaped], []))).toBe(true);
});

test("without the second part the score stays, and what needs it says so", async ({ page }) => {
  await page.route(rest, (route) => route.abort());
  await open(page);
  const told = page.getByTestId("error").filter({ hasText: "a part of the page did not arrive" });
  await expect(told).toBeVisible();
  await page.getByTestId("file-input").setInputFiles([truth, run]);
  await expect(page.getByTestId("run-scores")).toContainText("%");
  await page.getByTestId("download-json").click();
  await expect(told).toBeVisible();
  await expect(page.getByTestId("error").nth(1)).toContainText("the part of the engine that it needs is not there");
  // What is wrong with a run that is refused is known without it.
  await choose(page, [upload("twice.zip", zip({ "0.json": "[]", "more/0.json": "[]" }))]);
  await expect(page.getByTestId("error").filter({ hasText: "twice.zip" })).toContainText("are both for image");
  await choose(page, [upload("broken.zip", zip({ "0.json": "{" }))]);
  await expect(page.getByTestId("error").filter({ hasText: "broken.zip" })).toContainText("reload it");
  await expect(page.getByTestId("run-scores")).toContainText("%");
});
