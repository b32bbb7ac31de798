// What is here, saved as one page: what was not ticked is not in it, and it shows the same from disk without a network.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

import { expect, test, type Page } from "@playwright/test";

import {
  asShown,
  choose,
  downloadReport,
  golden,
  goldenCase,
  open,
  openExport,
  report,
  root,
  settled,
  upload,
  zip,
} from "./page.ts";
import { dist, Site } from "./server.ts";

// Texts and numbers that stand nowhere else: four digits are found by chance in an engine of millions of letters.
const [IMAGE, LEFT, GROUP, VIEW, NOTE] = ["doe-jane-1961", "7391428", "ward-seven-bed", "lateral-left", "ask-wu-of-7"];
const truth = upload(
  "truth.json",
  JSON.stringify(
    Array.from({ length: 12 }, (_, at) => ({
      file_name: `${IMAGE}-${at}.png`,
      syms: at % 2 ? [] : ["Nodule"],
      boxes: at % 2 ? [] : [[Number(LEFT), 10, Number(LEFT) + 9, 40]],
    })),
  ),
);
const run = upload(
  "a.zip",
  zip(
    Object.fromEntries(
      // The last two belong to no image: a finding names them.
      Array.from({ length: 14 }, (_, at) => [
        `${IMAGE}-${at}.json`,
        `[{"Nodule": [${LEFT}, 10, ${Number(LEFT) + 9}, 40, 0.${at + 11}]}]`,
      ]),
    ),
  ),
);
const groups = upload(
  "patients.csv",
  `file_name,group,view\n${Array.from({ length: 12 }, (_, at) => `${IMAGE}-${at}.png,${GROUP}-${Math.floor(at / 2)},${at % 3 ? VIEW : "frontal"}`).join("\n")}\n`,
);

/** The files inside a saved page, by name, read without any code of the page. */
function inside(html: string): Map<string, Buffer> {
  const text = /<script type="application\/json" id="froc-files">(.*?)<\/script>/s.exec(html)?.[1] ?? "[]";
  const files = JSON.parse(text) as { name: string; gzip: string }[];
  return new Map(files.map(({ name, gzip }) => [name, gunzipSync(Buffer.from(gzip, "base64"))]));
}

/** The page that is saved with these ticks, and all that can be read in it. */
async function saved(page: Page, ticks: string[]): Promise<{ html: string; names: string[]; all: string }> {
  // It is packed anew when intervals come.
  await settled(page);
  await openExport(page);
  await page.getByTestId("save-as-page").click();
  for (const tick of ticks) await page.getByTestId(`share-${tick}`).check();
  const button = page.getByTestId("save-page-now");
  await expect(button).toContainText(/Save, [\d.]+ MB/);
  const told = (await button.textContent()) ?? "";
  const waiting = page.waitForEvent("download");
  await button.click();
  const bytes = readFileSync(await (await waiting).path());
  expect(told).toContain((bytes.length / 1e6).toFixed(1));
  const html = bytes.toString("utf8");
  const files = inside(html);
  const texts = [...files].map(([name, bytes]) => name + bytes.toString("latin1"));
  return { html, names: [...files.keys()], all: html.replace(/id="froc-files">.*?<\/script>/s, "") + texts.join("\n") };
}

/** The page without what is saved in it. */
const emptied = (html: string) => html.replace(/<script type="application\/json" id="froc-files">.*?<\/script>/s, "");

async function fromDisk(page: Page, html: string): Promise<void> {
  const path = join(mkdtempSync(join(tmpdir(), "froc-")), "saved.html");
  writeFileSync(path, html);
  await page.context().setOffline(true);
  await open(page, pathToFileURL(path).href);
  await settled(page);
  await expect(page.getByTestId("results")).toBeVisible();
}

test("what is not ticked is not in the page, and what is in it is the page as it was built", async ({ page }) => {
  test.setTimeout(120_000);
  await open(page);
  await choose(page, [truth, run, groups]);
  await page.getByTestId("view-slices").click();
  await page.getByTestId("slice-choice").filter({ hasText: "view" }).click();
  await expect(page.getByTestId("slice-row").first()).toBeVisible();
  const built = readFileSync(join(dist, "froc.html"), "utf8");

  const alone = await saved(page, []);
  expect(alone.names).toEqual(["report.json"]);
  for (const text of [IMAGE, LEFT, GROUP, VIEW]) expect(alone.all).not.toContain(text);
  expect(emptied(alone.html)).toBe(built);

  const withNames = await saved(page, ["names"]);
  expect(withNames.all).toContain(IMAGE);
  for (const text of [GROUP, VIEW]) expect(withNames.all).not.toContain(text);

  const withSlices = await saved(page, ["tables"]);
  expect(withSlices.names).toEqual(["report.json"]);
  expect(withSlices.all).toContain(VIEW);
  for (const text of [IMAGE, LEFT, GROUP]) expect(withSlices.all).not.toContain(text);

  const withBoxes = await saved(page, ["boxes"]);
  expect(withBoxes.names).toEqual(["truth.json", "a.zip", "session.froc.json"]);
  for (const text of [IMAGE, LEFT]) expect(withBoxes.all).toContain(text);
  for (const text of [GROUP, VIEW, "patients.csv"]) expect(withBoxes.all).not.toContain(text);

  const whole = await saved(page, ["boxes", "tables"]);
  expect(whole.names).toEqual(["truth.json", "a.zip", "patients.csv", "session.froc.json"]);
  for (const text of [IMAGE, LEFT, GROUP, VIEW]) expect(whole.all).toContain(text);

  // Notes are asked for where there are any, and go with the boxes alone.
  await page.getByTestId("notes").locator("summary").click();
  await page.getByTestId("notes-text").fill(NOTE);
  for (const ticks of [[], ["names"], ["tables"], ["boxes"], ["boxes", "tables"]])
    expect((await saved(page, ticks)).all).not.toContain(NOTE);
  expect((await saved(page, ["boxes", "notes"])).all).toContain(NOTE);
});

test("the saved page shows the same from disk without a network, and can be saved again", async ({ page, context }) => {
  await open(page);
  await choose(page, [truth, run, groups]);
  await page.getByTestId("iou").fill("0.4");
  await expect.poll(async () => (await report(page)).options.iou_threshold).toBe(0.4);
  await settled(page);
  const before = await report(page);
  const [whole, alone] = [await saved(page, ["boxes", "tables"]), await saved(page, [])];
  await expect(page.getByTestId("request-count")).toHaveText("1 network request");
  await expect(page.getByTestId("privacy")).toContainText("/froc.html");

  const failed: string[] = [];
  const asked: string[] = [];
  for (const [at, { html }] of [whole, alone].entries()) {
    const other = await context.newPage();
    other.on("pageerror", (error) => failed.push(error.message));
    other.on("request", (request) => {
      if (!/^(blob|data|file):/.test(request.url())) asked.push(request.url());
    });
    await fromDisk(other, html);
    const after = await report(other);
    expect(after.runs.map(({ official, exact }) => ({ official, exact }))).toEqual(
      before.runs.map(({ official, exact }) => ({ official, exact })),
    );
    expect(after.options).toEqual(before.options);
    expect(after.runs[0]?.statistics).toEqual(before.runs[0]?.statistics);
    await expect(other.getByTestId("no-boxes")).toHaveCount(at === 0 ? 0 : 1);
    if (at === 0) expect(after).toEqual(before);
    await expect(other.getByTestId("privacy")).toHaveClass(/clean/);
    const again = await saved(other, at === 0 ? ["boxes", "tables"] : []);
    expect(inside(again.html)).toEqual(inside(html));
    await expect(other.getByTestId("asks-host")).toHaveCount(0);
    await fromDisk(other, again.html);
    expect(await report(other)).toEqual(after);
  }
  expect([failed, asked]).toEqual([[], []]);
});

test("names with markup in them end no element, and run nothing", async ({ page, context }) => {
  await open(page);
  const name = "</script><script>alert(1)</script><!--.zip";
  await choose(page, [truth, upload(name, run.buffer)]);
  const { html } = await saved(page, ["boxes"]);
  expect(html.slice(html.indexOf("<body>"), html.indexOf('id="app"'))).not.toContain("alert(1)<");
  expect(inside(html).has(name)).toBe(true);
  const other = await context.newPage();
  other.on("dialog", () => expect("a script of a name").toBe("never run"));
  await fromDisk(other, html);
  expect((await report(other)).runs[0]?.name).toBe(name);
});

test("a host that has no froc.html, or another one, is told, and nothing is saved", async ({ page }) => {
  const site = await Site.start();
  await open(page, site.url);
  await choose(page, [truth, run]);
  await page.route("**/froc.html", (route) => route.fulfill({ body: "<body>connect-src 'none'</body>" }));
  await openExport(page);
  await page.getByTestId("save-as-page").click();
  await expect(page.getByTestId("save-page").getByText(/froc\.html did not arrive, or is not the file/)).toBeVisible();
  await expect(page.getByTestId("save-page-now")).toBeDisabled();
  await site.stop();
});

test("the page of froc view shows what the terminal prints, and so it does in the frame of a notebook", async ({
  page,
}) => {
  const folder = mkdtempSync(join(tmpdir(), "froc-"));
  const files = goldenCase(join(golden, "synthetic"));
  for (const { name, buffer } of files) writeFileSync(join(folder, name), buffer);
  const path = join(folder, "view.html");
  const inputs = ["predictions.zip", "--ground-truth", "test.json"];
  const flags = ["--page", join(dist, "froc.html"), "--no-open", "-o", path];
  execFileSync(process.env.FROC_BIN ?? "froc", ["view", ...inputs, ...flags], { cwd: folder });

  const html = readFileSync(path, "utf8");
  expect(emptied(html)).toBe(readFileSync(join(dist, "froc.html"), "utf8"));
  await fromDisk(page, html);
  const shown = await downloadReport(page);
  expect(shown.equals(asShown(shown, files))).toBe(true);
  const headline = await page.getByTestId("headline").first().textContent();

  // As the Python module puts it below a cell.
  const python = readFileSync(join(root, "src/python/froc/__init__.py"), "utf8");
  const sandbox = /sandbox = "(.*)"/.exec(python)?.[1] ?? "";
  expect(sandbox).toContain("allow-scripts");
  const notebook = join(folder, "notebook.html");
  const escaped = html.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  writeFileSync(notebook, `<!doctype html><iframe sandbox="${sandbox}" srcdoc="${escaped}"></iframe>`);
  await page.goto(pathToFileURL(notebook).href);
  const frame = page.frameLocator("iframe");
  await expect(frame.getByTestId("headline").first()).toHaveText(headline ?? "");
});
