import type { ConfusionCellReport } from "../../pkg/froc.js";

/** What a cell of the table of lesions and what they are found as holds. */
export function cellText({ on, lesions_of, found_as }: Omit<ConfusionCellReport, "count">): string {
  if (on === "taken_lesion") return `false positives of ${found_as} on lesions that another detection has`;
  if (on === "background") return `false positives of ${found_as} on no lesion of any class`;
  return found_as === null
    ? `lesions of ${lesions_of} found as nothing`
    : `lesions of ${lesions_of} found as ${found_as}`;
}
