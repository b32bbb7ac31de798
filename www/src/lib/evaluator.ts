// The worker as promises: progress, cancel, and a fresh worker when one has died.
import * as Comlink from "comlink";

import type {
  CurveReport,
  DiagnosisReport,
  ErrorReport,
  Failure,
  FileFailure,
  FileSummary,
  GalleryQuery,
  ImageReport,
  OptionsReport,
  Outcome,
  PartColumns,
  ProgressReport,
  Reading,
  Remedy,
  Report,
  ResamplingOptions,
  RocCurveReport,
  StatisticsOptions,
  View,
} from "../../pkg/froc.js";
import { loadModule, loadRest } from "./assets.ts";
import { isQuick } from "./files.ts";
import { Helpers, isLargeZip, readersFor } from "./helpers.ts";
import { buffersOf } from "./parts.ts";
import { readShare } from "./pieces.ts";
import type { NetworkRequest } from "./requests.ts";
import type { Api, Content, ErrorsFormat, Outline, Started, Typed } from "./worker.ts";
import EngineWorker from "./worker.ts?worker&inline";

export type { ErrorReport, FileFailure, FileSummary, OptionsReport, Outcome, Outline, ProgressReport, Reading, Remedy };

/** What every call here throws: sentences, whoever failed. */
export class EvaluationError extends Error {
  constructor(readonly errors: ErrorReport[]) {
    super(errors.map((error) => error.sentence).join(" "));
  }
}

/** Thrown by the call that was running when `cancel` was called. */
export class Cancelled extends Error {}

/** Milliseconds after a score: nobody needs a digest sooner, and it keeps a processor busy. An export does not wait for it. */
const DIGESTS_AFTER = 1000;

interface Loaded {
  file: File;
  /** How it is read; null is how the official script reads. */
  reading: Reading | null;
  /** Its SHA-256, once that is known. */
  digest: string | null;
}

export class Evaluator {
  #module: Promise<WebAssembly.Module> | undefined;
  #rest: Promise<WebAssembly.Module | null> | undefined;
  #worker: Worker | undefined;
  /** The engine, once it can be asked. */
  #remote: Comlink.Remote<Api> | undefined;
  #ready: Promise<Started>;
  /** Whether workers can read files; if not, they are given the bytes. */
  #readsFiles = true;
  #loaded = new Map<string, Loaded>();
  #helpers = new Helpers(() => this.#compiled(), () => this.#compiledRest(), (request) => this.onRequest(request));
  /** Files whose digest is taken once they are scored. */
  #undigested: { id: string; file: File }[] = [];
  /** The digests that are being taken. */
  #digests = new Set<Promise<void>>();
  /**
   * Files are handed to the engine in the order in which they were added: this is when the next one may be; null while it
   * may be at once, as behind a quick one.
   */
  #turn: Promise<unknown> | null = null;
  /** Ends the calls that wait for a worker which answers no more. */
  #abort = Promise.withResolvers<never>();

  /** Is told of a file that was loaded and can be read no more. */
  onLost: (id: string, errors: ErrorReport[]) => void = () => undefined;

  /** Is told of every network request that the worker makes or is stopped from making: none, if all is well. */
  onRequest: (request: NetworkRequest) => void = () => undefined;

  constructor() {
    this.#ready = this.#start();
  }

  /** The core's defaults and version, once the engine runs. */
  get ready(): Promise<Started> {
    return this.#call(() => this.#ready);
  }

  /** Whether all of the engine is there, once that is known: without the rest of it files are scored, and no more. */
  get whole(): Promise<boolean> {
    return this.#compiledRest().then((rest) => rest !== null);
  }

  /** Is told when what was scored without all of the engine should be scored again. */
  onWhole: () => void = () => undefined;

  /** Is given the report with the SHA-256 of a file that was scored before it was known. */
  onDigest: (report: Report) => void = () => undefined;

  /**
   * Reads a file and keeps what it says under `id`, after those that were added before. `signal` ends it, with the reason
   * `Cancelled`. Throws `EvaluationError` or `Cancelled`; then nothing changed.
   */
  async add(
    id: string,
    file: File,
    onProgress: (progress: ProgressReport) => void,
    signal: AbortSignal,
  ): Promise<FileSummary> {
    // A large zip is read beside the engine, while that is still busy with the files before.
    const shares = this.#readShares(file, onProgress, signal);
    const before = this.#turn;
    const done = Promise.withResolvers<undefined>();
    // Nobody waits for a quick file that is handed over at once.
    const isHandedOver = isQuick(file) && this.#readsFiles;
    if (before || !isHandedOver) this.#takeTurn(done.promise);
    try {
      if (before) await orAborted(before, signal);
      const parts = shares && (await orAborted(shares, signal));
      // What the engine itself does ends with the engine alone.
      const end = () => this.cancel();
      signal.addEventListener("abort", end);
      const keep = () => this.#call((remote) => this.#keep(remote, id, file, parts, onProgress), file.name);
      const kept = keep();
      if (isHandedOver) done.resolve(undefined);
      // A quick file may end with the engine because the one that was handed over next was cancelled.
      const again = (thrown: unknown) => {
        if (thrown instanceof Cancelled && isQuick(file) && !signal.aborted) return keep();
        throw thrown;
      };
      const summary = await kept.catch(again).finally(() => signal.removeEventListener("abort", end));
      this.#loaded.delete(id);
      this.#loaded.set(id, { file, reading: null, digest: summary.sha256 });
      if (summary.sha256 === null) this.#undigested.push({ id, file });
      return summary;
    } catch (thrown) {
      throw inSentences(thrown, file.name);
    } finally {
      done.resolve(undefined);
    }
  }

  /** Runs the engine on made-up files while nothing else is to be done, so that it is fast when real ones come. */
  async warmUp([truth, predictions]: File[]): Promise<void> {
    if (truth && predictions) await this.#call(async (remote) => remote.warmUp(await this.#content(truth), await this.#content(predictions)));
    this.#helpers.prepare();
  }

  async remove(id: string): Promise<void> {
    this.#loaded.delete(id);
    await this.#call((remote) => remote.remove(id));
  }

  /** Reads a file otherwise from now on; null is how the official script reads. */
  async setReading(id: string, reading: Reading | null): Promise<void> {
    await this.#call((remote) => remote.setReading(id, reading), id);
    const loaded = this.#loaded.get(id);
    if (loaded) loaded.reading = reading;
  }

  async evaluate(options: OptionsReport): Promise<Outcome> {
    const { outcome, isWhole } = await this.#call((remote) => remote.evaluate(options), "scoring");
    if (!isWhole) this.#scoreAgain();
    // Once the score and what is asked for with it are on the screen.
    setTimeout(() => this.#takeDigests(), DIGESTS_AFTER);
    return outcome;
  }

  /** Scores under options as they were typed; null if they are those `now` in use. Throws if they make no sense. */
  async evaluateTyped(iouThreshold: string, fpPerImage: string, now: OptionsReport): Promise<Typed | null> {
    const answer = await this.#call((remote) => remote.evaluateTyped(iouThreshold, fpPerImage, now), "scoring");
    if (answer && !answer.isWhole) this.#scoreAgain();
    return answer;
  }

  /** The last report as a file: json, csv, markdown, latex or html. It names the SHA-256 of every file. */
  async export(format: string): Promise<Uint8Array<ArrayBuffer>> {
    this.#takeDigests();
    await Promise.all(this.#digests);
    return this.#call((remote) => remote.export(format));
  }

  /**
   * Draws all replicates in slices of a frame or so and computes everything beside the score. `onprogress` is told 0..1
   * after each slice and promises whether to go on; null if it ended the drawing.
   */
  async statistics(
    options: OptionsReport,
    resampling: ResamplingOptions,
    statistics: StatisticsOptions,
    onprogress: (share: number) => Promise<boolean>,
  ): Promise<Outcome | null> {
    const what = "statistics";
    let { done, total } = await this.#call((remote) => remote.startBootstrap(options, resampling), what);
    let slice = 20;
    while (done < total) {
      const start = performance.now();
      const size = slice;
      ({ done, total } = await this.#call((remote) => remote.stepBootstrap(size), what));
      // About a twentieth of a second a slice: Cancel answers within it, and messages cost nothing beside it.
      slice = Math.max(1, Math.round((size * 50) / Math.max(1, performance.now() - start)));
      if (!(await onprogress(done / total))) {
        await this.#call((remote) => remote.stopBootstrap(), what);
        return null;
      }
    }
    return this.#call((remote) => remote.evaluateWithStatistics(options, statistics), what);
  }

  curve(run: number, classIndex: number, options: OptionsReport): Promise<CurveReport> {
    return this.#call((remote) => remote.curve(run, classIndex, options));
  }

  pooledCurve(run: number, options: OptionsReport): Promise<CurveReport> {
    return this.#call((remote) => remote.pooledCurve(run, options));
  }

  imageRoc(run: number, classIndex: number): Promise<RocCurveReport> {
    return this.#call((remote) => remote.imageRoc(run, classIndex));
  }

  /** A curve to draw small, and the span of its scores. */
  outline(run: number, classIndex: number, options: OptionsReport): Promise<Outline> {
    return this.#call((remote) => remote.outline(run, classIndex, options));
  }

  /**
   * The score threshold of each class at its operating point of a rate, or that of all classes ranked together; null where
   * no detection counts.
   */
  operatingThresholds(run: number, fpPerImage: number, iouThreshold: number, isPooled: boolean): Promise<(number | null)[]> {
    return this.#call((remote) => remote.operatingThresholds(run, fpPerImage, iouThreshold, isPooled));
  }

  diagnosis(view: View): Promise<DiagnosisReport> {
    return this.#call((remote) => remote.diagnosis(view));
  }

  /** Numbers of the images that a query wants, in its order. */
  gallery(query: GalleryQuery): Promise<Uint32Array> {
    return this.#call((remote) => remote.gallery(query));
  }

  images(view: View, images: Uint32Array): Promise<ImageReport[]> {
    return this.#call((remote) => remote.images(view, images));
  }

  /** Every detection and every missed lesion of all runs with its cause, at the operating points of a rate. */
  async errors(fpPerImage: number, iouThreshold: number, format: ErrorsFormat): Promise<Blob> {
    return new Blob(await this.#call((remote) => remote.errors(fpPerImage, iouThreshold, format), "the list of errors"));
  }

  officialLines(run: number): Promise<string> {
    return this.#call((remote) => remote.officialLines(run));
  }

  /** Ends what is running. A fresh worker takes over; files that were loaded are read again by it. */
  cancel(): void {
    this.#replace(new Cancelled());
  }

  async #start(): Promise<Started> {
    const worker = new EngineWorker();
    this.#worker = worker;
    this.#remote = undefined;
    const remote = Comlink.wrap<Api>(worker);
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#replace(died(event.message, undefined));
    });
    const started = await remote.start(
      await this.#compiled(),
      Comlink.proxy((request: NetworkRequest) => this.onRequest(request)),
    );
    void this.#compiledRest().then((rest) => remote.complete(rest));
    this.#readsFiles = started.readsFiles;
    for (const [id, { file, reading, digest }] of [...this.#loaded]) {
      const { signal } = new AbortController();
      try {
        const parts = await this.#readShares(file, () => undefined, signal);
        await this.#keep(remote, id, file, parts, () => undefined);
        if (reading) await remote.setReading(id, reading);
        if (digest) await remote.learnSha256(id, digest);
      } catch (thrown) {
        if (!isFailure(thrown)) throw thrown;
        // The file has changed on disk since it was read.
        this.#loaded.delete(id);
        this.onLost(id, thrown.errors);
      }
    }
    if (worker === this.#worker) this.#remote = remote;
    return started;
  }

  #started(): Comlink.Remote<Api> {
    if (!this.#remote) throw new Error("the engine has not started");
    return this.#remote;
  }

  #compiled(): Promise<WebAssembly.Module> {
    return (this.#module ??= loadModule());
  }

  /** What of the engine comes after the first score; null if it cannot be had, of which the engine tells where it is needed. */
  #compiledRest(): Promise<WebAssembly.Module | null> {
    return (this.#rest ??= loadRest().catch(() => null));
  }

  /** Lets files wait that are added from now on: for those before, and until `done`. */
  #takeTurn(done: Promise<unknown>): void {
    const turn = Promise.all([this.#turn, done]).finally(() => {
      if (this.#turn === turn) this.#turn = null;
    });
    this.#turn = turn;
  }

  /** Reads a large zip by several workers at once; null if the engine is to read the file. */
  #readShares(
    file: File,
    onProgress: (progress: ProgressReport) => void,
    signal: AbortSignal,
  ): Promise<PartColumns[] | null> | null {
    const readers = readersFor(file);
    if (readers === 1 || !this.#readsFiles) return null;
    const shares = this.#helpers.readShares(file, readers, onProgress, signal);
    // Until somebody waits for them.
    shares.catch(() => undefined);
    return shares;
  }

  /** Hands the engine a file, or what was read of it. */
  async #keep(
    remote: Comlink.Remote<Api>,
    id: string,
    file: File,
    parts: PartColumns[] | null,
    onProgress: (progress: ProgressReport) => void,
  ): Promise<FileSummary> {
    if (parts) return remote.addParts(id, file.name, Comlink.transfer(parts, parts.flatMap(buffersOf)));
    if (!this.#readsFiles) return remote.add(id, file.name, await this.#content(file), Comlink.proxy(onProgress));
    if (isLargeZip(file) && (await readShare(remote, file, 0, 1, onProgress))) return remote.addShare(id, file.name);
    return remote.add(id, file.name, file, Comlink.proxy(onProgress));
  }

  /** What is given to a worker: the file itself, also if it cannot be read here either, of which the worker tells. */
  async #content(file: File): Promise<Content> {
    if (this.#readsFiles) return file;
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      return Comlink.transfer(bytes, [bytes.buffer]);
    } catch {
      return file;
    }
  }

  /** Asks for another score once all of the engine is there. */
  #scoreAgain(): void {
    void this.#compiledRest().then((rest) => rest && this.onWhole());
  }

  #takeDigests(): void {
    for (const { id, file } of this.#undigested.splice(0)) {
      const digest = this.#digest(id, file).finally(() => {
        this.#digests.delete(digest);
        if (this.#digests.size === 0) this.#helpers.prepare();
      });
      this.#digests.add(digest);
    }
  }

  /** Takes the SHA-256 of a file beside all else. */
  async #digest(id: string, file: File): Promise<void> {
    try {
      const digest = await this.#helpers.digest(await this.#content(file));
      const loaded = this.#loaded.get(id);
      // The file may have gone away since it was read. Its score stays; exports leave the digest out.
      if (loaded?.file !== file || digest === null) return;
      loaded.digest = digest;
      const report = await this.#call((remote) => remote.learnSha256(id, digest));
      if (report) this.onDigest(report);
    } catch (thrown) {
      if (!isTrap(thrown) && !(thrown instanceof EvaluationError) && !(thrown instanceof Cancelled)) throw thrown;
    }
  }

  #replace(reason: Error): void {
    this.#worker?.terminate();
    const { reject } = this.#abort;
    this.#abort = Promise.withResolvers<never>();
    // Nobody may be waiting.
    this.#abort.promise.catch(() => undefined);
    this.#ready = this.#start();
    this.#ready.catch(() => undefined);
    reject(reason);
  }

  async #call<T>(call: (remote: Comlink.Remote<Api>) => Promise<T>, what?: string): Promise<T> {
    const aborted = this.#abort.promise;
    const remote = this.#remote;
    const answer = remote ? call(remote) : this.#ready.then(() => call(this.#started()));
    try {
      return await Promise.race([answer, aborted]);
    } catch (thrown) {
      // The loser of the race may still fail, unheard.
      answer.catch(() => undefined);
      const error = inSentences(thrown, what);
      // A trap of WebAssembly: the instance is of no use any more.
      if (isTrap(thrown) && error instanceof Error && aborted === this.#abort.promise) this.#replace(error);
      throw error;
    }
  }
}

/** The promise, or the reason of the signal if that comes first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(signal.reason as Error);
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", end));
  });
}

function isTrap(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.name === "RuntimeError";
}

/** What a worker threw, in sentences. Anything else is a mistake of ours. */
function inSentences(thrown: unknown, what: string | undefined): unknown {
  if (isFailure(thrown) && !(thrown instanceof EvaluationError)) return new EvaluationError(thrown.errors);
  return isTrap(thrown) ? died(thrown.message, what) : thrown;
}

function isFailure(thrown: unknown): thrown is Failure {
  return typeof thrown === "object" && thrown !== null && "errors" in thrown && Array.isArray(thrown.errors);
}

function died(message: string, what: string | undefined): EvaluationError {
  const place = what ?? "froc";
  const reason = `the engine stopped (${message})`;
  const expected = "enough free memory; close other tabs or try a smaller file. The other files stay";
  return new EvaluationError([{ place, what: reason, expected, sentence: `${place}: ${reason}; it needs ${expected}.` }]);
}
