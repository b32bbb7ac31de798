// Rows of statistics: the classes, `mean`, `pooled`.
import type { Report } from "../../../pkg/froc.js";

/** Place of the class that a row is of; null for all of them. */
export function classAt(report: Pick<Report, "runs">, row: string): number | null {
  const at = report.runs[0]?.classes.findIndex(({ name }) => name === row) ?? -1;
  return at < 0 ? null : at;
}
