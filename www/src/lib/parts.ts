// What is handed from worker to worker.
import type { PartColumns } from "../../pkg/froc.js";

/** The buffers of a part, which are handed over and not copied. */
export function buffersOf({ boxes, scores, keys, n_detections, paths }: PartColumns): ArrayBuffer[] {
  return [boxes.buffer, scores.buffer, keys.buffer, n_detections.buffer, paths.buffer];
}
