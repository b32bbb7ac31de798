// The notices that are about images in particular, in words.
import type { Noticed } from "../../pkg/froc.js";

/** The images that each is about. */
export const NOTICED: Record<Noticed, string> = {
  unread_class_name: "with boxes under class names that are not read",
  both_spellings: "whose file holds a class in both spellings",
  double_keys: "whose file holds a class twice in an entry",
  image_without_file: "without a prediction file",
  empty_file: "whose file has 0 bytes",
  image_name_without_png: "whose name has no .png",
  class_never_predicted: "with a lesion of a class that is never detected",
  scores_in_percent: "with a score above 1",
  many_ties: "with detections that share their score with another",
  duplicate_detection: "with one box twice",
  most_files_empty: "with lesions and no detection",
  box_outside_image: "with a box outside of 1024 x 1024 pixels",
};

export const isNoticed = (code: string): code is Noticed => code in NOTICED;
