// Arrow keys among numbers: one tab stop for the whole table, or for whatever has rows marked by data-row; then one by one.
import type { Action } from "svelte/action";

const STEPS: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Makes what has `data-explain`, row by row, reachable by keyboard. */
export const grid: Action<HTMLElement> = (table) => {
  const rows = () =>
    [...table.querySelectorAll<HTMLElement>("tr, [data-row]")]
      .map((row) => [...row.querySelectorAll<HTMLElement>("[data-explain]")])
      .filter((row) => row.length > 0);
  /** Without columns that a narrow window leaves out. */
  const shown = () =>
    rows()
      .map((row) => row.filter((cell) => cell.checkVisibility()))
      .filter((row) => row.length > 0);

  function reset(): void {
    const cells = rows().flat();
    // Of a button that has not been seen before, the property is 0 although nobody set it.
    const current = cells.find((cell) => cell.getAttribute("tabindex") === "0") ?? cells[0];
    for (const cell of cells) cell.tabIndex = cell === current ? 0 : -1;
  }

  function onKeydown(event: KeyboardEvent): void {
    const step = STEPS[event.key];
    const all = shown();
    const row = all.findIndex((cells) => cells.includes(event.target as HTMLElement));
    const column = all[row]?.indexOf(event.target as HTMLElement) ?? -1;
    if (!step || row < 0) return;
    const nextRow = all[Math.min(Math.max(row + step[0], 0), all.length - 1)];
    const next = nextRow?.[Math.min(Math.max(column + step[1], 0), nextRow.length - 1)];
    if (!next) return;
    event.preventDefault();
    for (const cell of all.flat()) cell.tabIndex = cell === next ? 0 : -1;
    next.focus();
  }

  reset();
  const observer = new MutationObserver(reset);
  observer.observe(table, { childList: true, subtree: true });
  table.addEventListener("keydown", onKeydown);
  return {
    destroy() {
      observer.disconnect();
      table.removeEventListener("keydown", onKeydown);
    },
  };
};
