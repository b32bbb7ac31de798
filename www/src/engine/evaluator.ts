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
  Mark,
  OpenedSession,
  OptionsReport,
  Outcome,
  ProgressReport,
  Reading,
  Remedy,
  Report,
  ResamplingOptions,
  RocCurveReport,
  SavedSelection,
  StatisticsOptions,
  SuspectsReport,
  View,
} from "../../pkg/froc.js";
import { loadModule } from "./assets.ts";
import type { NetworkRequest } from "../offline/requests.ts";
import type { Api, Content, ErrorsFormat, Outline, Started, Typed, Used } from "./worker.ts";
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
  /** What its run is called, if not as the file. */
  name: string | null;
  /** Its SHA-256, once that is known. */
  digest: string | null;
}

interface Fused {
  /** The ids of the runs. */
  of: string[];
  /** The IoU above which boxes are one; null is the core's. */
  iou: number | null;
  /** What it is called, if not after its runs. */
  name: string | null;
}

/** Who is told of what happens without being asked for. */
export interface Listener {
  /** A file that was loaded can be read no more. */
  onLost(id: string, errors: ErrorReport[]): void;
  /** An engine that ended while nothing was asked of it has a successor, which has the files and their score, and nothing else. */
  onReplaced(): void;
  /** The SHA-256 of a file that was scored before it was known stands in this report. */
  onDigest(report: Report): void;
  /** A worker made a network request, or was stopped from making it: never, if all is well. */
  onRequest(request: NetworkRequest): void;
}

export class Evaluator {
  readonly #listener: Listener;
  #module: Promise<WebAssembly.Module> | undefined;
  #worker: Worker | undefined;
  /** The engine, once it can be asked. */
  #remote: Comlink.Remote<Api> | undefined;
  #ready: Promise<Started>;
  /** Whether workers can read files; if not, they are given the bytes. */
  #readsFiles = true;
  #loaded = new Map<string, Loaded>();
  /** Runs that are fused of those of files, by id: a successor fuses them, too. */
  #fused = new Map<string, Fused>();
  /** Files whose digest is taken once they are scored. */
  #undigested: { id: string; file: File }[] = [];
  /** Settles when the digests that are being taken are known. */
  #digests: Promise<void> = Promise.resolve();
  /** Files are read one after the other, in the order in which they were added: settles when the last of them is. */
  #turn: Promise<unknown> = Promise.resolve();
  /** The options of the last score: a successor scores with them, so that it has a report, too. */
  #scored: OptionsReport | null = null;
  /** The classes that are not scored: a successor leaves them out, too. */
  #ignored: string[] = [];
  /** What the ground truth is evaluated as: a successor does so, too. */
  #protocol: string | null = null;
  /** Whose boxes are lesions: a successor takes these, too. */
  #readers: string | null = null;
  /** What the images are divided by. */
  #by: string[] = [];
  /** What a person said of suspects, by their ids. */
  #marks = new Map<string, Mark>();
  /** How many calls wait for an answer. */
  #waiting = 0;
  /** Ends the calls that wait for a worker which answers no more. */
  #abort = Promise.withResolvers<never>();

  constructor(listener: Listener) {
    this.#listener = listener;
    this.#ready = this.#start();
  }

  /** The core's defaults and version, once the engine runs. */
  get ready(): Promise<Started> {
    return this.#call(() => this.#ready);
  }

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
    const before = this.#turn;
    const { promise: turn, resolve: done } = Promise.withResolvers<void>();
    this.#turn = Promise.all([before, turn]);
    const end = () => this.cancel();
    try {
      await orAborted(before, signal);
      // It may have been ended since its turn came.
      signal.throwIfAborted();
      signal.addEventListener("abort", end);
      const summary = await this.#call((remote) => this.#keep(remote, id, file, onProgress), file.name);
      this.#loaded.delete(id);
      this.#loaded.set(id, { file, reading: null, name: null, digest: summary.sha256 });
      if (summary.sha256 === null) this.#undigested.push({ id, file });
      return summary;
    } catch (thrown) {
      throw inSentences(thrown, file.name);
    } finally {
      signal.removeEventListener("abort", end);
      done();
    }
  }

  /** Whether a text is the predictions for one image, or holds nothing. */
  async isOfOneImage(file: File): Promise<boolean> {
    const bytes = new Uint8Array(await file.arrayBuffer());
    return this.#call((remote) => remote.isOfOneImage(bytes), file.name);
  }

  /** Forgets a file, or a fused run. */
  async remove(id: string): Promise<void> {
    this.#loaded.delete(id);
    this.#fused.delete(id);
    await this.#call((remote) => remote.remove(id));
  }

  /** Reads a file otherwise from now on; null is how the official script reads. */
  async setReading(id: string, reading: Reading | null): Promise<void> {
    await this.#call((remote) => remote.setReading(id, reading), id);
    const loaded = this.#loaded.get(id);
    if (loaded) loaded.reading = reading;
  }

  /** Calls the run of a file, or a fused one, otherwise from the next score on. */
  async rename(id: string, name: string): Promise<void> {
    await this.#call((remote) => remote.rename(id, name), id);
    const named = this.#loaded.get(id) ?? this.#fused.get(id);
    if (named) named.name = name;
  }

  /** Fuses runs of files from the next score on; gives the id of the run that they make. */
  async fuse(of: string[], iou: number | null): Promise<string> {
    const id = await this.#call((remote) => remote.fuse(of, iou), "fusion");
    this.#fused.set(id, { of, iou, name: null });
    return id;
  }

  async evaluate(options: OptionsReport): Promise<Outcome> {
    const outcome = await this.#call((remote) => remote.evaluate(options), "scoring");
    this.#scored = options;
    // Once the score and what is asked for with it are on the screen.
    setTimeout(() => this.#takeDigests(), DIGESTS_AFTER);
    return outcome;
  }

  /** Scores under options as they were typed; null if they are those `now` in use. Throws if they make no sense. */
  async evaluateTyped(typed: Typed, now: Used): Promise<{ used: Used; outcome: Outcome } | null> {
    const answer = await this.#call((remote) => remote.evaluateTyped(typed, now), "scoring");
    if (answer) {
      this.#scored = answer.used.options;
      this.#ignored = answer.used.ignored;
      this.#protocol = answer.used.protocol;
      this.#readers = answer.used.readers;
    }
    return answer;
  }

  /** The last report as a file: json, csv, markdown, latex or html. It names the SHA-256 of every file. */
  async export(format: string): Promise<Uint8Array<ArrayBuffer>> {
    this.#takeDigests();
    await this.#digests;
    return this.#call((remote) => remote.export(format));
  }

  /** What is chosen here, and of which files, as a session file: it names the SHA-256 of every file. */
  async save(notes: string, selection: SavedSelection, withTables = true): Promise<Uint8Array<ArrayBuffer>> {
    this.#takeDigests();
    await this.#digests;
    return this.#call((remote) => remote.save(notes, selection, withTables));
  }

  /** The last report as a file that is handed on, without the names of images and what a table tells unless these are wanted. */
  async reportToShare(withImageNames: boolean, withTable: boolean): Promise<Uint8Array<ArrayBuffer>> {
    this.#takeDigests();
    await this.#digests;
    return this.#call((remote) => remote.reportToShare(withImageNames, withTable));
  }

  /** The page in one file, whose bytes are given, with files in it. */
  async pageWith(page: Uint8Array<ArrayBuffer>, files: File[]): Promise<Blob> {
    const contents = await Promise.all(
      files.map(async (file) => ({ name: file.name, content: await this.#content(file) })),
    );
    return new Blob(await this.#call((remote) => remote.pageWith(page, contents), "froc.html"), { type: "text/html" });
  }

  /** Reads and names the files as they were when a session was saved; tells what was chosen, and what differs by SHA-256. */
  async restore(session: File): Promise<OpenedSession> {
    this.#takeDigests();
    await this.#digests;
    const text = await session.text();
    const opened = await this.#call((remote) => remote.restore(session.name, text), session.name);
    this.#ignored = opened.session.ground_truth.ignored_classes ?? [];
    this.#protocol = opened.restored.protocol;
    this.#readers = opened.restored.readers;
    for (const { id, label, reading } of opened.restored.predictions) {
      const loaded = this.#loaded.get(id);
      if (!loaded) continue;
      // At the end: a successor of the engine gets the files in this order.
      this.#loaded.delete(id);
      this.#loaded.set(id, { ...loaded, reading, name: label });
    }
    this.#fused = new Map(
      opened.restored.fusions.map(({ id, of, iou_threshold: iou, label: name }) => [id, { of, iou, name }]),
    );
    this.#by = opened.session.options.slices?.by ?? [];
    this.#marks = new Map(opened.session.marks ?? []);
    return opened;
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
    const start = (remote: Comlink.Remote<Api>) => remote.startBootstrap(options, resampling, statistics);
    let { done, total } = await this.#call(start, what);
    let slice = 20;
    while (done < total) {
      const began = performance.now();
      const size = slice;
      ({ done, total } = await this.#call((remote) => remote.stepBootstrap(size), what));
      // About a twentieth of a second a slice: Cancel answers within it, and messages cost nothing beside it.
      slice = Math.max(1, Math.round((size * 50) / Math.max(1, performance.now() - began)));
      if (!(await onprogress(done / total))) {
        await this.#call((remote) => remote.stopBootstrap(), what);
        return null;
      }
    }
    return this.#call((remote) => remote.evaluateWithStatistics(options, statistics), what);
  }

  /** Divides the images by what can be chosen, in the last report and all that follow. */
  async sliceBy(by: string[]): Promise<Outcome> {
    const outcome = await this.#call((remote) => remote.sliceBy(by), "slices");
    this.#by = by;
    return outcome;
  }

  /** The exact FROC curve of a row of a run: of a class by its name, of `mean` or of `pooled`. */
  curve(run: string, row: string, options: OptionsReport): Promise<CurveReport> {
    return this.#call((remote) => remote.curve(run, row, options));
  }

  imageRoc(run: string, classIndex: number): Promise<RocCurveReport> {
    return this.#call((remote) => remote.imageRoc(run, classIndex));
  }

  /** A curve to draw small, and the span of its scores. */
  outline(run: string, row: string, options: OptionsReport): Promise<Outline> {
    return this.#call((remote) => remote.outline(run, row, options));
  }

  /**
   * The score threshold of each class at its operating point of each rate, or that of all classes ranked together; null
   * where no detection counts.
   */
  operatingThresholds(
    run: string,
    rates: number[],
    iouThreshold: number,
    isPooled: boolean,
  ): Promise<(number | null)[][]> {
    return this.#call((remote) => remote.operatingThresholds(run, rates, iouThreshold, isPooled));
  }

  diagnosis(view: View): Promise<DiagnosisReport> {
    return this.#call((remote) => remote.diagnosis(view));
  }

  /** Numbers of the images that a query wants, in its order. */
  gallery(query: GalleryQuery): Promise<Uint32Array> {
    return this.#call((remote) => remote.gallery(query));
  }

  /** What became of the boxes of some images; of detections below the thresholds, too, if it is `withUncounted`. */
  images(view: View, images: Uint32Array, withUncounted: boolean): Promise<ImageReport[]> {
    return this.#call((remote) => remote.images(view, images, withUncounted));
  }

  /** Every detection and every missed lesion of all runs with its cause, at the operating points of a rate. */
  async errors(fpPerImage: number, iouThreshold: number, format: ErrorsFormat): Promise<Blob> {
    return new Blob(
      await this.#call((remote) => remote.errors(fpPerImage, iouThreshold, format), "the list of errors"),
    );
  }

  /** Where several runs agree against the ground truth, as far as it is marked. */
  suspects(options: OptionsReport): Promise<SuspectsReport> {
    return this.#call((remote) => remote.suspects(options), "the list of suspects");
  }

  /** Says whether the ground truth is right where a suspect is; null takes that back. */
  async markSuspect(id: string, mark: Mark | null): Promise<void> {
    await this.#call((remote) => remote.markSuspect(id, mark));
    if (mark) this.#marks.set(id, mark);
    else this.#marks.delete(id);
  }

  /** The list of suspects as a table, and the ground truth as the marks correct it: the bytes of files. */
  exportSuspects(options: OptionsReport): Promise<Uint8Array<ArrayBuffer>> {
    return this.#call((remote) => remote.exportSuspects(options), "the list of suspects");
  }
  correctedGroundTruth(options: OptionsReport): Promise<Uint8Array<ArrayBuffer>> {
    return this.#call((remote) => remote.correctedGroundTruth(options), "the corrected ground truth");
  }

  /** The score thresholds that reach the rates with a run, as the bytes of a file: a table, or JSON. */
  thresholds(run: string, options: OptionsReport, isTable: boolean): Promise<Uint8Array<ArrayBuffer>> {
    return this.#call((remote) => remote.thresholds(run, options, isTable));
  }

  /** A run as files in another format, and one sentence for each thing that is not kept. */
  async convert(run: string, target: string): Promise<{ file: Blob; notes: string[] }> {
    const { parts, conversion } = await this.#call((remote) => remote.convert(run, target), "the converted run");
    return { file: new Blob(parts), notes: conversion.notes };
  }

  officialLines(run: string): Promise<string> {
    return this.#call((remote) => remote.officialLines(run));
  }

  exactLines(run: string): Promise<string> {
    return this.#call((remote) => remote.exactLines(run));
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
    // One that the system ends tells nobody: its lock does. One that dies before it is ready is not started over and over.
    whenEnded(remote, () => {
      if (worker !== this.#worker) return;
      const reason = died("the browser or the system ended it", undefined);
      if (this.#remote === remote) {
        // While it was asked something, that may be what it died of.
        const wasIdle = this.#waiting === 0;
        this.#replace(reason);
        if (wasIdle) void this.#ready.then(() => this.#listener.onReplaced()).catch(() => undefined);
        return;
      }
      this.#ready = Promise.reject(reason);
      this.#ready.catch(() => undefined);
      this.#end(reason);
    });
    const started = await remote.start(
      await this.#compiled(),
      Comlink.proxy((request: NetworkRequest) => this.#listener.onRequest(request)),
    );
    this.#readsFiles = started.readsFiles;
    await remote.chooseReaders(this.#readers);
    await remote.chooseProtocol(this.#protocol);
    await remote.ignoreClasses(this.#ignored);
    for (const [id, { file, reading, name, digest }] of [...this.#loaded]) {
      try {
        await this.#keep(remote, id, file, () => undefined);
        if (reading) await remote.setReading(id, reading);
        if (name) await remote.rename(id, name);
        if (digest) await remote.learnSha256(id, digest);
      } catch (thrown) {
        if (!isFailure(thrown)) throw thrown;
        // The file has changed on disk since it was read.
        this.#loaded.delete(id);
        this.#listener.onLost(id, thrown.errors);
      }
    }
    for (const [id, { of, iou, name }] of this.#fused) {
      await remote.fuse(of, iou);
      if (name) await remote.rename(id, name);
    }
    for (const [id, mark] of this.#marks) await remote.markSuspect(id, mark);
    // A column of a table that can be read no more is none.
    if (this.#by.length > 0) await remote.sliceBy(this.#by).catch(() => undefined);
    if (this.#scored) await remote.evaluate(this.#scored);
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

  async #keep(
    remote: Comlink.Remote<Api>,
    id: string,
    file: File,
    onProgress: (progress: ProgressReport) => void,
  ): Promise<FileSummary> {
    return remote.add(id, file.name, await this.#content(file), Comlink.proxy(onProgress));
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

  /** Takes the digests of files that were scored, one after the other, in a worker of its own beside all else. */
  #takeDigests(): void {
    const files = this.#undigested.splice(0);
    if (files.length > 0) this.#digests = this.#digests.then(() => this.#digest(files));
  }

  async #digest(files: { id: string; file: File }[]): Promise<void> {
    const worker = new EngineWorker();
    const died = new Promise<never>((_, reject) => {
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      });
    });
    died.catch(() => undefined);
    const remote = Comlink.wrap<Api>(worker);
    try {
      await Promise.race([
        died,
        remote.start(
          await this.#compiled(),
          Comlink.proxy((request: NetworkRequest) => this.#listener.onRequest(request)),
        ),
      ]);
      for (const { id, file } of files) {
        // A file that has gone away since it was read has no digest. Its score stays; exports leave the digest out.
        const digest = await Promise.race([died, remote.sha256(await this.#content(file))]).catch(() => null);
        const loaded = this.#loaded.get(id);
        if (loaded?.file !== file || digest === null) continue;
        loaded.digest = digest;
        const report = await this.#call((remote) => remote.learnSha256(id, digest));
        if (report) this.#listener.onDigest(report);
      }
    } catch (thrown) {
      if (!isTrap(thrown) && !(thrown instanceof EvaluationError) && !(thrown instanceof Cancelled)) throw thrown;
    } finally {
      worker.terminate();
    }
  }

  #replace(reason: Error): void {
    this.#worker?.terminate();
    this.#ready = this.#start();
    this.#ready.catch(() => undefined);
    this.#end(reason);
  }

  /** Ends the calls that are waiting. */
  #end(reason: Error): void {
    const { reject } = this.#abort;
    this.#abort = Promise.withResolvers<never>();
    // Nobody may be waiting.
    this.#abort.promise.catch(() => undefined);
    reject(reason);
  }

  async #call<T>(call: (remote: Comlink.Remote<Api>) => Promise<T>, what?: string): Promise<T> {
    const aborted = this.#abort.promise;
    const remote = this.#remote;
    const answer = remote ? call(remote) : this.#ready.then(() => call(this.#started()));
    this.#waiting++;
    try {
      return await Promise.race([answer, aborted]);
    } catch (thrown) {
      // The loser of the race may still fail, unheard.
      answer.catch(() => undefined);
      const error = inSentences(thrown, what);
      // A trap of WebAssembly: the instance is of no use any more.
      if (isTrap(thrown) && error instanceof Error && aborted === this.#abort.promise) this.#replace(error);
      throw error;
    } finally {
      this.#waiting--;
    }
  }
}

/** Calls `ended` when a worker ends without a word; never where there are no locks. The worker holds its lock until then. */
function whenEnded(remote: Comlink.Remote<Api>, ended: () => void): void {
  const bytes = crypto.getRandomValues(new Uint32Array(4));
  const lock = `froc ${bytes.join(" ")}`;
  remote
    .hold(lock)
    .then((isHeld) => (isHeld ? navigator.locks.request(lock, ended) : undefined))
    .catch(() => undefined);
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
  return new EvaluationError([
    { place, what: reason, expected, sentence: `${place}: ${reason}; it needs ${expected}.` },
  ]);
}
