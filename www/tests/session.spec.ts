// A session as a file: what is chosen leaves the page without what the files hold, and comes back with the same files.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test, type Page } from "@playwright/test";

import type { SessionFile } from "../pkg/froc.js";
import {
  choose,
  compute,
  drop,
  golden,
  goldenCase,
  open,
  openExport,
  report,
  settled,
  upload,
  view,
  type Upload,
} from "./page.ts";

const [truth, run] = goldenCase(join(golden, "quirks")) as [Upload, Upload];
const other = upload("other.zip", readFileSync(join(golden, "few-images/predictions.zip")));

async function saved(page: Page): Promise<Buffer> {
  await openExport(page);
  const waiting = page.waitForEvent("download");
  await page.getByTestId("save-session").click();
  return readFileSync(await (await waiting).path());
}

/** A page on which nothing is as it comes: options, the name of a run, the baseline, the draws; what it saves as a session. */
async function chosen(page: Page): Promise<Buffer> {
  await open(page);
  await choose(page, [truth, run, other]);
  await page.getByTestId("measure").selectOption("iobb");
  await page.getByTestId("iou").fill("0.3");
  await page.getByTestId("classes-scored").locator("summary").click();
  await page.getByLabel("Mass", { exact: true }).uncheck();
  await settled(page);
  await page.getByTestId("rename").filter({ hasText: "other.zip" }).click();
  await page.keyboard.type("Second reader");
  await page.keyboard.press("Enter");
  await settled(page);
  await compute(page, 150);
  await settled(page);
  return saved(page);
}

test("a session that is dropped with its files restores the very report, on the page and in the terminal", async ({
  page,
}) => {
  const bytes = await chosen(page);
  const before = await report(page);
  expect(before.runs.map(({ name }) => name)).toEqual(["predictions.zip", "Second reader"]);
  expect(before.options).toMatchObject({
    iou_threshold: 0.3,
    hit: { criterion: "iobb" },
    bootstrap: { replicates: 150 },
  });
  expect(before.ground_truth.ignored_classes).toEqual(["Mass"]);
  const session = upload("mine.froc.json", bytes);
  const { predictions, options } = JSON.parse(bytes.toString()) as SessionFile;
  expect(predictions.map(({ sha256 }) => sha256)).toEqual(before.runs.map(({ sha256 }) => sha256));
  expect(options).toEqual(before.options);

  await open(page);
  await drop(page, [other, session, truth, run]);
  await settled(page);
  await expect(page.getByTestId("iou")).toHaveValue("0.3");
  await expect(page.getByTestId("measure")).toHaveValue("iobb");
  await expect(page.getByTestId("class-scored").and(page.locator(":not(:checked)"))).toHaveCount(1);
  await expect(page.getByTestId("rename").filter({ hasText: "Second reader" })).toHaveCount(1);
  expect(await report(page)).toEqual(before);
  expect((await saved(page)).equals(bytes)).toBe(true);

  const froc = process.env.FROC_BIN;
  if (!froc) throw new Error("FROC_BIN names no program; run the tests by `cargo xtask test`");
  const folder = mkdtempSync(join(tmpdir(), "froc-"));
  const [file, ...inputs] = [session, other, truth, run].map(({ name, buffer }) => {
    writeFileSync(join(folder, name), buffer);
    return join(folder, name);
  });
  const printed = execFileSync(froc, ["score", "--session", file ?? "", ...inputs, "--format", "json"]);
  expect(JSON.parse(printed.toString())).toEqual(before);
});

test("what was looked at, moved and noted is restored, and the score thresholds chosen elsewhere", async ({ page }) => {
  await open(page);
  await choose(page, [truth, run]);
  await view(page, "thresholds");
  const waiting = page.waitForEvent("download");
  await page.getByTestId("keep-thresholds").click();
  const download = await waiting;
  const thresholds = upload("elsewhere.json", readFileSync(await download.path()));

  const files = [truth, run, other, thresholds];
  await open(page);
  await choose(page, files);
  await compute(page, 100);
  await settled(page);
  await view(page, "recall");
  await page.getByTestId("where-rate").nth(1).click();
  await page.getByTestId("convention-exact").click();
  await page.getByTestId("tab-roc").click();
  await page.getByTestId("order").selectOption("false_positives");
  await page.getByTestId("choose-class").nth(2).click();
  const slider = page.getByTestId("class-detail").getByTestId("threshold");
  await slider.focus();
  for (let step = 0; step < 5; step++) await page.keyboard.press("ArrowRight");
  await page.getByTestId("notes").locator("summary").click();
  await page.getByTestId("notes-text").fill("Ask Wu about the masses.\nThen rescore.");
  await settled(page);
  const looks = () =>
    page.evaluate(() => ({
      address: location.hash,
      rates: [...document.querySelectorAll("[data-testid=where-rate]")].map((one) => one.getAttribute("aria-pressed")),
      tab: document.querySelector("[role=tab][aria-selected=true]")?.textContent,
      counts: [...document.querySelectorAll("[data-testid=counts]")].map((one) => one.textContent),
      thresholds: [...document.querySelectorAll<HTMLInputElement>("[data-testid=threshold]")].map(({ value }) => value),
    }));
  await view(page, "thresholds");
  const before = await looks();
  expect(before.counts.length).toBeGreaterThan(0);
  const told = await report(page);
  expect(told.thresholds?.name).toBe("elsewhere.json");
  const bytes = await saved(page);
  const session = JSON.parse(bytes.toString()) as SessionFile;
  expect(session.notes).toContain("masses");
  expect(session.selection?.score_thresholds).toHaveLength(10);
  // Places and words of the page, no name of a class or a file.
  expect(session.selection?.address).toMatch(/^v=1(&[a-z]+=[a-z0-9_.-]+)+$/);

  await open(page);
  await choose(page, [...files.toReversed(), upload("mine.froc.json", bytes)]);
  await settled(page);
  await expect.poll(looks).toEqual(before);
  await expect(page.getByTestId("notes-text")).toHaveValue("Ask Wu about the masses.\nThen rescore.");
  expect(await report(page)).toEqual(told);
  expect((await saved(page)).equals(bytes)).toBe(true);

  // Without the file of thresholds it is asked for.
  await open(page);
  await choose(page, [truth, run, other, upload("mine.froc.json", bytes)]);
  await expect(page.getByText("elsewhere.json: it is not here; expected the file of the session")).toBeVisible();
  await choose(page, [thresholds]);
  await expect.poll(async () => (await report(page)).thresholds?.name).toBe("elsewhere.json");
  await expect.poll(looks).toEqual(before);
});

test("notes that were not saved are not lost by leaving the page", async ({ page }) => {
  const openSample = async () => {
    await page.goto("/#v=1&open=sample");
    await settled(page);
    await page.getByTestId("notes").locator("summary").click();
  };
  await openSample();
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.type());
    void dialog.accept();
  });
  await page.getByTestId("notes-text").fill("Not yet.");
  await page.reload();
  expect(dialogs).toEqual(["beforeunload"]);
  await settled(page);
  await page.getByTestId("notes").locator("summary").click();
  await page.getByTestId("notes-text").fill("Now.");
  await saved(page);
  await page.reload();
  expect(dialogs).toHaveLength(1);
});

test("a session tells which files are not here, waits for them, and says which are others", async ({ page }) => {
  const bytes = await chosen(page);
  await open(page);
  await choose(page, [upload("mine.froc.json", bytes), truth, run]);
  const message = page.getByText("other.zip: it is not here; expected the file of the session");
  await expect(message).toBeVisible();
  await choose(page, [upload("other.zip", run.buffer)]);
  await expect(message).toHaveCount(0);
  await expect(page.getByText(/^other\.zip: its SHA-256 begins with/)).toBeVisible();
  await expect(page.getByTestId("status")).toContainText("what is not as it was is told");
  expect((await report(page)).runs.map(({ name }) => name)).toEqual(["predictions.zip", "Second reader"]);

  await choose(page, [upload("cut.froc.json", bytes.subarray(0, 200))]);
  await expect(page.getByText("cut.froc.json: it is no whole session")).toBeVisible();
});
