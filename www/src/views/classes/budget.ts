// Who spends the false positives, and why lesions are missed: what bars and tables are drawn from.
import type { Category, ClassDiagnosis } from "../../../pkg/froc.js";
import { allowed, type Answer } from "../../state/selection.svelte.ts";
import { CAUSES, isFalsePositive } from "../../words/causes.ts";
import { count, counted, percent, points } from "../../words/format.ts";

/** A class, or all of them, with the causes of its false positives and of its misses. */
export interface Row {
  /** Place of the class; null for all of them. */
  at: number | null;
  name: string;
  recall: number | null;
  falsePositives: number;
  /** False positives that the rate allows; null where there is no such number. */
  allowed: number | null;
  lesions: number;
  missed: number;
  causes: { category: Category; count: number; mended: number | null }[];
}

/** A cause with what is said of it. */
export type Part = Row["causes"][number] & { explain: string };

/** The classes in the order of the report. */
export const rowsOf = (answer: Answer): Row[] =>
  answer.report.classes.map((cls: ClassDiagnosis, at) => ({
    at,
    name: cls.class,
    recall: cls.recall,
    falsePositives: cls.false_positives,
    allowed: cls.n_lesions > 0 ? allowed(answer, at) : null,
    lesions: cls.n_lesions,
    missed: cls.n_lesions - cls.true_positives,
    causes: cls.causes.map(({ category, count, recall_if_mended }) => ({ category, count, mended: recall_if_mended })),
  }));

export function explain(row: Row, { category, count: n, mended }: Row["causes"][number]): string {
  const cause = CAUSES[category];
  const of = isFalsePositive(category) ? counted(n, "false positive") : counted(n, "missed lesion");
  const what = row.at === null ? "the mean recall" : "the recall";
  const gain =
    mended === null || row.recall === null
      ? ""
      : `\nIf fixed, ${what} would be ${percent(mended)} (${points(100 * (mended - row.recall))} points).`;
  return `${row.name}, ${cause.name}: ${of}.${gain}\n${cause.what}\nClick: the images with them.`;
}

export const partsOf = (row: Row, categories: readonly Category[]): Part[] =>
  row.causes
    .filter(({ category }) => categories.includes(category))
    .map((cause) => ({ ...cause, explain: explain(row, cause) }));

export const spentText = (row: Row) =>
  row.allowed === null ? count(row.falsePositives) : `${count(row.falsePositives)} of ${count(row.allowed)}`;
export const missedText = (row: Row) => `${count(row.missed)} of ${count(row.lesions)}`;

/** False positives for which the whole width of a class's bar stands. */
export const widest = (rows: readonly Row[]) =>
  Math.max(1, ...rows.map((row) => Math.max(row.falsePositives, row.allowed ?? 0)));
