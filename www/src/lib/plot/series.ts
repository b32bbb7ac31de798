// What a plot draws: one line of a run, in the run's colour everywhere.

export interface Series {
  key: string;
  label: string;
  /** Place of the run, which gives its colour. */
  run: number;
  /** False positives per image, rising from 0. */
  x: readonly number[];
  /** Recall at and after each x, 0..1. */
  y: readonly number[];
  /** Everything that scores at least this is shown; none where nothing is, or where classes differ. */
  score: readonly (number | null)[] | null;
  /** A pointwise band on rates of its own. */
  band: { x: readonly number[]; low: readonly (number | null)[]; high: readonly (number | null)[] } | null;
}

export type Axis = "log" | "linear";

/** The number of run colours in style.css; further runs begin again, told apart by dashes. */
const N_COLOURS = 5;

export const colour = (run: number) => `var(--run-${run % N_COLOURS})`;

const DASHES = ["", "7 3", "2 3", "9 3 2 3", "1 4"];

/** A dash pattern for each run, so that lines differ without colour too. */
export const dash = (run: number) => DASHES[run % DASHES.length] ?? "";
