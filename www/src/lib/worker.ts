// The engine's thread: the only importer of the WebAssembly package.
import * as Comlink from "comlink";

import init, {
  Evaluator,
  Sha256,
  ShareReader,
  default_options,
  default_statistics,
  parse_options,
  version,
} from "../../pkg/froc.js";
import { BLINK } from "./blink.ts";
import { buffersOf } from "./parts.ts";
import { watchRequests, type NetworkRequest } from "./requests.ts";
import * as rest from "./rest.ts";
import type {
  BootstrapProgress,
  CurveReport,
  DiagnosisReport,
  FileSummary,
  GalleryQuery,
  ImageReport,
  OptionsReport,
  Outcome,
  PartColumns,
  ProgressReport,
  Reading,
  Report,
  ResamplingOptions,
  RocCurveReport,
  StatisticsDefaults,
  StatisticsOptions,
  View,
} from "../../pkg/froc.js";

/** The core's defaults and version. */
export interface Started {
  options: OptionsReport;
  statistics: StatisticsDefaults;
  version: string;
  /** Whether this worker can read files: one of Safari cannot if the page was opened from disk. */
  readsFiles: boolean;
}

/** A file or, for a worker that cannot read it, its bytes. */
export type Content = Blob | Uint8Array<ArrayBuffer>;

/** Formats in which the list of every detection and every missed lesion is written. */
export type ErrorsFormat = "csv" | "json";

/** What was typed, as the core reads it, and what it gives. */
export interface Typed extends Scored {
  options: OptionsReport;
}

/** A curve without the steps that are too small to see. */
export interface Outline {
  curve: CurveReport;
  /** From the lowest score to above the highest; null if nothing is detected. */
  range: [number, number] | null;
}

/** What scoring gives, and whether all of the engine was there for it: without the rest of it nothing is found in files. */
export interface Scored {
  outcome: Outcome;
  isWhole: boolean;
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
  let next = performance.now() + BLINK;
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

/** Settles when all of the engine is there, or is known never to be. */
const completion = Promise.withResolvers<void>();

/** The options of the last score if not all of the engine was there for it. */
let notWhole: OptionsReport | undefined;

function scored(options: OptionsReport): Scored {
  rest.takeMissed();
  const outcome = engine().evaluate(options);
  // What was joined without all of the engine stays so until that is there.
  if (notWhole || rest.takeMissed()) notWhole = options;
  return { outcome, isWhole: !notWhole };
}

/** Whether this worker can read files; pages from a host need not try. */
async function readsFiles(): Promise<boolean> {
  if (self.origin !== "null") return true;
  return new Blob(["froc"]).text().then(() => true, () => false);
}

/** A call that needs all of the engine. */
async function whole<T>(call: () => T): Promise<T> {
  await completion.promise;
  return call();
}

/** A call that seldom needs all of the engine, and changes nothing where it fails. */
async function wholeIfMissed<T>(call: () => T): Promise<T> {
  rest.takeMissed();
  try {
    const value = call();
    if (!rest.takeMissed()) return value;
  } catch (thrown) {
    if (!rest.takeMissed()) throw thrown;
  }
  return whole(call);
}

/** The share of a zip that is being read. */
let reading: { share: ShareReader; onProgress: (progress: ProgressReport) => void } | undefined;

function opened(): NonNullable<typeof reading> {
  if (!reading) throw new Error("no share was opened");
  return reading;
}

function taken(): ShareReader {
  const { share } = opened();
  reading = undefined;
  return share;
}

/** Whether the engine may still be run for practice: not once a file has been added. */
let isIdle = true;

const api = {
  async start(
    module: WebAssembly.Module,
    onRequest: (request: NetworkRequest) => void,
  ): Promise<Started> {
    watchRequests(() => false, onRequest);
    rest.attach((await init({ module_or_path: module })) as unknown as WebAssembly.Exports);
    evaluator = new Evaluator();
    return { options: default_options(), statistics: default_statistics(), version: version(), readsFiles: await readsFiles() };
  },
  /** Takes the rest of the engine; null if it cannot be had. */
  complete(module: WebAssembly.Module | null): void {
    if (module) rest.complete(module);
    if (module && notWhole) {
      engine().forget_joined();
      engine().evaluate(notWhole);
      notWhole = undefined;
    }
    completion.resolve();
  },
  /**
   * Scores made-up files again and again for a second, in slices shorter than a frame, so that the browser
   * has compiled the engine with all its optimizations before the first real file comes: unoptimized, it takes two to
   * three times as long.
   */
  async warmUp(truth: Content, predictions: Content): Promise<void> {
    const options = default_options();
    const end = performance.now() + 1000;
    while (isIdle && performance.now() < end) {
      const scratch = new Evaluator();
      scratch.add("truth", "test.json", truth, () => undefined);
      scratch.add("predictions", "predictions.zip", predictions, () => undefined);
      scratch.evaluate(options);
      scratch.free();
      await new Promise((resolve) => setTimeout(resolve));
    }
  },
  add(id: string, name: string, file: Content, onProgress: (progress: ProgressReport) => void): Promise<FileSummary> {
    isIdle = false;
    return wholeIfMissed(() => engine().add(id, name, file, sometimes(onProgress)));
  },
  /**
   * Opens a share of a zip of predictions, and tells where each of its pieces starts and ends; null if the file is
   * something else.
   */
  async openShare(
    name: string,
    blob: Blob,
    share: number,
    of: number,
    onProgress: (progress: ProgressReport) => void,
  ): Promise<Float64Array | null> {
    isIdle = false;
    // A share cannot be begun again halfway.
    await completion.promise;
    // After a failure the one before may still be there.
    reading?.share.free();
    reading = undefined;
    const opened = ShareReader.open(name, blob, share, of);
    if (!opened) return null;
    reading = { share: opened, onProgress: sometimes(onProgress) };
    return opened.pieces();
  },
  /** Reads the next piece of the share that was opened last; after a failure there is no use in the others. */
  readPiece(bytes: ArrayBuffer): void {
    opened().share.read(new Uint8Array(bytes), opened().onProgress);
    // At once, and not when the browser sees fit.
    bytes.transfer?.(0);
  },
  /** What was read, for another worker. */
  finishShare(): PartColumns {
    const part = taken().finish();
    return Comlink.transfer(part, buffersOf(part));
  },
  /** Keeps what was read of a zip that is one share. */
  addShare(id: string, name: string): FileSummary {
    return engine().add_share(id, name, taken());
  },
  addParts(id: string, name: string, parts: PartColumns[]): Promise<FileSummary> {
    isIdle = false;
    return whole(() => engine().add_parts(id, name, parts));
  },
  /** The SHA-256 of a file, in hexadecimal digits; null if it cannot be read any more. */
  async sha256(file: Content): Promise<string | null> {
    const digest = new Sha256();
    try {
      if (file instanceof Uint8Array) {
        digest.update(file);
      } else {
        const reader = file.stream().getReader();
        for (let read = await reader.read(); !read.done; read = await reader.read()) digest.update(read.value);
      }
    } catch {
      return null;
    }
    return digest.digits();
  },
  learnSha256(id: string, digits: string): Report | null {
    return engine().learn_sha256(id, digits);
  },
  remove(id: string): void {
    engine().remove(id);
  },
  /** Reads a file otherwise; null is how the official script reads. */
  setReading(id: string, reading: Reading | null): void {
    if (reading) engine().set_reading(id, reading);
    else engine().read_officially(id);
  },
  evaluate(options: OptionsReport): Scored {
    return scored(options);
  },
  /** Scores under options that a person typed, unless they are `now` in use. */
  evaluateTyped(iouThreshold: string, fpPerImage: string, now: OptionsReport): Typed | null {
    const options = parse_options(iouThreshold, fpPerImage);
    if (JSON.stringify(options) === JSON.stringify(now)) return null;
    return { options, ...scored(options) };
  },
  async export(format: string): Promise<Uint8Array<ArrayBuffer>> {
    await completion.promise;
    const bytes = engine().export(format) as Uint8Array<ArrayBuffer>;
    return Comlink.transfer(bytes, [bytes.buffer]);
  },
  startBootstrap(options: OptionsReport, resampling: ResamplingOptions): Promise<BootstrapProgress> {
    return whole(() => engine().start_bootstrap(options, resampling));
  },
  stepBootstrap(n: number): BootstrapProgress {
    return engine().step_bootstrap(n);
  },
  stopBootstrap(): void {
    engine().stop_bootstrap();
  },
  evaluateWithStatistics(options: OptionsReport, statistics: StatisticsOptions): Promise<Outcome> {
    return whole(() => engine().evaluate_with_statistics(options, statistics));
  },
  pooledCurve(run: number, options: OptionsReport): Promise<CurveReport> {
    return whole(() => engine().pooled_curve(run, options));
  },
  imageRoc(run: number, classIndex: number): Promise<RocCurveReport> {
    return whole(() => engine().image_roc(run, classIndex));
  },
  officialLines(run: number): Promise<string> {
    return whole(() => engine().official_lines(run));
  },
  curve(run: number, classIndex: number, options: OptionsReport): Promise<CurveReport> {
    return whole(() => engine().curve(run, classIndex, options));
  },
  /** A curve to draw small, and the span of its scores. */
  async outline(run: number, classIndex: number, options: OptionsReport): Promise<Outline> {
    await completion.promise;
    const { fp_per_image: x, recall: y, score_threshold: scores } = engine().curve(run, classIndex, options);
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
  operatingThresholds(run: number, fpPerImage: number, iouThreshold: number, isPooled: boolean): Promise<(number | null)[]> {
    return whole(() => engine().operating_thresholds(run, fpPerImage, iouThreshold, isPooled));
  },
  diagnosis(view: View): Promise<DiagnosisReport> {
    return whole(() => engine().diagnosis(view));
  },
  async gallery(query: GalleryQuery): Promise<Uint32Array<ArrayBuffer>> {
    await completion.promise;
    const images = engine().gallery(query) as Uint32Array<ArrayBuffer>;
    return Comlink.transfer(images, [images.buffer]);
  },
  images(view: View, images: Uint32Array): Promise<ImageReport[]> {
    return whole(() => engine().images(view, images));
  },
  async errors(fpPerImage: number, iouThreshold: number, format: ErrorsFormat): Promise<Uint8Array<ArrayBuffer>[]> {
    await completion.promise;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    engine().errors(fpPerImage, iouThreshold, format, (part: Uint8Array<ArrayBuffer>) => parts.push(part));
    return Comlink.transfer(parts, parts.map(({ buffer }) => buffer));
  },
};

export type Api = typeof api;

Comlink.expose(api);
