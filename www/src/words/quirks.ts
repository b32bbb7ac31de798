// What the quirks of the official script are about, in words.
import type { QuirkId } from "../../pkg/froc.js";
import metric from "../../../src/metric.md?raw";

/** What the script does, by the table of the definitions. */
export const QUIRKS: { id: string; what: string; instead: string }[] = [
  ...metric.matchAll(/^\| (Q\d+) \| (.+) \| (.+) \|$/gm),
].map(([, id = "", what = "", instead = ""]) => ({ id, what, instead }));

/** The detections that each touches. */
export const TOUCHED: Record<QuirkId, string> = {
  Q1: "true positives that the script drops",
  Q2: "the false positive at the top, after which the script divides by zero",
  Q3: "false positives before which the script stops, and the true positives beyond",
  Q4: "the false positive at the top, from which the script extrapolates",
  Q5: "detections that share their score with another",
  Q6: "detections of classes without lesions",
  Q7: "second boxes on a lesion that is found already",
  Q8: "detections whose verdict the extra pixel changes",
  Q11: "inverted boxes, and boxes of no area, that the script counts as nothing",
};
