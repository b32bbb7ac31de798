// How fast the gallery is on many images: MEASURE_GALLERY=100000 npx playwright test tests/measure.spec.ts
// It prints what it measured and holds it against nothing, since that depends on the machine.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test, type Page } from "@playwright/test";
import { BlobWriter, configure, TextReader, ZipWriter } from "@zip.js/zip.js";

import { open, settled } from "./page.ts";

const n = Number(process.env.MEASURE_GALLERY ?? 0);
const CLASSES = ["Consolidation", "Fibrosis", "Effusion", "Nodule", "Mass", "Emphysema", "Calcification", "Atelectasis", "Fracture", "Pneumothorax"];

/** Made-up images with up to four lesions and up to eleven detections each, on disk: the same ones every time. */
async function madeUp(): Promise<string[]> {
  let state = 1;
  const random = () => (state = (state * 48_271) % 0x7fff_ffff) / 0x7fff_ffff;
  const whole = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
  const box = () => {
    const [x, y] = [whole(0, 800), whole(0, 800)];
    return [x, y, x + whole(30, 220), y + whole(30, 220)];
  };
  const name = () => CLASSES[whole(0, CLASSES.length - 1)] ?? "Nodule";
  // This many files take the wide form of a zip.
  configure({ useWebWorkers: false });
  const zip = new ZipWriter(new BlobWriter(), { level: 0 });
  const files: [string, string][] = [];
  const truth = Array.from({ length: n }, (_, at) => {
    const lesions = random() < 0.3 ? [] : Array.from({ length: whole(1, 4) }, () => ({ class: name(), box: box() }));
    const found = lesions.filter(() => random() < 0.7).map((lesion) => ({ [lesion.class]: [...lesion.box.map((edge) => edge + whole(-20, 20)), random()] }));
    const others = Array.from({ length: whole(0, 7) }, () => ({ [name()]: [...box(), random() ** 2] }));
    files.push([`${at}.json`, JSON.stringify([...found, ...others])]);
    return { file_name: `${at}.png`, syms: lesions.map((lesion) => lesion.class), boxes: lesions.map((lesion) => lesion.box) };
  });
  const folder = mkdtempSync(join(tmpdir(), "froc-"));
  writeFileSync(join(folder, "test.json"), JSON.stringify(truth));
  for (const [name, text] of files) await zip.add(name, new TextReader(text));
  writeFileSync(join(folder, "model.zip"), new Uint8Array(await (await zip.close()).arrayBuffer()));
  return ["test.json", "model.zip"].map((file) => join(folder, file));
}

/** Moves the gallery by `step` pixels a frame and tells how long the frames took, in milliseconds. */
function scroll(page: Page, step: number): Promise<number[]> {
  return page.getByTestId("gallery").evaluate(
    (gallery, step) =>
      new Promise<number[]>((done) => {
        const times: number[] = [];
        let last = performance.now();
        const frame = () => {
          const now = performance.now();
          times.push(now - last);
          last = now;
          gallery.scrollTop += step;
          if (times.length < 300) requestAnimationFrame(frame);
          else done(times.slice(1));
        };
        requestAnimationFrame(frame);
      }),
    step,
  );
}

const summary = (times: number[]) => {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(1);
  return `median ${at(0.5)} ms, 99th percentile ${at(0.99)} ms, longest ${at(1)} ms, ${times.filter((time) => time > 50).length} of ${times.length} over 50 ms`;
};

test("the gallery on many images", async ({ page }) => {
  test.skip(n === 0, "MEASURE_GALLERY=100000 measures");
  test.setTimeout(600_000);
  const files = await madeUp();
  await page.setViewportSize({ width: 1280, height: 1000 });
  await open(page);
  await page.evaluate(() => {
    const times: Record<string, number> = {};
    Object.assign(window, { times });
    const look = () => {
      if (!times.score && document.querySelector("[data-testid=results]")) times.score = performance.now();
      if (!times.tiles && document.querySelector("[data-testid=tile][data-image]")) {
        times.tiles = -1;
        // Painted once the frame that follows this one begins.
        requestAnimationFrame(() => requestAnimationFrame(() => (times.tiles = performance.now())));
      }
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true });
  });
  await page.getByTestId("file-input").setInputFiles(files);
  await settled(page);
  await expect(page.getByTestId("tile").first()).toHaveAttribute("data-image", "0", { timeout: 60_000 });
  await page.waitForTimeout(3000);
  const times = await page.evaluate(() => (window as unknown as { times: Record<string, number> }).times);
  console.log(`${n} images; first tiles painted ${((times.tiles ?? 0) - (times.score ?? 0)).toFixed(0)} ms after the score is shown`);
  for (const step of [10, 100, 1000, 50_000]) console.log(`scrolling ${step} px a frame: ${summary(await scroll(page, step))}`);

  const answers = await page.locator('[data-testid="thresholds"] [data-testid="threshold"]').nth(1).evaluate(async (slider: HTMLInputElement) => {
    const counts = document.querySelector("[data-testid=counts]");
    const times: number[] = [];
    for (let step = 1; step <= 40; step++) {
      const start = performance.now();
      const changed = new Promise<void>((done) => new MutationObserver(() => done()).observe(counts as Element, { characterData: true, subtree: true, childList: true }));
      slider.valueAsNumber = step / 50;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      await changed;
      times.push(performance.now() - start);
    }
    return times;
  });
  console.log(`from a moved threshold to its counts: ${summary(answers)}`);
});
