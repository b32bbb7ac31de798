// What a plot draws: one line of a run, in the run's colour everywhere.

export interface Series {
  key: string;
  label: string;
  /** Place of the run, which gives its colour. */
  run: number;
  /** False positives per image, rising; nothing is known below the first, which is 0 for curves that are exact. */
  x: readonly number[];
  /** Recall at and after each x, 0..1; null where it is undefined. */
  y: readonly (number | null)[];
  /** Everything that scores at least this is shown; none where nothing is, or where classes differ. */
  score: readonly (number | null)[] | null;
  /** A pointwise band on rates of its own. */
  band: { x: readonly number[]; low: readonly (number | null)[]; high: readonly (number | null)[] } | null;
}

export type Axis = "log" | "linear";

/** The number of run colours in style.css. */
const N_COLOURS = 8;

export const colour = (run: number) => `var(--run-${run % N_COLOURS})`;

/** As many as no divisor of the colours is, so that only the 41st run looks like the first. */
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "1 4"];

/** A dash pattern for each run, so that lines differ without colour too. */
export const dash = (run: number) => DASHES[run % DASHES.length] ?? "";
