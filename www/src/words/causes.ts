// What became of a detection or a lesion, in words.
import type { Category, DetectionReport, LesionReport, OptionsReport } from "../../pkg/froc.js";
import { score } from "./format.ts";

export interface Cause {
  /** On its own: `poor overlap`. */
  name: string;
  /** One sentence. */
  what: string;
}

export const FALSE_POSITIVES = [
  "duplicate",
  "badly_placed",
  "on_another_class",
  "elsewhere",
  "lesion_free_image",
] as const;
export const MISSED_LESIONS = ["out_ranked", "badly_placed_lesion", "seen_as_another_class", "never_seen"] as const;
/** What a detection may be. */
export const DETECTIONS: readonly Category[] = ["true_positive", ...FALSE_POSITIVES];
export const CATEGORIES: readonly Category[] = [...DETECTIONS, ...MISSED_LESIONS, "ignored"];

export const CAUSES: Record<Category, Cause> = {
  true_positive: { name: "found", what: "A lesion that is found, or the detection that finds it." },
  duplicate: { name: "duplicate", what: "A further box on a lesion that is already found." },
  badly_placed: {
    name: "poor overlap",
    what: "A box that overlaps a lesion of its class, but too little to find it.",
  },
  on_another_class: {
    name: "on another class",
    what: "A box on a lesion of another class; both may be there, so this need not be a mistake.",
  },
  elsewhere: { name: "elsewhere", what: "A box on no lesion, in an image that has lesions." },
  lesion_free_image: { name: "on a lesion-free image", what: "A box in an image without any lesion." },
  out_ranked: { name: "scored too low", what: "A detection finds it, but scores below the score threshold." },
  badly_placed_lesion: {
    name: "poor overlap",
    what: "The best box of its class overlaps it too little to find it.",
  },
  seen_as_another_class: { name: "wrong class", what: "Only a detection of another class is on it." },
  never_seen: { name: "missed entirely", what: "No box comes near it." },
  ignored: {
    name: "ignored",
    what: "A lesion that counts neither as found nor as missed, or a detection on such a lesion alone.",
  },
};

export const isFalsePositive = (category: Category) => (FALSE_POSITIVES as readonly Category[]).includes(category);

/** What the person sees of a box: its line, its name in the legend. */
export type Kind =
  "lesion-found" | "lesion-missed" | "lesion-ignored" | "true-positive" | "false-positive" | "ignored" | "uncounted";

export const KINDS: Record<Kind, string> = {
  "lesion-found": "lesion, found",
  "lesion-missed": "lesion, missed",
  "lesion-ignored": "lesion, ignored",
  "true-positive": "true positive",
  "false-positive": "false positive",
  ignored: "detection, ignored",
  uncounted: "below the threshold",
};

export function kindOfLesion({ category }: LesionReport): Kind {
  if (category === "ignored") return "lesion-ignored";
  return category === "true_positive" ? "lesion-found" : "lesion-missed";
}

export function kindOfDetection({ category, counted }: DetectionReport): Kind {
  if (category === "ignored") return "ignored";
  if (!counted) return "uncounted";
  return category === "true_positive" ? "true-positive" : "false-positive";
}

const overlap = (iou: number) => iou.toFixed(2);

/** Why an overlap finds nothing, at that threshold of the hit criterion. */
export const tooLittle = (options: OptionsReport, threshold: number): string =>
  options.hit ? `no hit by ${options.hit.caption}` : `less than ${threshold}`;

/** Verdict and why, in one sentence. */
export function explainDetection(detection: DetectionReport, tooLittle: string): string {
  const { category, counted, overlaps } = detection;
  const on = overlaps ? `IoU ${overlap(overlaps.iou)} with a lesion of ${overlaps.class}` : "";
  const why: Partial<Record<Category, string>> = {
    true_positive: `finds a lesion, ${on}`,
    duplicate: `a duplicate, ${on} that a detection ranked higher finds`,
    badly_placed: `poor overlap, ${on}, ${tooLittle}`,
    on_another_class: `on another class, ${on}`,
    elsewhere: on ? `elsewhere, at most ${on}` : "elsewhere, on no lesion",
    lesion_free_image: "on a lesion-free image",
  };
  if (category === "ignored") return `Ignored: ${on}, which counts neither as found nor against a detection.`;
  const verdict = category === "true_positive" ? "True positive" : "False positive";
  return counted
    ? `${verdict}: ${why[category]}.`
    : `Not counted, since it scores below the threshold; it would be a ${verdict.toLowerCase()}: ${why[category]}.`;
}

/** Verdict and why, in one sentence. */
export function explainLesion(lesion: LesionReport, threshold: number | null, tooLittle: string): string {
  const { category, overlaps } = lesion;
  const by = overlaps ? `IoU ${overlap(overlaps.iou)} with a detection of ${overlaps.class}` : "";
  if (category === "ignored") return "Ignored: it counts neither as found nor against a detection.";
  const why: Partial<Record<Category, string>> = {
    true_positive: `Found: ${by} that scores ${score(lesion.score)}`,
    out_ranked: `Missed, scored too low: ${by} that scores ${score(lesion.score)}, ${threshold === null ? "and none counts" : `below the threshold ${score(threshold)}`}`,
    badly_placed_lesion: `Missed, poor overlap: at best ${by}, ${tooLittle}`,
    seen_as_another_class: `Missed, wrong class: ${by}`,
    never_seen: by ? `Missed entirely: at most ${by}` : "Missed entirely: no detection of its class overlaps it",
  };
  return `${why[category]}.`;
}
