// Numbers and what stands behind them: counts beside their own rate, links from every number to its images, the way back.
import { expect, test, type Page } from "@playwright/test";

import { open, report, settled } from "./page.ts";

async function openSample(page: Page): Promise<void> {
  await open(page);
  await page.getByTestId("score-sample").click();
  await settled(page);
  await expect(page.getByTestId("tile").first()).toHaveAttribute("data-image", "0");
}

test("no count stands beside the rate of another, not even for a moment", async ({ page }) => {
  await openSample(page);
  await page.getByTestId("budget").evaluate((budget) => {
    const seen = new Set<string>();
    Object.assign(window, { seen });
    const note = () => {
      const row = budget.querySelector('[data-class="Consolidation"] .cell');
      const spent = [...(row?.querySelectorAll("[data-testid=segment]") ?? [])].reduce((sum, one) => sum + Number(one.textContent), 0);
      const allowed = /\d+/.exec(budget.querySelector("[data-testid=allowed]")?.textContent ?? "")?.[0];
      seen.add(`${spent} of ${allowed}`);
    };
    new MutationObserver(note).observe(budget, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  const cls = (await report(page)).runs[0]?.classes[0];
  const pairs = cls?.exact.budget.map((allowed, at) => `${cls.exact.false_positives[at]} of ${allowed}`) ?? [];
  for (const at of [1, 2, 0, 2, 1, 0, 2]) {
    await page.getByTestId("where-rate").nth(at).click();
    await expect(page.locator('[data-testid="budget-row"][data-class="Consolidation"] [data-testid="false-positives"]')).toHaveText(pairs[at] ?? "");
  }
  const seen = await page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen]);
  expect(seen.filter((pair) => !pairs.includes(pair))).toEqual([]);
  expect(seen.length).toBe(3);
});
