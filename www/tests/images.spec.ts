// Pictures under their boxes, at the right place and of the right image; and what the view of one image promises.
import { expect, test, type Locator, type Page } from "@playwright/test";
import { strToU8, zipSync } from "fflate";

import { choose, drop, open, settled, upload, zip, type Upload, sampleFiles, view } from "./page.ts";
import { png } from "./png.ts";

/** The files of the first sample, without its pictures, which take time to draw. */
async function openSample(page: Page): Promise<void> {
  await open(page);
  await choose(page, sampleFiles());
  await expect(page.getByTestId("tile").first()).toHaveAttribute("data-image", "0");
}

type Box = [number, number, number, number];
/** A ground truth of one nodule per image, or none. */
const truth = (images: Record<string, Box | null>) =>
  upload(
    "test.json",
    JSON.stringify(
      Object.entries(images).map(([file_name, box]) => ({
        file_name,
        syms: box ? ["Nodule"] : [],
        boxes: box ? [box] : [],
      })),
    ),
  );
/** A run of one detection on each image. */
const run = (name: string, images: Record<string, [...Box, number]>) =>
  upload(
    name,
    zip(
      Object.fromEntries(
        Object.entries(images).map(([image, box]) => [
          image.replace(/\.png$/, ".json"),
          JSON.stringify([{ Nodule: box }]),
        ]),
      ),
    ),
  );
const films = (pictures: Record<string, Uint8Array>) => upload("films.zip", zipSync(pictures));

async function openWith(page: Page, files: Upload[], pictures: Record<string, Uint8Array>): Promise<void> {
  await open(page);
  await choose(page, files);
  await page.getByTestId("picture-input").setInputFiles([films(pictures)]);
}

/** Fingers that move in ten steps. */
async function fingers(page: Page, at: (step: number) => { x: number; y: number }[]): Promise<void> {
  const client = await page.context().newCDPSession(page);
  await client.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(0) });
  for (let step = 1; step <= 10; step++)
    await client.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(step) });
  await client.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
}

/** The colour of a tile at a share of its width and height. */
function colour(tile: Locator, x: number, y: number): Promise<number[]> {
  return tile
    .locator("canvas")
    .evaluate(
      (canvas: HTMLCanvasElement, [x, y]) =>
        [
          ...(canvas.getContext("2d")?.getImageData((x ?? 0) * canvas.width, (y ?? 0) * canvas.height, 1, 1).data ??
            []),
        ].slice(0, 3),
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
  return [
    (lesion.x - picture.x) / picture.width,
    (lesion.y - picture.y) / picture.height,
    lesion.width / picture.width,
    lesion.height / picture.height,
  ].map((share) => Math.round(share * 20) / 20);
}

test.describe("boxes lie where they belong on pictures of any size", () => {
  // The white block of each picture is its lesion; one run's detection reaches beyond the small picture, the other's does not.
  const lesions: Record<string, Box | null> = {
    "one.png": [200, 200, 400, 400],
    "two.png": [800, 800, 1000, 1000],
    "three.png": null,
  };
  const a = run("a.zip", { "one.png": [200, 200, 400, 400, 0.9] });
  const b = run("b.zip", { "one.png": [600, 600, 1000, 1000, 0.9] });

  test("smaller pictures are drawn at the size of the originals, whichever run is shown, and that is said", async ({
    page,
  }) => {
    const small = {
      "one.png": png(512, 60, 512, [100, 100, 200, 200]),
      "two.png": png(512, 60, 512, [400, 400, 500, 500]),
    };
    for (const runs of [
      [a, b],
      [b, a],
    ]) {
      await openWith(page, [truth(lesions), ...runs], small);
      await expect(page.getByTestId("picture-notices")).toHaveText(
        "Pictures are 512 × 512 px, boxes reach 1,000: pictures are drawn as if they were 1,024 px wide.",
      );
      await expect.poll(() => colour(page.getByTestId("tile").first(), 0.3, 0.3)).toEqual(WHITE);
      await page.getByTestId("tile").first().click();
      await expect(page.getByTestId("picture")).toHaveCount(2);
      for (const film of [0, 1]) expect(await place(page, film)).toEqual([0.2, 0.2, 0.2, 0.2]);
      await page.keyboard.press("Escape");
      // It goes a step back in the history of the tab, which would end what is opened next.
      await expect.poll(() => page.evaluate(() => history.state as unknown)).toBeNull();
    }
  });

  test("boxes that fit are in pixels of the pictures, of other sizes and shapes too, and nothing is squashed", async ({
    page,
  }) => {
    const lesions: Record<string, Box | null> = {
      "wide.png": [1500, 200, 1700, 400],
      "square.png": [200, 200, 400, 400],
    };
    const own = {
      "wide.png": png(2000, 60, 500, [1500, 200, 1700, 400]),
      "square.png": png(500, 60, 500, [200, 200, 400, 400]),
    };
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
    const lesions = Object.fromEntries(
      names.map((name, at) => [name, (at === 7 ? [100, 100, 700, 700] : [100, 100, 300, 300]) as Box]),
    );
    const picture = png(500, 60, 500, [100, 100, 300, 300]);
    await openWith(page, [truth(lesions), run("a.zip", {})], Object.fromEntries(names.map((name) => [name, picture])));
    await expect(page.getByTestId("matched")).toHaveText("150 images of 150 have their picture.");
    await expect(page.getByTestId("picture-notices")).toHaveText("");
    await expect.poll(() => colour(page.getByTestId("tile").first(), 0.4, 0.4)).toEqual(WHITE);
  });
});

test("the size of a JPEG is read as well as that of a PNG", async ({ page }) => {
  await open(page);
  const base64 = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 512, height: 512 });
    const context = canvas.getContext("2d");
    if (context) context.fillStyle = "#fff";
    context?.fillRect(100, 100, 100, 100);
    return canvas.toDataURL("image/jpeg").split(",")[1] ?? "";
  });
  await choose(page, [
    truth({ "one.png": [200, 200, 400, 400], "two.png": [600, 600, 1000, 1000] }),
    run("a.zip", { "one.png": [1, 1, 2, 2, 0.1] }),
  ]);
  const jpeg = Buffer.from(base64, "base64");
  await page.getByTestId("picture-input").setInputFiles([upload("one.jpg", jpeg), upload("two.jpeg", jpeg)]);
  await expect(page.getByTestId("picture-notices")).toContainText("Pictures are 512 × 512 px, boxes reach 1,000");
  await expect.poll(() => colour(page.getByTestId("tile").first(), 0.3, 0.3)).toEqual(WHITE);
});

test("a zip of pictures beside files is none to score, and intervals that were computed stay", async ({ page }) => {
  await open(page);
  const files = [
    truth({ "one.png": [1, 1, 30, 30], "two.png": null }),
    run("a.zip", { "one.png": [1, 1, 30, 30, 0.9] }),
  ];
  await choose(page, [...files, films({ "one.png": png(64, 60) })]);
  await expect(page.getByTestId("file")).toHaveCount(files.length);
  await expect(page.getByTestId("error")).toHaveCount(0);
  await expect(page.getByTestId("matched")).toHaveText("1 image of 2 has its picture.");
  await settled(page);
  await view(page, "intervals");
  await expect(page.getByTestId("bootstrap-used")).toBeVisible();
  await choose(page, [upload("more.zip", zipSync({ "two.png": png(64, 255) }))]);
  await expect(page.getByTestId("matched")).toHaveText("2 images of 2 have their picture.");
  await expect(page.getByTestId("file")).toHaveCount(files.length);
  await expect(page.getByTestId("curves")).toBeVisible();
});

test.describe("an image shows its own picture or none", () => {
  const nothing = run("a.zip", { "x.png": [1, 1, 2, 2, 0.5] });

  test("folders tell pictures of one name apart; where they cannot, it is said and neither is shown", async ({
    page,
  }) => {
    const shades = { "train/1.png": png(64, 60), "test/1.png": png(64, 255) };
    await openWith(page, [truth({ "test/1.png": [1, 1, 30, 30], "train/1.png": null, "2.png": null }), nothing], {
      ...shades,
      "2.png": png(64, 255),
    });
    await expect(page.getByTestId("matched")).toHaveText("3 images of 3 have their picture.");
    await expect.poll(() => colour(page.getByTestId("tile").nth(0), 0.8, 0.8)).toEqual(WHITE);
    await expect.poll(() => colour(page.getByTestId("tile").nth(1), 0.8, 0.8)).toEqual(GREY);

    await choose(page, [truth({ "1.png": [1, 1, 30, 30], "2.png": null })]);
    await expect(page.getByTestId("matched")).toHaveText("1 image of 2 has its picture.");
    await expect(page.getByTestId("picture-notices")).toHaveText(
      "Not clear which is meant, so not shown: 1.png (films/train/1.png or films/test/1.png).",
    );
    await expect.poll(() => colour(page.getByTestId("tile").nth(1), 0.8, 0.8)).toEqual(WHITE);
    expect(await colour(page.getByTestId("tile").nth(0), 0.8, 0.8)).not.toEqual(WHITE);
  });

  test("a picture of another folder is not that of an image whose own is missing", async ({ page }) => {
    await openWith(page, [truth({ "test/1.png": [1, 1, 30, 30], "train/1.png": null }), nothing], {
      "train/1.png": png(64, 60),
    });
    await expect(page.getByTestId("matched")).toHaveText("1 image of 2 has its picture.");
    await expect.poll(() => colour(page.getByTestId("tile").nth(1), 0.8, 0.8)).toEqual(GREY);
    expect(await colour(page.getByTestId("tile").nth(0), 0.8, 0.8)).not.toEqual(GREY);
  });

  test("names that differ by the case of letters alone are two; where there is but one, case does not matter", async ({
    page,
  }) => {
    await openWith(page, [truth({ "a.png": [1, 1, 30, 30], "A.png": null, "b.png": null }), nothing], {
      "A.png": png(64, 255),
      "a.png": png(64, 60),
      "B.PNG": png(64, 255),
    });
    await expect(page.getByTestId("matched")).toHaveText("3 images of 3 have their picture.");
    for (const [at, shade] of [GREY, WHITE, WHITE].entries())
      await expect.poll(() => colour(page.getByTestId("tile").nth(at), 0.8, 0.8)).toEqual(shade);
  });

  test("pictures that cannot be read are told of and marked, and those of no image too", async ({ page }) => {
    await openWith(page, [truth({ "a.png": [1, 1, 30, 30], "b.png": null, "c.png": null }), nothing], {
      "a.png": strToU8("no picture at all"),
      "b.jpeg": new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0]),
      "c.png": png(64, 60),
    });
    await expect(page.getByTestId("picture-notices")).toHaveText(
      "2 pictures could not be read: a.png, b.jpeg; their boxes stay on an empty canvas.",
    );
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
  await expect(tile).toHaveAttribute(
    "aria-label",
    /^sample_001\.png: 0 lesions found, 3 missed, \d+ false positives?, of Fracture only$/,
  );
  await expect(tile).toContainText("3 missed");
});

test.describe("two runs side by side", () => {
  test("each says at which thresholds it is shown; a threshold that is moved is that of both, unless it is unlinked", async ({
    page,
  }) => {
    await openSample(page);
    await page.getByTestId("tile").nth(4).click();
    const points = page.getByTestId("run-point");
    await expect(points).toHaveText(["at 0.05 FP/image", "at 0.05 FP/image"]);
    const found = (film: number) => page.getByTestId("film").nth(film).locator('[data-kind="lesion-found"].box');
    await expect(found(0)).not.toHaveCount(0);
    await expect(found(1)).not.toHaveCount(0);
    const view = page.getByTestId("image-view");
    await view.getByTestId("threshold").focus();
    await page.keyboard.press("End");
    await expect(found(0)).toHaveCount(0);
    await expect(found(1)).toHaveCount(0);
    const [first, second] = await points.allTextContents();
    expect(first).toMatch(/^score ≥ /);
    expect(second).toBe(first);
    await page.getByTestId("linked").uncheck();
    await expect(points.nth(1)).toHaveText("at 0.05 FP/image");
    await expect(found(1)).not.toHaveCount(0);
    await expect(found(0)).toHaveCount(0);
  });

  test("a threshold of one class leaves the other classes of the other run at their operating points", async ({
    page,
  }) => {
    await openSample(page);
    await page.getByTestId("tile").nth(4).click();
    const others = () =>
      page
        .getByTestId("film")
        .nth(1)
        .locator(".box:not([aria-label^=Mass])")
        .evaluateAll((boxes) => boxes.map((box) => box.getAttribute("aria-label")).sort());
    const before = await others();
    await page.getByTestId("view-class").selectOption("Mass");
    await expect(page.getByTestId("run-point").first()).toHaveText(/^at 0\.05 FP\/image, ≥ 0\.\d+$/);
    await page.getByTestId("image-view").getByTestId("threshold").focus();
    await page.keyboard.press("End");
    await expect(page.getByTestId("run-point").nth(1)).toHaveText(/^score ≥ /);
    await page.getByTestId("view-class").selectOption({ label: "all" });
    await expect.poll(others).toEqual(before);
  });
});

test("the box that explains another is lit in the colour of its own kind", async ({ page }) => {
  await openSample(page);
  await page.getByTestId("tile").nth(4).click();
  await page.getByTestId("show-uncounted").check();
  const colours = new Set<string>();
  for (const box of await page.getByTestId("film").first().getByTestId("box").all()) {
    await box.focus();
    const partner = page.getByTestId("partner");
    if ((await partner.count()) === 0) continue;
    const { kind, same, fill, stroke } = await partner.evaluate((rect) => {
      const edges = (one: Element) => ["x", "y", "width", "height"].map((name) => one.getAttribute(name)).join();
      const film = rect.closest("svg");
      const drawn = [...(film?.querySelectorAll(".box") ?? [])].filter(
        (one) => edges(one.querySelector(".line") as Element) === edges(rect),
      );
      return {
        kind: rect.getAttribute("data-colour") ?? "",
        same: drawn.map((one) => one.getAttribute("data-kind")),
        fill: getComputedStyle(rect).fill,
        stroke: drawn.map((one) => getComputedStyle(one.querySelector(".line") as Element).stroke),
      };
    });
    expect(same).toContain(kind);
    expect(stroke).toContain(fill);
    colours.add(kind);
  }
  // Pointing at a false positive lights the missed lesion that it is on, and a missed lesion what does not count.
  expect([...colours].sort()).toEqual(expect.arrayContaining(["lesion-found", "true-positive"]));
  expect(
    [...colours].some((kind) => kind === "lesion-missed" || kind === "uncounted" || kind === "false-positive"),
  ).toBe(true);
});

test.describe("the keys of the view of one image", () => {
  test("go on after a focused box is gone and after a button at the end is disabled", async ({ page }) => {
    await openSample(page);
    await page.getByTestId("search").fill("sample_00");
    await expect(page.getByTestId("shown")).toHaveText("9 of 104 images");
    await page.getByTestId("tile").first().click();
    const position = page.getByTestId("position");
    await page.getByTestId("box").first().focus();
    for (const at of [2, 3, 4]) {
      await page.keyboard.press("j");
      await expect(position).toHaveText(`${at} of 9`);
      await expect.poll(() => page.evaluate(() => document.activeElement?.closest("dialog") !== null)).toBe(true);
    }
    await page.getByTestId("next").focus();
    for (let at = 5; at <= 9; at++) {
      await page.keyboard.press("Enter");
      await expect(position).toHaveText(`${at} of 9`);
    }
    await expect(page.getByTestId("next")).toBeDisabled();
    await page.keyboard.press("k");
    await expect(position).toHaveText("8 of 9");
    await page.keyboard.press("+");
    await expect(page.getByTestId("image-view")).toHaveAttribute("data-zoom", "1.5");
    await page.keyboard.press("Escape");
    await expect(page.getByTestId("image-view")).toHaveCount(0);
  });

  test("reach a box that is out of sight when zoomed: it is moved into sight", async ({ page }) => {
    await openSample(page);
    await page.getByTestId("tile").nth(4).click();
    const film = page.getByTestId("film").first();
    await expect(film.getByTestId("box").first()).toBeVisible();
    for (let n = 0; n < 5; n++) await page.keyboard.press("+");
    const room = await film.boundingBox();
    if (!room) throw new Error("the film has no box");
    for (const box of await film.getByTestId("box").all()) {
      await box.focus();
      const seen = await box.boundingBox();
      if (!seen) throw new Error("the box has no box");
      const [x, y] = [seen.x + seen.width / 2, seen.y + seen.height / 2];
      expect(x > room.x && x < room.x + room.width && y > room.y && y < room.y + room.height).toBe(true);
    }
    await expect(page.getByTestId("image-view")).toHaveAttribute("data-zoom", /^7\.59/);
  });
});

test("another ground truth closes the view of an image that it does not have; nothing fails", async ({ page }) => {
  const failures: string[] = [];
  page.on("pageerror", ({ message }) => failures.push(message));
  await open(page);
  await choose(page, sampleFiles());
  await page.getByTestId("tile").nth(6).click();
  await expect(page.getByTestId("film")).toHaveCount(2);
  await drop(page, [truth({ "sample_001.png": [10, 10, 200, 200], "sample_002.png": null })]);
  await expect(page.getByTestId("image-view")).toHaveCount(0);
  await settled(page);
  // Of the same number, but another image.
  await page.getByTestId("tile").first().click();
  await expect(page.getByTestId("film")).toHaveCount(2);
  await drop(page, [truth({ "sample_003.png": [10, 10, 200, 200], "sample_002.png": null })]);
  await expect(page.getByTestId("image-view")).toHaveCount(0);
  // The same again: the image is still there.
  await page.getByTestId("tile").first().click();
  await drop(page, [truth({ "sample_003.png": [10, 10, 300, 300], "sample_002.png": null })]);
  await settled(page);
  await expect(page.getByTestId("position")).toHaveText("1 of 2");
  expect(failures).toEqual([]);
});

test("an image stays where it is in the order while a threshold is moved", async ({ page }) => {
  await openSample(page);
  await page.getByTestId("order").selectOption("false_positives");
  await expect(page.getByTestId("tile").first()).not.toHaveAttribute("data-image", "0");
  await page.getByTestId("tile").nth(2).click();
  await expect(page.getByTestId("image-view")).toHaveAttribute("aria-label", /\.png$/);
  const name = await page.getByTestId("image-view").getAttribute("aria-label");
  const slider = page.getByTestId("image-view").getByTestId("threshold");
  await slider.focus();
  for (const key of ["End", "Home"]) {
    await page.keyboard.press(key);
    await expect(page.getByTestId("run-point").first()).toHaveText(/^score ≥/);
    await page.waitForTimeout(300);
    await expect(page.getByTestId("position")).toHaveText("3 of 104");
    await expect(page.getByTestId("image-view")).toHaveAttribute("aria-label", name ?? "");
  }
  await page.keyboard.press("j");
  await expect(page.getByTestId("position")).toHaveText("4 of 104");
});

test.describe("on a telephone", () => {
  test.use({ viewport: { width: 360, height: 640 }, hasTouch: true });

  test("what a box says is in sight, a long name takes one line, tools are folded and a swipe over the film scrolls", async ({
    page,
  }) => {
    const long = `${"patient-".repeat(16)}0001.png`;
    await open(page);
    await choose(page, [
      truth({ [long]: [200, 200, 400, 400] }),
      run("a.zip", { [long]: [200, 200, 400, 400, 0.9] }),
      run("b.zip", { [long]: [200, 200, 400, 400, 0.9] }),
    ]);
    await page.getByTestId("tile").first().click();
    const title = page.getByTestId("image-view").locator("h2");
    expect((await title.boundingBox())?.height).toBeLessThan(30);
    await expect(title).toHaveAttribute("title", long);
    await expect(page.getByTestId("image-view").getByTestId("threshold")).toBeHidden();
    await page.getByTestId("film").first().locator(".box").last().tap();
    const reading = page.getByTestId("reading-box");
    await expect(reading).toContainText("Nodule");
    await expect(reading).toBeInViewport({ ratio: 1 });
    // The finger that goes up over a whole image scrolls the view.
    const film = await page.getByTestId("film").first().boundingBox();
    const [x, y] = [(film?.x ?? 0) + 20, (film?.y ?? 0) + (film?.height ?? 0) - 30];
    await fingers(page, (step) => [{ x, y: y - step * 20 }]);
    await expect.poll(() => page.getByTestId("image-view").evaluate((dialog) => dialog.scrollTop)).toBeGreaterThan(50);
    await expect(reading).toBeInViewport({ ratio: 1 });
    await expect(page.getByTestId("image-view")).toHaveAttribute("data-zoom", "1");
    // Two fingers still zoom.
    await page.getByTestId("image-view").evaluate((dialog) => (dialog.scrollTop = 0));
    await fingers(page, (step) => [-1, 1].map((side) => ({ x: 180 + side * (30 + step * 5), y: y - 100 })));
    await expect(page.getByTestId("image-view")).not.toHaveAttribute("data-zoom", "1");
    await page.getByTestId("image-view").evaluate((dialog) => (dialog.scrollTop = 0));
    await page.getByTestId("fold").click();
    await expect(page.getByTestId("image-view").getByTestId("threshold")).toBeVisible();
  });
});

test("a score that is no number is said to filter nothing, and filters that were cleared come back", async ({
  page,
}) => {
  await openSample(page);
  const [least, most, mistake] = ["min-score", "max-score", "score-mistake"].map((id) => page.getByTestId(id)) as [
    Locator,
    Locator,
    Locator,
  ];
  const enter = async (field: Locator, text: string) => {
    await field.fill(text);
    await field.press("Enter");
  };
  await enter(least, "abc");
  await expect(mistake).toHaveText("“abc” is not a number, so it filters nothing; write a score such as 0.5.");
  await expect(least).toHaveAttribute("aria-invalid", "true");
  await expect(most).not.toHaveAttribute("aria-invalid", "true");
  await expect(page.getByTestId("shown")).toHaveText("104 of 104 images");
  await enter(least, "0,5");
  await expect(mistake).toHaveText("“0,5” is not a number, so it filters nothing; write 0.5, with a point.");
  await enter(least, "0.8");
  await expect(mistake).toHaveText("");
  await expect(least).not.toHaveAttribute("aria-invalid", "true");
  await enter(most, "0.2");
  await expect(mistake).toHaveText("No score is from 0.8 to 0.2: the first must not be above the second.");
  for (const field of [least, most]) await expect(field).toHaveAttribute("aria-invalid", "true");
  await enter(most, "");
  const shown = await page.getByTestId("shown").textContent();
  await expect(page.getByTestId("shown")).not.toHaveText("104 of 104 images");
  await page.getByTestId("clear-filters").click();
  await expect(page.getByTestId("shown")).toHaveText("104 of 104 images");
  await page.getByTestId("undo-filters").click();
  await expect(least).toHaveValue("0.8");
  await expect(page.getByTestId("shown")).not.toHaveText("104 of 104 images");
  expect(shown).not.toBeNull();
  await page.getByTestId("clear-filters").click();
  await page.getByTestId("lesion-free").selectOption("with");
  await expect(page.getByTestId("undo-filters")).toHaveCount(0);
});

test("a few images take no more height than their rows", async ({ page }) => {
  await openSample(page);
  const gallery = page.getByTestId("gallery");
  const height = async () => (await gallery.boundingBox())?.height ?? 0;
  const full = await height();
  await page.getByTestId("search").fill("sample_00");
  await expect(page.getByTestId("shown")).toHaveText("9 of 104 images");
  await page.getByTestId("search").fill("sample_001");
  await expect(page.getByTestId("shown")).toHaveText("1 of 104 images");
  await expect.poll(height).toBeLessThan(300);
  await page.getByTestId("tile").scrollIntoViewIfNeeded();
  await expect(page.getByTestId("tile")).toBeInViewport({ ratio: 1 });
  await page.getByTestId("search").fill("");
  await expect.poll(height).toBe(full);
});

test("the lines are explained above the gallery, the class is written at boxes with room for it and at the one pointed at", async ({
  page,
}) => {
  await openSample(page);
  await expect(page.getByTestId("where").getByRole("list", { name: "Lines" }).first()).toContainText("lesion, missed");
  await page.getByTestId("tile").first().click();
  const film = page.getByTestId("film").first();
  const labels = film.getByTestId("labels").locator(".letters");
  await expect(labels.first()).toBeVisible();
  const written = await labels.allTextContents();
  expect(written).toContain("Atelectasis");
  expect(written).not.toContain("Nodule");
  await film.locator('[aria-label^="Nodule"]').focus();
  await expect(labels.filter({ hasText: "Nodule" })).toHaveCount(1);
  await page.getByTestId("view-class").selectOption("Fracture");
  await expect(labels.filter({ hasText: "Fracture" }).first()).toBeVisible();
});

test("a lesion that scored too low is shown with what finds it but does not count, and that stays so", async ({
  page,
}) => {
  await openSample(page);
  await page.locator('[data-testid="segment"][data-category="out_ranked"]').first().click();
  await page.getByTestId("tile").first().click();
  await expect(page.getByTestId("show-uncounted")).toBeChecked();
  await expect(page.getByTestId("film").first().locator('[data-kind="uncounted"].box').first()).toBeAttached();
  await page.getByTestId("show-uncounted").uncheck();
  await page.keyboard.press("Escape");
  await page.getByTestId("tile").first().click();
  await expect(page.getByTestId("show-uncounted")).not.toBeChecked();
  await page.keyboard.press("Escape");
  await page.getByTestId("clear-filters").click();
  await page.locator('[data-testid="filter-cause"][data-category="out_ranked"]').click();
  await page.getByTestId("tile").first().click();
  await expect(page.getByTestId("show-uncounted")).toBeChecked();
});

test("a saved image says which it is, of which run, at which thresholds, and what its lines mean", async ({ page }) => {
  await openSample(page);
  await page.getByTestId("tile").first().click();
  await expect(page.getByTestId("film")).toHaveCount(2);
  const waiting = page.waitForEvent("download");
  await page.getByTestId("image-view").getByTestId("save-svg").first().click();
  const stream = await (await waiting).createReadStream();
  const text = Buffer.concat(await stream.toArray()).toString("utf8");
  const texts = await page.evaluate(
    (text) =>
      [...new DOMParser().parseFromString(text, "image/svg+xml").querySelectorAll("text")].map(
        (one) => one.textContent,
      ),
    text,
  );
  expect(texts).toEqual(
    expect.arrayContaining([
      "sample_001.png, model-a.zip, operating point at 0.05 FP/image",
      "lesion, missed",
      "lesion, found",
      "Atelectasis",
    ]),
  );
});

test("a gallery that asks for no image does not hold up the counts", async ({ page }) => {
  await page.addInitScript(() => {
    addEventListener("DOMContentLoaded", () => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync('[data-testid="gallery"] { display: none !important; }');
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    });
  });
  await open(page);
  await page.getByTestId("score-sample").click();
  await settled(page);
  await view(page, "causes");
  await expect(page.getByTestId("budget-row").first()).toBeVisible();
  await expect(page.getByTestId("tile")).toHaveCount(0);
});
