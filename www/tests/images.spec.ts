// Pictures under their boxes, at the right place and of the right image; and what the view of one image promises.
import { expect, test, type Locator, type Page } from "@playwright/test";
import { strToU8, zipSync } from "fflate";

import { choose, drop, open, settled, upload, zip, type Upload } from "./page.ts";
import { png } from "./png.ts";

async function openSample(page: Page): Promise<void> {
  await open(page);
  await page.getByTestId("score-sample").click();
  await settled(page);
  await expect(page.getByTestId("tile").first()).toHaveAttribute("data-image", "0");
}

type Box = [number, number, number, number];
/** A ground truth of one nodule per image, or none. */
const truth = (images: Record<string, Box | null>) =>
  upload("test.json", JSON.stringify(Object.entries(images).map(([file_name, box]) => ({ file_name, syms: box ? ["Nodule"] : [], boxes: box ? [box] : [] }))));
/** A run of one detection on each image. */
const run = (name: string, images: Record<string, [...Box, number]>) =>
  upload(name, zip(Object.fromEntries(Object.entries(images).map(([image, box]) => [image.replace(/\.png$/, ".json"), JSON.stringify([{ Nodule: box }])]))));
const films = (pictures: Record<string, Uint8Array>) => upload("films.zip", zipSync(pictures));

async function openWith(page: Page, files: Upload[], pictures: Record<string, Uint8Array>): Promise<void> {
  await open(page);
  await choose(page, files);
  await page.getByTestId("picture-input").setInputFiles([films(pictures)]);
}

/** The colour of a tile at a share of its width and height. */
function colour(tile: Locator, x: number, y: number): Promise<number[]> {
  return tile.locator("canvas").evaluate(
    (canvas: HTMLCanvasElement, [x, y]) => [...(canvas.getContext("2d")?.getImageData((x ?? 0) * canvas.width, (y ?? 0) * canvas.height, 1, 1).data ?? [])].slice(0, 3),
    [x, y],
  );
}
const [WHITE, GREY] = [
  [255, 255, 255],
  [60, 60, 60],
];

/** Where the picture and the lesion of the film lie on the screen, as shares of the picture. */
async function place(page: Page, film = 0): Promise<number[]> {
  const picture = await page.getByTestId("picture").nth(film).boundingBox();
  const lesion = await page.getByTestId("film").nth(film).locator('[data-kind^="lesion"] .line').boundingBox();
  if (!picture || !lesion) throw new Error("the film shows no picture or no lesion");
  return [(lesion.x - picture.x) / picture.width, (lesion.y - picture.y) / picture.height, lesion.width / picture.width, lesion.height / picture.height].map(
    (share) => Math.round(share * 20) / 20,
  );
}

test.describe("boxes lie where they belong on pictures of any size", () => {
  // The white block of each picture is its lesion; one run's detection reaches beyond the small picture, the other's does not.
  const lesions: Record<string, Box | null> = { "one.png": [200, 200, 400, 400], "two.png": [800, 800, 1000, 1000], "three.png": null };
  const a = run("a.zip", { "one.png": [200, 200, 400, 400, 0.9] });
  const b = run("b.zip", { "one.png": [600, 600, 1000, 1000, 0.9] });

  test("smaller pictures are drawn at the size of the originals, whichever run is shown, and that is said", async ({ page }) => {
    const small = { "one.png": png(512, 60, 512, [100, 100, 200, 200]), "two.png": png(512, 60, 512, [400, 400, 500, 500]) };
    for (const runs of [[a, b], [b, a]]) {
      await openWith(page, [truth(lesions), ...runs], small);
      await expect(page.getByTestId("picture-notices")).toHaveText("Pictures are 512 × 512 px, boxes reach 1,000: pictures are drawn as if they were 1,024 px wide.");
      await expect.poll(() => colour(page.getByTestId("tile").first(), 0.3, 0.3)).toEqual(WHITE);
      await page.getByTestId("tile").first().click();
      await expect(page.getByTestId("picture")).toHaveCount(2);
      for (const film of [0, 1]) expect(await place(page, film)).toEqual([0.2, 0.2, 0.2, 0.2]);
      await page.keyboard.press("Escape");
    }
  });

  test("boxes that fit are in pixels of the pictures, of other sizes and shapes too, and nothing is squashed", async ({ page }) => {
    const lesions: Record<string, Box | null> = { "wide.png": [1500, 200, 1700, 400], "square.png": [200, 200, 400, 400] };
    const own = { "wide.png": png(2000, 60, 500, [1500, 200, 1700, 400]), "square.png": png(500, 60, 500, [200, 200, 400, 400]) };
    await openWith(page, [truth(lesions), run("a.zip", { "square.png": [300, 300, 900, 900, 0.9] })], own);
    await expect(page.getByTestId("matched")).toHaveText("2 images of 2 have their picture.");
    await expect(page.getByTestId("picture-notices")).toHaveText("");
    // Centred and whole: above and below there is nothing.
    const wide = page.getByTestId("tile").first();
    await expect.poll(() => colour(wide, 0.8, 0.52)).toEqual(WHITE);
    expect(await colour(wide, 0.5, 0.1)).toEqual([0, 0, 0]);
    expect(await colour(wide, 0.5, 0.5)).toEqual(GREY);
    await page.getByTestId("tile").first().click();
    await expect(page.getByTestId("picture")).toBeVisible();
    const box = await page.getByTestId("picture").boundingBox();
    expect((box?.width ?? 0) / (box?.height ?? 1)).toBeCloseTo(4, 1);
    expect(await place(page)).toEqual([0.75, 0.4, 0.1, 0.4]);
    await page.keyboard.press("j");
    await expect(page.getByTestId("image-view")).toHaveAttribute("aria-label", "Image square.png");
    await expect.poll(() => place(page).catch(() => [])).toEqual([0.4, 0.4, 0.4, 0.4]);
  });

  test("one careless box in a large set does not make every picture small", async ({ page }) => {
    const names = Array.from({ length: 150 }, (_, at) => `${at}.png`);
    const lesions = Object.fromEntries(names.map((name, at) => [name, (at === 7 ? [100, 100, 700, 700] : [100, 100, 300, 300]) as Box]));
    const picture = png(500, 60, 500, [100, 100, 300, 300]);
    await openWith(page, [truth(lesions), run("a.zip", {})], Object.fromEntries(names.map((name) => [name, picture])));
    await expect(page.getByTestId("matched")).toHaveText("150 images of 150 have their picture.");
    await expect(page.getByTestId("picture-notices")).toHaveText("");
    await expect.poll(() => colour(page.getByTestId("tile").first(), 0.4, 0.4)).toEqual(WHITE);
  });
});

test.describe("an image shows its own picture or none", () => {
  const nothing = run("a.zip", { "x.png": [1, 1, 2, 2, 0.5] });

  test("folders tell pictures of one name apart; where they cannot, it is said and neither is shown", async ({ page }) => {
    const shades = { "train/1.png": png(64, 60), "test/1.png": png(64, 255) };
    await openWith(page, [truth({ "test/1.png": [1, 1, 30, 30], "train/1.png": null, "2.png": null }), nothing], { ...shades, "2.png": png(64, 255) });
    await expect(page.getByTestId("matched")).toHaveText("3 images of 3 have their picture.");
    await expect.poll(() => colour(page.getByTestId("tile").nth(0), 0.8, 0.8)).toEqual(WHITE);
    await expect.poll(() => colour(page.getByTestId("tile").nth(1), 0.8, 0.8)).toEqual(GREY);

    await choose(page, [truth({ "1.png": [1, 1, 30, 30], "2.png": null })]);
    await expect(page.getByTestId("matched")).toHaveText("1 image of 2 has its picture.");
    await expect(page.getByTestId("picture-notices")).toHaveText("Not clear which is meant, so not shown: 1.png (films/train/1.png or films/test/1.png).");
    await expect.poll(() => colour(page.getByTestId("tile").nth(1), 0.8, 0.8)).toEqual(WHITE);
    expect(await colour(page.getByTestId("tile").nth(0), 0.8, 0.8)).not.toEqual(WHITE);
  });

  test("a picture of another folder is not that of an image whose own is missing", async ({ page }) => {
    await openWith(page, [truth({ "test/1.png": [1, 1, 30, 30], "train/1.png": null }), nothing], { "train/1.png": png(64, 60) });
    await expect(page.getByTestId("matched")).toHaveText("1 image of 2 has its picture.");
    await expect.poll(() => colour(page.getByTestId("tile").nth(1), 0.8, 0.8)).toEqual(GREY);
    expect(await colour(page.getByTestId("tile").nth(0), 0.8, 0.8)).not.toEqual(GREY);
  });

  test("names that differ by the case of letters alone are two; where there is but one, case does not matter", async ({ page }) => {
    await openWith(page, [truth({ "a.png": [1, 1, 30, 30], "A.png": null, "b.png": null }), nothing], { "A.png": png(64, 255), "a.png": png(64, 60), "B.PNG": png(64, 255) });
    await expect(page.getByTestId("matched")).toHaveText("3 images of 3 have their picture.");
    for (const [at, shade] of [GREY, WHITE, WHITE].entries()) await expect.poll(() => colour(page.getByTestId("tile").nth(at), 0.8, 0.8)).toEqual(shade);
  });

  test("pictures that cannot be read are told of and marked, and those of no image too", async ({ page }) => {
    await openWith(page, [truth({ "a.png": [1, 1, 30, 30], "b.png": null, "c.png": null }), nothing], {
      "a.png": strToU8("no picture at all"),
      "b.jpeg": new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0]),
      "c.png": png(64, 60),
    });
    await expect(page.getByTestId("picture-notices")).toHaveText("2 pictures could not be read: a.png, b.jpeg; their boxes stay on an empty canvas.");
    await expect(page.getByTestId("matched")).toHaveText("1 image of 3 has its picture.");
    await expect(page.getByTestId("unreadable")).toHaveCount(2);
    await expect(page.getByTestId("tile").first()).toHaveAttribute("aria-label", /unreadable picture$/);
    await page.getByTestId("remove-pictures").click();
    await drop(page, [upload("p.png", png(64, 60)), upload("q.png", png(64, 60))]);
    const told = "2 pictures, none of which belongs to an image; names must match, as a.png for a.png.";
    await expect(page.getByTestId("matched")).toHaveText(told);
    await expect(page.getByTestId("status")).toContainText(told);
  });

  test("pictures that were removed come back by a click", async ({ page }) => {
    await openWith(page, [truth({ "a.png": [1, 1, 30, 30] }), nothing], { "a.png": png(64, 60) });
    await expect.poll(() => colour(page.getByTestId("tile").first(), 0.8, 0.8)).toEqual(GREY);
    await page.getByTestId("remove-pictures").click();
    await expect.poll(() => colour(page.getByTestId("tile").first(), 0.8, 0.8)).not.toEqual(GREY);
    await page.getByTestId("undo-pictures").click();
    await expect.poll(() => colour(page.getByTestId("tile").first(), 0.8, 0.8)).toEqual(GREY);
    await expect(page.getByTestId("undo-pictures")).toHaveCount(0);
  });
});

test("with a class chosen a tile counts that class only, and says so", async ({ page }) => {
  await openSample(page);
  const tile = page.getByTestId("tile").first();
  await expect(tile).toHaveAttribute("aria-label", /^sample_001\.png: 1 lesion found, 5 missed, \d+ false positives?$/);
  await page.getByTestId("filter-class").selectOption("Fracture");
  await expect(tile).toHaveAttribute("aria-label", /^sample_001\.png: 0 lesions found, 3 missed, \d+ false positives?, of Fracture only$/);
  await expect(tile).toContainText("3 missed");
});
