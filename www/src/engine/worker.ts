// The engine's thread: the only importer of the WebAssembly package.
import * as Comlink from "comlink";

import init, {
  Evaluator,
  conversion_targets,
  default_options,
  default_statistics,
  export_formats,
  convention_headings,
  hit_measures,
  input_formats,
  is_of_one_image,
  links,
  page_with,
  parse_options,
  protocols,
  sha256,
  version,
} from "../../pkg/froc.js";
import { watchRequests, type NetworkRequest } from "../offline/requests.ts";
import type {
  BootstrapProgress,
  Conversion,
  CurveReport,
  DiagnosisReport,
  FileSummary,
  GalleryQuery,
  InputFormats,
  ImageReport,
  Links,
  Mark,
  Measure,
  MeasureFacts,
  OpenedSession,
  OptionsReport,
  Outcome,
  ProgressReport,
  ProtocolFacts,
  Reading,
  Report,
  ResamplingOptions,
  RocCurveReport,
  SavedSelection,
  FormatFacts,
  StatisticsDefaults,
  StatisticsOptions,
  SuspectsReport,
  TargetFacts,
  View,
} from "../../pkg/froc.js";

/** The core's defaults and version. */
export interface Started {
  options: OptionsReport;
  /** What may decide whether a detection finds a lesion. */
  measures: MeasureFacts[];
  /** What a ground truth may be evaluated as, in place of what it tells. */
  protocols: ProtocolFacts[];
  /** What stands over the words that say what a published convention is. */
  conventions: string[];
  statistics: StatisticsDefaults;
  /** What a report is exported in. */
  formats: FormatFacts[];
  /** What a run is converted to. */
  targets: TargetFacts[];
  /** What is read. */
  inputs: InputFormats;
  version: string;
  /** Where the project, the dataset and its script are told of. */
  links: Links;
  /** Whether this worker can read files: one of Safari cannot if the page was opened from disk. */
  readsFiles: boolean;
}

/** A file or, for a worker that cannot read it, its bytes. */
export type Content = Blob | Uint8Array<ArrayBuffer>;

/** Formats in which the list of every detection and every missed lesion is written. */
export type ErrorsFormat = "csv" | "json";

/** Options as a person types and chooses them. */
export interface Typed {
  measure: Measure;
  threshold: string;
  fp: string;
  /** The names of the classes that are not scored. */
  ignored: string[];
  /** The name of the protocol that is chosen; null is what the ground truth tells. */
  protocol: string | null;
  /** Whose boxes are lesions, where several readers drew them: `all`, `agreed`, or one by name; null is without a choice. */
  readers: string | null;
}

/** Options that make sense, in use. */
export interface Used {
  options: OptionsReport;
  ignored: string[];
  protocol: string | null;
  readers: string | null;
}

/** A curve without the steps that are too small to see. */
export interface Outline {
  curve: CurveReport;
  /** From the lowest score to above the highest; null if nothing is detected. */
  range: [number, number] | null;
}

/** A score that may be the highest: a curve tells where it turns first, and detections may rank above that. */
function reach(lowest: number, turn: number): number {
  return lowest >= 0 && turn <= 1 ? 1 : turn + (turn - lowest) / 2;
}

/** The least step of recall that an outline shows. */
const LEAST_STEP = 1 / 2000;

/** Milliseconds between two reports of progress: each is a message that the page answers by drawing. */
const PROGRESS_EVERY = 40;

/** The same listener, told now and then only. */
function sometimes(listener: (progress: ProgressReport) => void): (progress: ProgressReport) => void {
  let next = performance.now() + PROGRESS_EVERY;
  return (progress) => {
    const now = performance.now();
    if (now < next) return;
    next = now + PROGRESS_EVERY;
    listener(progress);
  };
}

let evaluator: Evaluator | undefined;

function engine(): Evaluator {
  if (!evaluator) throw new Error("the engine has not started");
  return evaluator;
}

/** Whether this worker can read files; pages from a host need not try. */
async function readsFiles(): Promise<boolean> {
  if (self.origin !== "null") return true;
  return new Blob(["froc"]).text().then(
    () => true,
    () => false,
  );
}

const api = {
  /**
   * Holds a lock until this worker ends, however it ends. Resolves once it is held: false where the browser has no locks
   * or gives none to this page.
   */
  hold(lock: string): Promise<boolean> {
    return new Promise((resolve) => {
      const held = () => {
        resolve(true);
        return new Promise<never>(() => undefined);
      };
      // Outside a secure context there are none.
      if ("locks" in navigator) navigator.locks.request(lock, held).catch(() => resolve(false));
      else resolve(false);
    });
  },
  async start(module: WebAssembly.Module, onRequest: (request: NetworkRequest) => void): Promise<Started> {
    watchRequests(() => false, onRequest);
    await init({ module_or_path: module });
    evaluator = new Evaluator();
    return {
      options: default_options(),
      measures: hit_measures(),
      protocols: protocols(),
      conventions: convention_headings(),
      statistics: default_statistics(),
      formats: export_formats(),
      targets: conversion_targets(),
      inputs: input_formats(),
      version: version(),
      links: links(),
      readsFiles: await readsFiles(),
    };
  },
  add(id: string, name: string, file: Content, onProgress: (progress: ProgressReport) => void): FileSummary {
    return engine().add(id, name, file, sometimes(onProgress));
  },
  /** The SHA-256 of a file, in hexadecimal digits. Fails if it cannot be read any more. */
  sha256(file: Content): string {
    return sha256(file);
  },
  /** Whether all bytes of a text are the predictions for one image. */
  isOfOneImage(bytes: Uint8Array<ArrayBuffer>): boolean {
    return is_of_one_image(bytes);
  },
  learnSha256(id: string, digits: string): Report | undefined {
    return engine().learn_sha256(id, digits);
  },
  remove(id: string): void {
    engine().remove(id);
  },
  rename(id: string, name: string): void {
    engine().rename(id, name);
  },
  /** Reads a file otherwise; null is how the official script reads. */
  setReading(id: string, reading: Reading | null): void {
    engine().set_reading(id, reading);
  },
  /** Fuses runs of files, by an IoU or as the core does unless told; gives the id of the run that they make. */
  fuse(of: string[], iou: number | null): string {
    return engine().fuse(of, iou);
  },
  evaluate(options: OptionsReport): Outcome {
    return engine().evaluate(options);
  },
  /** Scores under options that a person typed, unless they are `now` in use. */
  evaluateTyped(
    { measure, threshold, fp, ignored, protocol, readers }: Typed,
    now: Used,
  ): { used: Used; outcome: Outcome } | null {
    const used = { options: parse_options(measure, threshold, fp), ignored, protocol, readers };
    if (JSON.stringify(used) === JSON.stringify(now)) return null;
    engine().choose_readers(readers);
    engine().choose_protocol(protocol);
    engine().ignore_classes(ignored);
    return { used, outcome: engine().evaluate(used.options) };
  },
  chooseProtocol(name: string | null): void {
    engine().choose_protocol(name);
  },
  chooseReaders(name: string | null): void {
    engine().choose_readers(name);
  },
  ignoreClasses(names: string[]): void {
    engine().ignore_classes(names);
  },
  export(format: string): Uint8Array<ArrayBuffer> {
    const bytes = engine().export(format) as Uint8Array<ArrayBuffer>;
    return Comlink.transfer(bytes, [bytes.buffer]);
  },
  /** What is chosen, as the bytes of a session file; for files without their tables, unless it is with them. */
  save(notes: string, selection: SavedSelection, withTables: boolean): Uint8Array<ArrayBuffer> {
    const bytes = engine().save(notes, selection, withTables) as Uint8Array<ArrayBuffer>;
    return Comlink.transfer(bytes, [bytes.buffer]);
  },
  /** The last report as a file that is handed on. */
  reportToShare(withImageNames: boolean, withTable: boolean): Uint8Array<ArrayBuffer> {
    return engine().report_to_share(withImageNames, withTable) as Uint8Array<ArrayBuffer>;
  },
  /** The page in one file with files in it. */
  pageWith(page: Uint8Array, files: { name: string; content: Content }[]): Uint8Array<ArrayBuffer>[] {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    page_with(
      page,
      files.map(({ name }) => name),
      files.map(({ content }) => content),
      (part: Uint8Array<ArrayBuffer>) => parts.push(part),
    );
    return Comlink.transfer(
      parts,
      parts.map(({ buffer }) => buffer),
    );
  },
  restore(name: string, text: string): OpenedSession {
    return engine().restore(name, text);
  },
  startBootstrap(
    options: OptionsReport,
    resampling: ResamplingOptions,
    statistics: StatisticsOptions,
  ): BootstrapProgress {
    return engine().start_bootstrap(options, resampling, statistics);
  },
  stepBootstrap(n: number): BootstrapProgress {
    return engine().step_bootstrap(n);
  },
  stopBootstrap(): void {
    engine().stop_bootstrap();
  },
  evaluateWithStatistics(options: OptionsReport, statistics: StatisticsOptions): Outcome {
    return engine().evaluate_with_statistics(options, statistics);
  },
  sliceBy(by: string[]): Outcome {
    return engine().slice_by(by);
  },
  imageRoc(run: string, classIndex: number): RocCurveReport {
    return engine().image_roc(run, classIndex);
  },
  officialLines(run: string): string {
    return engine().official_lines(run);
  },
  exactLines(run: string): string {
    return engine().exact_lines(run);
  },
  curve(run: string, row: string, options: OptionsReport): CurveReport {
    return engine().curve(run, row, options);
  },
  /** A curve to draw small, and the span of its scores. */
  outline(run: string, row: string, options: OptionsReport): Outline {
    const { fp_per_image: x, recall: y, score_threshold: scores } = engine().curve(run, row, options);
    const [turn, lowest] = [scores[1] ?? null, scores.at(-1) ?? null];
    // Steps that nobody would see are left out: a curve of a hundred thousand images has as many.
    let last = Number.NEGATIVE_INFINITY;
    const kept = [...y.keys()].filter((at) => {
      const isSeen = (y[at] ?? 0) - last >= LEAST_STEP || at === y.length - 1;
      if (isSeen) last = y[at] ?? 0;
      return isSeen;
    });
    const at = <T>(values: T[]) => kept.map((index) => values[index] as T);
    return {
      curve: { fp_per_image: at(x), recall: at(y), score_threshold: at(scores) },
      range: turn === null || lowest === null ? null : [lowest, reach(lowest, turn)],
    };
  },
  operatingThresholds(run: string, rates: number[], iouThreshold: number, isPooled: boolean): (number | null)[][] {
    return engine().operating_thresholds(run, Float64Array.from(rates), iouThreshold, isPooled);
  },
  diagnosis(view: View): DiagnosisReport {
    return engine().diagnosis(view);
  },
  gallery(query: GalleryQuery): Uint32Array<ArrayBuffer> {
    const images = engine().gallery(query) as Uint32Array<ArrayBuffer>;
    return Comlink.transfer(images, [images.buffer]);
  },
  images(view: View, images: Uint32Array, withUncounted: boolean): ImageReport[] {
    return engine().images(view, images, withUncounted);
  },
  errors(fpPerImage: number, iouThreshold: number, format: ErrorsFormat): Uint8Array<ArrayBuffer>[] {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    engine().errors(fpPerImage, iouThreshold, format, (part: Uint8Array<ArrayBuffer>) => parts.push(part));
    return Comlink.transfer(
      parts,
      parts.map(({ buffer }) => buffer),
    );
  },
  /** Where several runs agree against the ground truth, as far as it is marked. */
  suspects(options: OptionsReport): SuspectsReport {
    return engine().suspects(options);
  },
  /** Says whether the ground truth is right where a suspect is; null takes that back. */
  markSuspect(id: string, mark: Mark | null): void {
    engine().mark_suspect(id, mark);
  },
  exportSuspects(options: OptionsReport): Uint8Array<ArrayBuffer> {
    return engine().export_suspects("csv", options) as Uint8Array<ArrayBuffer>;
  },
  correctedGroundTruth(options: OptionsReport): Uint8Array<ArrayBuffer> {
    return engine().corrected_ground_truth(options) as Uint8Array<ArrayBuffer>;
  },
  thresholds(run: string, options: OptionsReport, isTable: boolean): Uint8Array<ArrayBuffer> {
    return engine().thresholds(run, options, isTable) as Uint8Array<ArrayBuffer>;
  },
  /** A run as files in another format, as one file, and what of it is not kept. */
  convert(run: string, target: string): { parts: Uint8Array<ArrayBuffer>[]; conversion: Conversion } {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const conversion = engine().convert(run, target, (part: Uint8Array<ArrayBuffer>) => parts.push(part));
    return Comlink.transfer(
      { parts, conversion },
      parts.map(({ buffer }) => buffer),
    );
  },
};

export type Api = typeof api;

Comlink.expose(api);
