// A ground truth that several readers drew: whose boxes are lesions is told, chosen by a click and taken back.
import { expect, test } from "@playwright/test";

import { choose, downloadReport, open, report, settled, terminal, upload } from "./page.ts";

const truth = upload(
  "train.csv",
  [
    "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max",
    "1,Nodule,8,R8,100,100,200,200",
    "1,Nodule,8,R9,110,100,210,200",
    "1,Mass,9,R9,500,500,600,600",
    "2,No finding,14,R8,,,,",
    "2,No finding,14,R9,,,,",
    "3,Nodule,8,R10,10,10,50,50",
  ].join("\n"),
);
const run = upload(
  "submission.csv",
  "image_id,PredictionString\n1,8 0.9 105 100 205 200 9 0.8 500 500 600 600\n2,14 1 0 0 1 1\n3,8 0.7 10 10 50 50\n",
);

test("whose boxes are lesions is told, chosen beside the finding, and taken back", async ({ page }) => {
  await open(page);
  await choose(page, [truth, run]);
  const finding = page.locator('[data-code="several_readers"]');
  await expect(finding).toContainText("3 readers drew 4 boxes");
  await expect(page.getByTestId("file").first()).toContainText("2 images, 1 lesion");
  const choices = finding.getByTestId("readers").locator("option");
  await expect(choices).toHaveText([
    "agreed on: 1 in 2 images",
    "all boxes: 4 in 3 images",
    "R8 alone: 1 in 2 images",
    "R9 alone: 2 in 2 images",
    "R10 alone: 1 in 1 image",
  ]);
  await expect(page).not.toHaveURL(/readers=/);

  await finding.getByTestId("readers").selectOption("all");
  await settled(page);
  await expect(page).toHaveURL(/readers=all/);
  await expect(page.getByTestId("file").first()).toContainText("(all boxes of 3 readers): 3 images, 4 lesions");
  const bytes = await downloadReport(page);
  const drawn = ["--bootstrap", String(JSON.parse(bytes.toString()).options.bootstrap.replicates)];
  expect(bytes.equals(terminal([truth, run], [...drawn, "--readers", "all"]))).toBe(true);

  // The same beside the protocol; an address holds the place of a reader, and no name.
  await page.getByTestId("classes-scored").locator("summary").click();
  const menu = page.getByTestId("classes-scored").getByTestId("readers");
  await expect(menu).toHaveValue("all");
  await menu.selectOption("R9");
  await settled(page);
  await expect(page).toHaveURL(/readers=3/);
  expect((await report(page)).ground_truth).toMatchObject({ n_images: 2, n_lesions: 2, readers: { chosen: "R9" } });
  await page.goBack();
  await expect(menu).toHaveValue("all");
  await page.goBack();
  await expect(menu).toHaveValue("agreed");
  await settled(page);
  expect((await report(page)).ground_truth.readers).toMatchObject({ chosen: "agreed", is_default: true });
  // The export has closed the menu.
  await page.getByTestId("classes-scored").locator("summary").click();
  await menu.selectOption("R8");
  await settled(page);
  await page.getByTestId("reset-options").click();
  await settled(page);
  expect((await report(page)).ground_truth.readers?.chosen).toBe("agreed");
});

test("a link chooses the reader for files that come later, which another ground truth does not keep", async ({
  page,
}) => {
  await open(page, "./#v=1&readers=4");
  await choose(page, [truth, run]);
  await expect(page).toHaveURL(/readers=4/);
  const told = page.getByTestId("file").first();
  await expect(told).toContainText("those of R10 alone, one of 3 readers");
  expect((await report(page)).ground_truth.readers?.chosen).toBe("R10");

  // One without readers has nothing to choose, and options still work.
  const plain = upload("plain.csv", "image,class,x1,y1,x2,y2\n1,Nodule,100,100,200,200\n");
  await choose(page, [plain]);
  await settled(page);
  await expect(page.getByTestId("readers")).toHaveCount(0);
  await page.getByTestId("iou").fill("0.4");
  await expect(page).toHaveURL(/iou=0.4/);
  await settled(page);
  expect((await report(page)).options.iou_threshold).toBe(0.4);
});
