// What wasm-bindgen will generate into www/pkg/froc.d.ts (www/pkg is built, never committed).
// Types Report, RunReport, ... are generated from src/report.rs by tsify: Option<f64> -> number | null, [Vec;2] -> [..,..].
/** An error as one sentence and its parts. */
export interface ErrorReport { sentence: string; where: string; what: string; expected: string }
/** What every fallible call throws (a plain object, not an Error). Several errors when several prediction files are bad. */
export interface Failure { errors: ErrorReport[] }
export interface Progress { stage: "reading" | "hashing" | "scoring"; done: number; total: number }
export type FileKind = "ground_truth" | "predictions";
export interface FileSummary {
  kind: FileKind; name: string; sha256: string; n_bytes: number;
  n_images: number | null; n_lesions: number | null;      // ground truth
  n_files: number | null; n_detections: number | null;    // predictions
  notices: NoticeReport[];
}
export interface FileFailure { id: string; errors: ErrorReport[] }
/** `report` is null while there is no ground truth or no readable run. `run_ids[k]` is the id of `report.runs[k]`.
 *  Failures: runs that cannot be scored against this ground truth; the others are scored all the same. */
export interface Outcome { report: Report | null; run_ids: string[]; failures: FileFailure[] }
export class Evaluator {
  constructor();
  /** Looks into the file, reads it (FileReaderSync: workers only) and keeps what it says under `id`, replacing what was there.
   *  A second ground truth takes the place of the first when scoring. Throws Failure; then nothing changed. */
  add(id: string, name: string, blob: Blob, on_progress: (p: Progress) => void): FileSummary;
  remove(id: string): void;
  /** Scores all runs, in the order of `add`. Reading is not repeated. Throws Failure for options out of range. */
  evaluate(options: OptionsReport): Outcome;
  /** Bytes of the JSON report of the last `evaluate`: the very bytes the terminal prints. Throws Failure if there is none. */
  report_json(): Uint8Array;
  /** Curve of one class of `report.runs[run]` of the last evaluate. */
  curve(run: number, class_index: number): CurveReport;
  free(): void;
}
/** IoU threshold and rates the official script uses. */
export function default_options(): OptionsReport;
/** Reads what a person typed ("0.5", "0.05, 0.1, 0.2"). Throws Failure with one sentence a field. */
export function parse_options(iou_threshold: string, fp_per_image: string): OptionsReport;
/** Version of the core. */
export function version(): string;
