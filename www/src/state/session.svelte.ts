// What the page is about: files, options and report. Views read it and ask it to act; nobody else holds any of it.
import type {
  CurveReport,
  FileKind,
  FormatFacts,
  Report,
  ResamplingOptions,
  RocCurveReport,
  SavedSelection,
  SliceChoice,
  StatisticsOptions,
  TargetFacts,
} from "../../pkg/froc.js";
import { isOneFile, loadPage, loadSamples, loadSaved } from "../engine/assets.ts";
import {
  Cancelled,
  Evaluator,
  type ErrorReport,
  type OptionsReport,
  type Outcome,
  type Reading,
} from "../engine/evaluator.ts";
import type { ErrorsFormat, Started, Typed, Used } from "../engine/worker.ts";
import { keepForOffline } from "../offline/offline.ts";
import { ownFiles, watchRequests, type NetworkRequest } from "../offline/requests.ts";
import { save } from "../plot/save.ts";
import { counted, rates, visible } from "../words/format.ts";
import { SAMPLES, type SampleId } from "../words/samples.ts";
import { isLabel, pack, sortOut, withPictures } from "./bundle.ts";
import { filesIn, isText, isZip, type Dropped } from "./dropped.ts";
import { Files, sentences } from "./files.svelte.ts";
import { read, textOf } from "./hash.ts";
import { isPicture, Pictures } from "./pictures.svelte.ts";
import type { Target } from "./selection.svelte.ts";

/** A folder and all files below it. */
interface Walked {
  folder: FileSystemDirectoryEntry;
  inside: File[];
}
/** What a page that is saved for somebody else holds beside the report. */
export interface Shared {
  /** The files themselves. */
  boxes: boolean;
  /** Names of images, where the report has them. */
  names: boolean;
  /** Tables of patient groups and slices, or what the report has of them. */
  tables: boolean;
  /** What the person wrote down, where the files are in it. */
  notes: boolean;
}
/** Which of two numbers is read: the one that the script prints, or the one without its quirks. */
export type Convention = "official" | "exact";

/** Intervals come by themselves if they take less than this, in milliseconds. */
const BY_ITSELF_MS = 10_000;
/** So long drawing is watched before it is said how long it takes, in milliseconds. */
const WATCHED_MS = 2000;

/** Whether a file is a session that was saved, by its name. */
const isSession = ({ name }: File) => /\.froc\.json$/i.test(name);

/** Options as a person would type them, with every class scored. */
export const asTyped = ({ iou_threshold, hit, fp_per_image }: OptionsReport): Typed => ({
  measure: hit?.criterion ?? "iou",
  threshold: String(iou_threshold),
  fp: rates(fp_per_image),
  ignored: [],
  protocol: null,
  readers: null,
});

export class Session {
  readonly engine: Evaluator;
  readonly files: Files;
  readonly pictures = new Pictures();

  /** Defaults, formats and version of the core; null until the engine is there, with all else that the page needs of its host. */
  started: Started | null = $state.raw(null);
  options: OptionsReport | null = $state.raw(null);
  /** The classes that a person wants left out of the score, as far as the ground truth has them. */
  ignored: string[] = $state.raw([]);
  /** What the ground truth is evaluated as, by name; null is what it tells. */
  protocol: string | null = $state(null);
  /** Whose boxes are lesions, where several readers drew them and a person chose; null else. */
  readers: string | null = $state(null);
  /** The options as they were typed. */
  typed: Typed = $state({ measure: "iou", threshold: "", fp: "", ignored: [], protocol: null, readers: null });
  /** What is wrong with the options as they were typed: the score is not of these. */
  optionErrors: ErrorReport[] = $state.raw([]);
  report: Report | null = $state.raw(null);
  /** The ids of the runs of the report, and of the file of each. */
  runIds: string[] = $state.raw([]);
  fileIds: string[] = $state.raw([]);
  /** All classes of the ground truth, in its order, those that are left out as well. */
  classNames: string[] = $state.raw([]);
  /** Groups of the images, by the table of groups; null without one that fits. */
  nGroups: number | null = $state(null);
  /** What the images can be divided by. */
  choices: SliceChoice[] = $state.raw([]);
  /** Which scoring the report is of: changes with files, readings and options, not with what is computed beside the score. */
  scored = $state(0);
  /** How many drops are being read or scored. */
  adding = $state(0);
  /** How many scorings are under way: a newer one does not end those before. */
  asking = $state(0);
  /** How far resampling is, 0..1; null while nothing is drawn. */
  drawn: number | null = $state(null);
  /** Seconds that drawing would take, where that is too long to begin by itself; null else. */
  tooLong: number | null = $state(null);
  statisticsErrors: ErrorReport[] = $state.raw([]);
  /** How images are drawn, where a person wants it otherwise than the core does unless told. */
  resampling: ResamplingOptions | null = $state.raw(null);
  /** Which recall is read first: as the script prints it, or without its quirks. */
  convention: Convention = $state("official");
  /** The section of the help that is open; null without help. */
  help: string | null = $state(null);
  /** Runs that plots and scales leave out, by their files. */
  hidden: string[] = $state.raw([]);
  /** Errors that belong to no file. */
  errors: ErrorReport[] = $state.raw([]);
  /** What a number that was clicked leads to; a new object for each click. */
  target: Target | null = $state.raw(null);
  /** What the person writes down: it leaves the page in a session that is saved, and nowhere else unasked. */
  notes = $state("");
  /** What was looked at in the session that was opened, until that is on the screen. */
  selection: SavedSelection | null = $state.raw(null);
  requests: NetworkRequest[] = $state.raw([]);
  /** The page opens without a network. */
  isOffline = $state(false);
  /** Changes to a newer version of the page, where there is one. */
  update: (() => Promise<void>) | null = $state.raw(null);

  /** The file of the run that others are compared with. */
  #baseline = $state("");
  /** What is computed beside the score otherwise than the core does unless told. */
  #beside: Partial<StatisticsOptions> = {};
  /** A session some of whose files are not here yet. */
  #awaited: File | null = null;
  /** The notes as they were saved or opened last. */
  #notesKept = $state("");
  /** The files of all samples. */
  #samples: Promise<File[]> | null = null;
  /** Which of them was opened last. */
  #opened: SampleId = SAMPLES[0].id;
  /** What `pictures.changes` was when its pictures were there. */
  #changesOfSample = $state(0);
  /** The page in one file, once it was asked for. */
  #page: Promise<Uint8Array<ArrayBuffer>> | null = null;
  /** Files of the person's own are here, which the page forgets when it is left. */
  #hasOwn = false;
  #mayLeave = false;
  #scoring = 0;
  /** How often drawing was begun: what was begun before is of no use then. */
  #drawing = 0;
  /** Settles when nothing is drawn. */
  #drawings: Promise<void> = Promise.resolve();
  /** Settles when the options that were typed last are those in use, or are known to make no sense. */
  #typed: Promise<void> = Promise.resolve();
  /** How often options were typed. */
  #changes = 0;

  constructor() {
    const noteRequest = (request: NetworkRequest) => (this.requests = [...this.requests, request]);
    this.engine = new Evaluator({
      onLost: (id, errors) => this.files.lost(id, errors),
      onReplaced: () => void (this.report && this.score()),
      // A newer report, if one is on its way, comes after this one.
      onDigest: (report) => {
        if (this.report) this.report = report;
      },
      onRequest: noteRequest,
    });
    this.files = new Files(this.engine, (file, isRead) => this.#takeZip(file, isRead));
    void this.#start(noteRequest);
  }

  /** What is missing before anything can be scored, in a sentence. */
  get missing(): string {
    const { files } = this;
    if (files.isEmpty || files.items.some((item) => item.state === "reading")) return "";
    if (files.has("report") && !files.has("ground_truth") && !files.has("predictions")) return "";
    if (!files.has("ground_truth")) return "Now drop the ground truth: test.json.";
    return files.has("predictions") ? "" : "Now drop a zip of prediction files.";
  }

  /** Whether the dataset has a script, and so an official number; where it has none, the report says why. */
  get hasScript(): boolean {
    return !this.report?.runs[0]?.official.none_because;
  }

  /** What the numbers by the script's rules are called for all runs together. */
  get rulesName(): string {
    return this.report?.runs.every(({ official }) => official.is_official) === false ? "script's rules" : "official";
  }

  /** Why they are not official, or that there are none, for each run where that is so; empty where they are. */
  get notOfficial(): string {
    const runs = (this.report?.runs ?? []).filter(({ official }) => !official.is_official);
    return [
      ...new Set(
        runs.map(
          ({ name, official }) => official.none_because ?? `Of ${visible(name)} not official: ${official.name}.`,
        ),
      ),
    ].join("\n");
  }

  /** Whether a run is known from a report alone: its numbers are here, its boxes are not. */
  isKept(run: number): boolean {
    const id = this.fileIds[run];
    return this.files.items.some((item) => item.id === id && item.summary?.kind === "report");
  }

  /** Runs whose boxes are here. */
  get nScored(): number {
    return this.runIds.filter((_, run) => !this.isKept(run)).length;
  }

  /** Whether no run is scored here: nothing but reports is shown. */
  get isAllKept(): boolean {
    return this.report !== null && this.nScored === 0;
  }

  /** Whether the official number is read first. */
  get isOfficial(): boolean {
    return this.convention === "official" && this.hasScript;
  }

  /** Whether nothing but a sample is here. */
  get isSample(): boolean {
    return !this.files.isEmpty && this.files.items.every(({ isSample }) => isSample);
  }

  /** The sample that is here alone; null otherwise. */
  get sample(): SampleId | null {
    return this.isSample ? this.#opened : null;
  }

  /** Whether the person would lose something by leaving the page. The sample alone is a click away again. */
  get wouldLose(): boolean {
    const hasPictures = this.pictures.count > 0 && this.pictures.changes !== this.#changesOfSample;
    const hasNotes = this.notes !== this.#notesKept;
    return !this.#mayLeave && ((this.#hasOwn && !this.files.isEmpty) || hasPictures || hasNotes);
  }

  /** Shows the images behind a number. */
  show = (target: Target): void => {
    this.target = { ...target };
  };

  async addOwn(dropped: Dropped): Promise<void> {
    this.#hasOwn = true;
    await this.#add(dropped, false);
  }

  async scoreSample(sample: SampleId): Promise<void> {
    try {
      this.#samples ??= loadSamples();
      const all = await this.#samples;
      // A link to a sample does not put it beside files that a person dropped meanwhile.
      if (!this.files.isEmpty || this.adding > 0) return;
      this.pictures.forget();
      this.#opened = sample;
      const names: readonly string[] = SAMPLES.find(({ id }) => id === sample)?.files ?? [];
      const files = names.flatMap((name) => all.find((file) => file.name === name) ?? []);
      await this.#add({ files, folders: [] }, true);
      this.#changesOfSample = this.pictures.changes;
    } catch (thrown) {
      this.#samples = null;
      this.errors = sentences(thrown);
    }
  }

  async bringBack(): Promise<void> {
    const { undo } = this.files;
    if (undo instanceof File) await this.#add({ files: [undo], folders: [] }, this.files.isSample(undo));
    else if (undo) await this.fuse(undo.of, undo.iou, undo.label);
  }

  /** Takes a file or a fused run away, which is called so. */
  async remove(id: string, name: string): Promise<void> {
    await this.files.remove(id, name);
    await this.score();
  }

  /** The runs that a click fuses: those that are shown and whose boxes are here; none of one, or if they are fused. */
  get fusible(): string[] {
    const { fusions } = this.files;
    const isOfFile = (id: string, run: number) => !this.isKept(run) && fusions.every((fusion) => fusion.id !== id);
    const isShown = (run: number) => !this.hidden.includes(this.fileIds[run] ?? "");
    const runs = this.runIds.filter((id, run) => isOfFile(id, run) && isShown(run));
    const areFused = fusions.some(({ of }) => of.length === runs.length && runs.every((id) => of.includes(id)));
    return runs.length < 2 || areFused ? [] : runs;
  }

  /** Adds what runs would score as one. */
  async fuse(of: string[], iou: number | null = null, label: string | null = null): Promise<void> {
    await this.#changing(async () => {
      await this.files.fuse(of, iou, label);
      this.files.say(`Fused ${counted(of.length, "run")}.`);
    });
  }

  /** Reads a file otherwise; null is how the official script reads. */
  async read(id: string, reading: Reading | null): Promise<void> {
    await this.#changing(async () => {
      await this.engine.setReading(id, reading);
      this.files.say("");
    });
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#changing(() => this.files.rename(id, name));
  }

  /** Scores under options as they were typed, one after the other; what is wrong with the last of them stands in `optionErrors`. */
  changeOptions(typed: Typed): Promise<void> {
    this.typed = typed;
    const asked = {
      ...typed,
      ignored: typed.ignored.filter((name) => this.classNames.includes(name)),
      // A ground truth that names no readers has none to choose.
      readers: this.report && !this.report.ground_truth.readers ? null : typed.readers,
    };
    const mine = ++this.#changes;
    const tell = (errors: ErrorReport[]) => {
      if (mine === this.#changes) this.optionErrors = errors;
    };
    return (this.#typed = this.#typed
      .then(() => this.#scoreTyped(asked))
      .then(
        () => tell([]),
        (thrown: unknown) => tell(sentences(thrown)),
      ));
  }

  async score(): Promise<void> {
    const { options } = this;
    const mine = this.#overtake();
    if (!options) return;
    await this.#whileScoring(async () => {
      try {
        const outcome = await this.engine.evaluate(options);
        if (mine === this.#scoring) this.#take(outcome);
      } catch (thrown) {
        if (mine === this.#scoring && !(thrown instanceof Cancelled)) this.errors = sentences(thrown);
      }
    });
  }

  /** Place of the run that others are compared with. */
  get baseline(): number {
    const at = this.runIds.indexOf(this.#baseline);
    return at < 0 ? (this.report?.comparisons?.[0]?.baseline ?? 0) : at;
  }

  /** Compares the other runs with this one. */
  setBaseline(id: string): void {
    this.#baseline = id;
    void this.drawStatistics();
  }

  /** Shows a run in plots and scales, or leaves it out. */
  toggle(id: string): void {
    this.hidden = this.hidden.includes(id) ? this.hidden.filter((other) => other !== id) : [...this.hidden, id];
  }

  /** Weighs recall so much more than precision in F-scores. */
  setBeta(beta: number): void {
    this.#beside = { ...this.#beside, beta };
    void this.drawStatistics(Infinity);
  }

  /** Reads image sensitivity where so many images without a lesion show nothing, 0 to 1. */
  setSpecificity(specificity: number): void {
    this.#beside = { ...this.#beside, specificity };
    void this.drawStatistics(Infinity);
  }

  /** Draws as a person wants it, however long that takes. */
  async computeStatistics(resampling: ResamplingOptions): Promise<void> {
    this.resampling = resampling;
    await this.drawStatistics(Infinity);
  }

  /** Draws so often, from this seed, as an address tells; what it does not tell is as the core does it. */
  resample(replicates: number | null, seed: number | null): void {
    const own = this.started?.statistics.resampling;
    if (!own) return;
    const before = this.resampling ?? own;
    const asked = { ...before, replicates: replicates ?? own.replicates, seed: seed ?? own.seed };
    if (asked.replicates === before.replicates && asked.seed === before.seed) return;
    this.resampling = asked;
    if (this.report) void this.drawStatistics();
  }

  /** Draws as it was drawn last, unless that takes longer than so many milliseconds. */
  drawStatistics(atMost = BY_ITSELF_MS): Promise<void> {
    const [mine, turn] = [this.#scoring, ++this.#drawing];
    // Of a report nothing is drawn.
    if (this.isAllKept) return this.#drawings;
    this.drawn = 0;
    this.tooLong = null;
    this.statisticsErrors = [];
    // What is drawn for nobody ends first: the engine draws one at a time.
    return (this.#drawings = this.#drawings.then(() =>
      this.#draw(atMost, () => mine === this.#scoring && turn === this.#drawing),
    ));
  }

  async #draw(atMost: number, isMine: () => boolean): Promise<void> {
    const { options, started } = this;
    if (!options || !started || !this.report || this.drawn === null || !isMine()) return;
    const { resampling, statistics } = started.statistics;
    const start = performance.now();
    const isOther = this.report.runs.length > 1 && !this.isKept(this.baseline);
    const baseline = isOther ? (this.runIds[this.baseline] ?? null) : null;
    // A table of groups is used while it is there, unless a person wants it otherwise.
    const groups = this.nGroups === null ? "images" : "csv";
    const last = this.resampling ?? { ...resampling, groups };
    const isAsked = atMost === Infinity || last.groups === "nih_names";
    try {
      const outcome = await this.engine.statistics(
        options,
        isAsked ? last : { ...last, groups },
        { ...statistics, ...this.#beside, baseline },
        async (share) => {
          await this.#typed;
          // Cancelled, or overtaken by other files or options.
          if (this.drawn === null || !isMine()) return false;
          const spent = performance.now() - start;
          if (spent > WATCHED_MS && spent / share > atMost) {
            this.tooLong = spent / share / 1000;
            return false;
          }
          this.drawn = share;
          return true;
        },
      );
      if (outcome?.report && isMine()) this.report = outcome.report;
    } catch (thrown) {
      // Nobody asked for it: who asks is told.
      if (isMine() && atMost === Infinity && !(thrown instanceof Cancelled)) this.statisticsErrors = sentences(thrown);
    } finally {
      if (isMine()) this.drawn = null;
    }
  }

  /** Divides the images by these, in this report and all that follow. */
  async sliceBy(by: string[]): Promise<void> {
    try {
      const { report } = await this.engine.sliceBy(by);
      if (report) this.report = report;
    } catch (thrown) {
      this.errors = sentences(thrown);
    }
  }

  cancelStatistics(): void {
    this.drawn = null;
  }

  /** The exact curve of a class, of the mean over classes, or of all classes pooled; null if the run has gone meanwhile. */
  async curve(run: number, row: string): Promise<CurveReport | null> {
    return this.options && this.engine.curve(this.#id(run), row, this.options).catch(() => null);
  }

  /** The image-level ROC curve of a class; null if the run has gone meanwhile. */
  roc(run: number, classIndex: number): Promise<RocCurveReport | null> {
    return this.engine.imageRoc(this.#id(run), classIndex).catch(() => null);
  }

  async download({ name: format, ending, media_type }: FormatFacts): Promise<void> {
    try {
      save(`froc-${this.#stem}.${ending}`, new Blob([await this.engine.export(format)], { type: media_type }));
    } catch (thrown) {
      this.errors = sentences(thrown);
    }
  }

  /** Saves what is chosen, looked at and written down here as a session: with the same files it is restored. */
  async saveSession(selection: SavedSelection): Promise<void> {
    const { notes } = this;
    try {
      const bytes = await this.engine.save(notes, selection);
      save("session.froc.json", new Blob([bytes], { type: "application/json" }));
      this.#notesKept = notes;
    } catch (thrown) {
      this.errors = sentences(thrown);
    }
  }

  /** The tables that are here. */
  get tables(): File[] {
    return this.#read(["groups", "table"]);
  }

  /** The files that whoever opens a saved page needs for the whole of it. */
  filesToShare(withTables: boolean): File[] {
    const files = this.#read(["ground_truth", "predictions", "thresholds", "report"]);
    return withTables ? [...files, ...this.tables] : files;
  }

  #read(kinds: FileKind[]): File[] {
    return this.files.items.flatMap(({ summary, file }) => (summary && kinds.includes(summary.kind) ? file : []));
  }

  /** What is here as one page, which holds the report alone or as much more as is wanted. */
  async onePage({ boxes, names, tables, notes }: Shared, selection: SavedSelection): Promise<Blob> {
    // Asked for once; again if it did not arrive.
    this.#page ??= loadPage();
    const page = await this.#page.catch((thrown: unknown) => {
      this.#page = null;
      throw thrown;
    });
    const json = { type: "application/json" };
    if (!boxes)
      return this.engine.pageWith(page, [
        new File([await this.engine.reportToShare(names, tables)], "report.json", json),
      ]);
    const saved = await this.engine.save(notes ? this.notes : "", selection, tables);
    const session = new File([saved], "session.froc.json", json);
    return this.engine.pageWith(page, [...this.filesToShare(tables), session]);
  }

  savePage(page: Blob): void {
    save(`froc-${this.#stem}.html`, page);
  }

  /** What files that are saved are called after. */
  get #stem(): string {
    const runs = this.report?.runs ?? [];
    return runs.length === 1 ? (runs[0]?.name.replace(/\.zip$/i, "") ?? "report") : `${runs.length}-runs`;
  }

  /** Saves every detection and every missed lesion of all runs, at the operating points of a rate. */
  async saveErrors(rate: number, iou: number, format: ErrorsFormat): Promise<void> {
    try {
      const name = `froc-errors-${Number.isFinite(rate) ? rate : "all"}.${format}`;
      save(name, await this.engine.errors(rate, iou, format));
    } catch (thrown) {
      this.errors = sentences(thrown);
    }
  }

  /** Saves a run, as it is read, in another format; what is not kept is said. */
  async convert(run: number, { name: target, ending }: TargetFacts): Promise<void> {
    try {
      const { file, notes } = await this.engine.convert(this.#id(run), target);
      const stem = (this.report?.runs[run]?.name ?? "run").replace(/\.[a-z]+$/i, "").replaceAll("/", "-");
      save(`${stem}-${target}.${ending}`, file);
      this.files.say(notes.join(" "));
    } catch (thrown) {
      this.errors = sentences(thrown);
    }
  }

  /** Saves the score thresholds that reach the rates with a run, to be used on other images. */
  async saveThresholds(run: number, isTable = false): Promise<void> {
    if (!this.options) return;
    try {
      const bytes = await this.engine.thresholds(this.#id(run), this.options, isTable);
      const [ending, type] = isTable ? ["csv", "text/csv"] : ["json", "application/json"];
      const stem = (this.report?.runs[run]?.name ?? "run").replace(/\.[a-z]+$/i, "").replaceAll("/", "-");
      save(`${stem}-thresholds.${ending}`, new Blob([bytes], { type }));
      this.files.say(`Drop ${stem}-thresholds.${ending} beside other images to score them at these thresholds.`);
    } catch (thrown) {
      this.errors = sentences(thrown);
    }
  }

  /** Copies what the script would print of a run, or the exact score in its place; whether that went well. */
  async copyLines(run: number): Promise<boolean> {
    const id = this.#id(run);
    const official = this.report?.runs[run]?.official;
    try {
      const lines = await (this.isOfficial ? this.engine.officialLines(id) : this.engine.exactLines(id));
      const name = this.isOfficial && official && !official.is_official ? `${official.name}\n` : "";
      await navigator.clipboard.writeText(name + lines);
      return true;
    } catch {
      return false;
    }
  }

  /** All that the page ever asks its own host for is asked here, before a file can be chosen. */
  async #start(noteRequest: (request: NetworkRequest) => void): Promise<void> {
    try {
      const started = await this.engine.ready;
      this.options = started.options;
      this.typed = asTyped(started.options);
      this.#samples = loadSamples();
      watchRequests(ownFiles(this.#samples.catch(() => undefined)), noteRequest);
      this.started = started;
      const saved = await loadSaved();
      if (saved.length > 0) await this.#add({ files: saved, folders: [] }, false);
      if (isOneFile) return;
      void keepForOffline({
        onready: () => (this.isOffline = true),
        onupdate: (change) => {
          this.update = () => {
            this.#mayLeave = true;
            // What is new in it is what one asks first.
            return change(textOf(read(location.hash) ?? new URLSearchParams(), { help: "changes" }));
          };
        },
      });
    } catch (thrown) {
      this.errors = sentences(thrown);
    }
  }

  async #add({ files, folders }: Dropped, isSample: boolean): Promise<void> {
    this.adding++;
    try {
      this.files.say("");
      const own = files.filter((file) => !isPicture(file.name) && !isSession(file));
      const walked = await Promise.all(folders.map(async (folder) => ({ folder, inside: await filesIn(folder) })));
      const plain = isSample ? own : await this.#bundled(own, walked, files);
      if (!isSample && plain.some((file) => isText(file) || isZip(file) || !files.includes(file)))
        await this.#removeSample();
      const reading = this.files.add(plain, isSample);
      const empty = this.#takePictures(
        files.filter(({ name }) => isPicture(name)),
        walked,
      );
      this.errors = empty.map((name) => ({
        place: name,
        what: "the folder holds nothing that is read",
        expected: "pictures, or predictions",
        sentence: `${name}: the folder holds nothing that is read; expected pictures, or predictions as .json files.`,
      }));
      const isNew = await reading;
      const saved = files.findLast(isSession) ?? (isNew ? this.#awaited : null);
      if (saved) await this.#restore(saved);
      else if (isNew) await this.score();
    } catch (thrown) {
      this.errors = sentences(thrown);
    } finally {
      this.adding--;
    }
  }

  /** Takes the sample away with its pictures, if it is here. */
  async #removeSample(): Promise<void> {
    if (this.isSample) this.pictures.forget();
    await this.files.removeSample();
  }

  /** Everything as it was when a session was saved, as far as its files are here; tells which are not, or are others. */
  async #restore(file: File): Promise<void> {
    this.#awaited = null;
    const { session: saved, restored } = await this.engine.restore(file);
    const { predictions, differences } = restored;
    const isMissing = differences.some(({ kind }) => kind === "missing");
    if (isMissing) this.#awaited = file;
    const told = isMissing ? differences.filter(({ kind }) => kind === "missing") : differences;
    this.errors = [...this.errors, ...told.map(({ error }) => error)];
    const labels = new Map(predictions.map(({ id, label }) => [id, label]));
    const named = (id: string, file: File) => labels.get(id) ?? file.name;
    this.files.items = this.files.items.map((item) =>
      labels.has(item.id) ? { ...item, name: named(item.id, item.file) } : item,
    );
    this.files.fusions = restored.fusions.map(({ id, of, iou_threshold: iou, label }) => ({
      id,
      of,
      iou,
      label,
      failures: [],
    }));
    const { area_up_to, max_detections, beta, specificity, bootstrap, slices: _, ...options } = saved.options;
    this.options = options;
    this.ignored = saved.ground_truth.ignored_classes ?? [];
    this.protocol = restored.protocol;
    this.readers = restored.readers;
    this.typed = { ...asTyped(options), ignored: this.ignored, protocol: this.protocol, readers: this.readers };
    this.optionErrors = [];
    this.notes = this.#notesKept = saved.notes;
    this.#beside = {
      ...(area_up_to && { area_up_to }),
      ...(max_detections && { max_detections }),
      ...(beta && { beta }),
      ...(specificity && { specificity }),
    };
    if (bootstrap) {
      const { replicates, seed, level, groups } = bootstrap;
      this.resampling = { replicates, seed, level, groups: groups.source };
    }
    if (isMissing) this.files.say("A session waits for its files.");
    else if (told.length > 0) this.files.say("What was chosen is restored; what is not as it was is told.");
    else this.files.say("Everything is as it was when the session was saved.");
    await this.score();
    this.selection = saved.selection ?? null;
    const baseline = saved.baseline === null ? undefined : this.runIds[saved.baseline];
    if (baseline !== undefined && baseline !== this.runIds[this.baseline]) this.setBaseline(baseline);
  }

  /** Loose files, with those of single images as one run, and each folder of such files as one. */
  async #bundled(files: File[], folders: Walked[], all: File[]): Promise<File[]> {
    const look = (file: File) => this.engine.isOfOneImage(file);
    // One alone is what its sentence says that it is.
    const loose =
      files.filter((file) => isText(file) || isLabel(file)).length > 1
        ? await sortOut(files, look)
        : { parts: [], others: files };
    const bundled = loose.parts.length > 1 ? loose.others : [...files];
    if (loose.parts.length > 1)
      bundled.push(await pack(counted(loose.parts.length, "file"), withPictures(loose.parts, all)));
    for (const { folder, inside } of folders) {
      const own = inside.filter(({ name }) => !isPicture(name) && !name.startsWith("."));
      const { parts, others } = await sortOut(own, look);
      if (parts.length > 0) bundled.push(await pack(folder.name, withPictures(parts, inside)));
      bundled.push(...others.filter((file) => isText(file) || isZip(file)));
    }
    return bundled;
  }

  /** Keeps pictures, those in folders as well; tells the folders in which nothing is read. */
  #takePictures(files: File[], folders: Walked[]): string[] {
    const { pictures } = this;
    const before = pictures.count;
    if (files.length > 0) pictures.add(files);
    const empty: string[] = [];
    for (const { folder, inside } of folders) {
      const found = inside.filter(({ name }) => isPicture(name));
      if (found.length > 0) pictures.add(found);
      else if (!inside.some((file) => isText(file) || isZip(file) || isLabel(file))) empty.push(folder.name);
    }
    if (pictures.count > before) this.#tellPictures();
    return empty;
  }

  /** Keeps the pictures of a zip without predictions, beside a ground truth that `isRead` or alone; whether it holds any. */
  async #takeZip(file: File, isRead: boolean): Promise<boolean> {
    if (!isZip(file) || !(await this.pictures.addZip(file, isRead))) return false;
    this.#tellPictures();
    return true;
  }

  #tellPictures(): void {
    this.files.say(`${counted(this.pictures.count, "picture")}, shown among the images.`);
  }

  /** The id of a run of the report, by its place. */
  #id(run: number): string {
    return this.runIds[run] ?? "";
  }

  async #changing(change: () => Promise<void>): Promise<void> {
    try {
      await change();
      await this.score();
    } catch (thrown) {
      this.errors = sentences(thrown);
    }
  }

  async #scoreTyped(typed: Typed): Promise<void> {
    const [{ options, ignored, protocol, readers }, before] = [this, this.#scoring];
    if (!options) return;
    const now: Used = { options, ignored, protocol, readers };
    await this.#whileScoring(async () => {
      const answer = await this.engine.evaluateTyped(typed, now);
      if (!answer) return;
      this.options = answer.used.options;
      this.ignored = answer.used.ignored;
      this.protocol = answer.used.protocol;
      this.readers = answer.used.readers;
      // Other files are scored by now, but under the options before.
      if (before !== this.#scoring) return this.score();
      this.#overtake();
      if (!this.files.undo) this.files.say("");
      this.#take(answer.outcome);
    });
  }

  /** Makes whatever is computed for the score before of no use. */
  #overtake(): number {
    this.drawn = null;
    this.tooLong = null;
    this.statisticsErrors = [];
    return ++this.#scoring;
  }

  async #whileScoring(ask: () => Promise<void>): Promise<void> {
    this.asking++;
    try {
      await ask();
    } finally {
      this.asking--;
    }
  }

  #take({ report, run_ids, file_ids, class_names, n_groups, choices, failures }: Outcome): void {
    this.report = report;
    this.classNames = class_names;
    // Another ground truth may not have whom a person chose.
    const { chosen = null, is_default = true } = report?.ground_truth.readers ?? {};
    if (report) this.readers = this.typed.readers = is_default ? null : chosen;
    this.scored = this.#scoring;
    this.runIds = run_ids;
    this.fileIds = file_ids;
    this.nGroups = n_groups;
    this.choices = choices;
    this.files.mark(failures);
    if (report && !this.files.said)
      this.files.say(`${this.isAllKept ? "Opened" : "Scored"} ${counted(report.runs.length, "run")}.`);
    if (report) void this.drawStatistics();
  }
}
