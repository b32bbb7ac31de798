// What is looked at: the run, the rate, the score thresholds and the filters; and what the engine says of it.
import { untrack } from "svelte";

import type { Category, DiagnosisReport, GalleryQuery, ImageReport, Report, RunReport, View } from "../../pkg/froc.js";
import type { ErrorReport, Evaluator, Outline } from "../engine/evaluator.ts";
import { Latest } from "../engine/latest.ts";
import type { Extent } from "./scale.ts";
import { sentences } from "./files.svelte.ts";

export type Engine = Pick<Evaluator, "operatingThresholds" | "diagnosis" | "gallery" | "images" | "outline" | "errors">;
export type Thresholds = (number | null)[];
export type Filters = Omit<GalleryQuery, "view" | "other">;

/** What score thresholds are asked of: every run, at some rates. */
interface Operating {
  /** Which scoring. */
  of: number;
  runs: string[];
  rates: number[];
  iou: number;
  pooled: boolean;
}

/** The score thresholds of every run at its operating points of one rate. */
interface Points extends Pick<Operating, "iou" | "pooled"> {
  rate: number;
  thresholds: Thresholds[];
}

/** What the counts are asked of. */
interface Question {
  view: View;
  run: RunReport | undefined;
  /** Its place in the report. */
  at: number;
  /** False positives per image whose operating points were chosen, and its place in the options; -1 if it is read otherwise. */
  rate: number;
  rateAt: number;
  images: number;
}

/** Counts, and what they were asked of: shown together, so that no count stands beside the rate or run of another. */
export interface Answer extends Question {
  report: DiagnosisReport;
}

/** What a number outside of the panel leads to. A run or a rate that is left out stays; other filters are cleared. */
export interface Target {
  run?: number | undefined;
  /** The run that it is compared with. */
  other?: number | undefined;
  /** Place of a rate in the options. */
  rateAt?: number | undefined;
  /** Or any rate, in false positives per image; at an infinite one every detection counts. */
  rate?: number | undefined;
  /** At that rate, all classes are ranked together and have one score threshold. */
  pooled?: boolean;
  /** At that rate, an IoU threshold other than that of the options. */
  iou?: number | undefined;
  filters: Partial<Filters>;
}

const IMAGES_AT_ONCE = 1000;
/** So long the counts wait for the first images. */
const WAITED_MS = 300;

/** Every image, in the order of the file. */
export const OPEN: Filters = {
  class: null,
  categories: [],
  min_score: null,
  max_score: null,
  lesion_free: null,
  confusion: null,
  quirks: [],
  finding: null,
  size: null,
  slice: null,
  change: null,
  search: "",
  order: "file",
};

/** The kinds of curves, the first one shown at first. */
export const TABS = ["froc", "roc", "pr", "calibration", "sweep"] as const;
export type Tab = (typeof TABS)[number];

/** What is shown of the classes, the first one at first. */
export const VIEWS = [
  "recall",
  "ranking",
  "points",
  "causes",
  "thresholds",
  "intervals",
  "metrics",
  "slices",
  "found-as",
  "quirks",
  "suspects",
] as const;
export type ClassView = (typeof VIEWS)[number];

export class Inspection {
  readonly engine: Engine;
  readonly #report: () => Report;
  readonly #scored: () => number;
  /** The ids of the runs of the report. */
  readonly #ids: () => string[];
  /** Whether a run is known from a report alone, which holds no boxes. */
  readonly #isKept: (run: number) => boolean;
  /** Place of the run that was chosen, and of the rate; the report may hold fewer by now. */
  #run = $state(0);
  #rate = $state(0);
  /** The mean over the rates is read, not one of them; images are those at the rate that was chosen last. */
  isAverage = $state(true);
  /** Which curves are shown. */
  tab: Tab = $state(TABS[0]);
  /** Which table of the classes is shown, and the class whose row is open in the first. */
  classView: ClassView = $state(VIEWS[0]);
  open: number | null = $state(null);
  /** A rate that is none of the options, to which a number led. */
  #apart: number | null = $state(null);
  #pooled = $state(false);
  #iou: number | null = $state(null);
  #other: number | null = $state(null);
  filters: Filters = $state.raw(OPEN);
  /** The score thresholds of every run at its operating points of the rates, and of which scoring they are. */
  #operating: Operating & { thresholds: Thresholds[][] } = $state.raw({
    of: -1,
    runs: [],
    rates: [],
    iou: 0,
    pooled: false,
    thresholds: [],
  });
  /** Those that were looked at last. */
  #points: Points = { rate: 0, iou: 0, pooled: false, thresholds: [] };
  /** The thresholds that the person has moved, of the run that is looked at. */
  moved: Thresholds | null = $state.raw(null);
  answer: Answer | null = $state.raw(null);
  /** Numbers of the images that pass the filters, in order; null before the first answer. */
  images: Uint32Array | null = $state.raw(null);
  /** The curve of each class of the run; null before they are known. */
  outlines: Outline[] | null = $state.raw(null);
  errors: ErrorReport[] = $state.raw([]);
  /** Number of the image that is shown large. */
  image: number | null = $state(null);
  /** Whether detections below the threshold are shown in an image: so they stay while the panel lives. */
  showUncounted = $state(false);
  /** The engine has told of images. */
  #isTold = $state(false);
  /** They have been known for so long that they should have been asked for. */
  #isLate = $state(false);
  #extents: { of: number; extents: Extent[] } | null = null;

  /** `scored` changes when other files, readings or options were scored. */
  constructor(
    engine: Engine,
    report: () => Report,
    scored: () => number,
    ids: () => string[],
    isKept: (run: number) => boolean,
  ) {
    this.engine = engine;
    this.#isKept = isKept;
    this.#report = report;
    this.#scored = scored;
    this.#ids = ids;
    const fail = (thrown: unknown) => (this.errors = sentences(thrown));
    const operating = new Latest(
      ({ runs, rates, iou, pooled }: Operating) =>
        Promise.all(runs.map((run) => (run === "" ? [] : engine.operatingThresholds(run, rates, iou, pooled)))),
      (thresholds, question) => {
        this.errors = [];
        this.#operating = { ...question, thresholds };
      },
      fail,
    );
    const gallery = new Latest(
      (query: GalleryQuery) => engine.gallery(query),
      (images) => {
        // The same again leaves the list where it was scrolled to.
        if (this.images?.length !== images.length || images.some((image, at) => image !== this.images?.[at]))
          this.images = images;
      },
      fail,
    );
    const diagnosis = new Latest(
      ({ view }: Question) => engine.diagnosis(view),
      (report, question) => (this.answer = { ...question, report }),
      fail,
    );
    // A class stays chosen by its name where others are scored than before.
    let names: string[] = [];
    const key = $derived(this.classes.join("\n"));
    $effect(() => {
      const now = key.split("\n");
      if (key === "") return;
      if (names.length > 0) untrack(() => this.#reclass(names, now));
      names = now;
    });
    // By their getters: of a private field that is read in the constructor itself no change is followed.
    /** None of a run without boxes. */
    const runs = $derived(ids().map((id, at) => (isKept(at) ? "" : id)));
    const hasBoxes = $derived(this.hasBoxes);
    const run = $derived(this.run);
    const rate = $derived(this.rate);
    const iou = $derived(this.iou);
    const pooled = $derived(this.pooled);
    const rates = $derived(this.rates);
    $effect(() => {
      if (runs.some((id) => id !== "")) operating.ask({ of: scored(), runs, rates, iou, pooled });
    });
    // What is known of another run is not shown as that of one without boxes.
    $effect(() => {
      if (hasBoxes) return;
      this.answer = null;
      this.images = null;
      this.outlines = null;
      this.image = null;
    });
    $effect(() => {
      void scored();
      if (!hasBoxes) return;
      const { filters } = this;
      if (!asksForBoxes(filters)) {
        // A slider that is moved changes nothing about which images there are, and nobody waits for the thresholds.
        gallery.ask({
          ...filters,
          view: { run: this.#id(run), iou_threshold: iou, fp_per_image: null, thresholds: [] },
          other: null,
        });
      } else if (this.view && this.isKnown) {
        gallery.ask({ ...filters, view: this.view, other: this.other });
      }
    });
    // The first images come before the counts: they are asked for once it is known which they are.
    // Images that are never asked for, as of a gallery without height, do not hold up the counts.
    $effect(() => {
      if (!this.hasImages) return;
      const timer = setTimeout(() => (this.#isLate = true), WAITED_MS);
      return () => clearTimeout(timer);
    });
    $effect(() => {
      if (!this.view || !this.isKnown || !this.isDrawn || !hasBoxes) return;
      const { runs, ground_truth } = this.report;
      diagnosis.ask({
        view: this.view,
        run: runs[run],
        at: run,
        rate,
        rateAt: this.rateAt,
        images: ground_truth.n_images,
      });
    });
    // After the images and the counts, which are waited for.
    const isShown = $derived.by(() => this.hasImages && this.isCounted);
    $effect(() => {
      void scored();
      if (!isShown) return;
      let isWanted = true;
      void this.#outline(run, iou, () => isWanted).catch(fail);
      return () => (isWanted = false);
    });
  }

  /** Forgets what is known by the places of classes, but for the class that is chosen and the one that is open. */
  #reclass(before: readonly string[], now: readonly string[]): void {
    const moved = (at: number | null) => {
      const place = at === null ? -1 : now.indexOf(before[at] ?? "");
      return place < 0 ? null : place;
    };
    this.open = moved(this.open);
    this.filters = { ...this.filters, class: moved(this.filters.class), confusion: null };
    this.moved = null;
    this.outlines = null;
    this.answer = null;
  }

  async #outline(run: number, iou: number, isWanted: () => boolean): Promise<void> {
    const outlines: Outline[] = [];
    for (const name of untrack(() => this.classes)) {
      if (!isWanted()) return;
      outlines.push(
        await this.engine.outline(this.#id(run), name, { ...untrack(() => this.report.options), iou_threshold: iou }),
      );
    }
    if (isWanted()) this.outlines = outlines;
  }

  get report(): Report {
    return this.#report();
  }

  #id(run: number): string {
    return this.#ids()[run] ?? "";
  }

  /** Whether the boxes of the run that is looked at are here; not of one that a report holds, nor of none. */
  get hasBoxes(): boolean {
    return this.run >= 0 && this.#ids().length > 0 && !this.#isKept(this.run);
  }

  get run(): number {
    return Math.min(this.#run, this.report.runs.length - 1);
  }

  set run(run: number) {
    this.#run = run;
    this.moved = null;
  }

  /** Place of the rate in the options; -1 if the run is read otherwise. */
  get rateAt(): number {
    return this.#apart !== null || this.#pooled ? -1 : this.#chosen;
  }

  /** Place of the rate whose recall is read; null where the average is: also while images are those of a rate apart. */
  get readAt(): number | null {
    return this.isAverage || this.rateAt < 0 ? null : this.rateAt;
  }

  set rateAt(at: number) {
    this.#rate = at;
    this.#apart = null;
    this.#pooled = false;
    this.moved = null;
  }

  get #chosen(): number {
    return Math.min(this.#rate, this.report.options.fp_per_image.length - 1);
  }

  /** Infinite where every detection counts. */
  get rate(): number {
    return this.#apart ?? this.report.options.fp_per_image[this.#chosen] ?? 0;
  }

  /** Those whose score thresholds are asked for: of the options all, so that they are known before one is chosen. */
  get rates(): number[] {
    const { fp_per_image } = this.report.options;
    return fp_per_image.includes(this.rate) ? fp_per_image : [...fp_per_image, this.rate];
  }

  /** Whether all classes are ranked together and have one score threshold. */
  get pooled(): boolean {
    return this.#pooled;
  }

  get iou(): number {
    return this.#iou ?? this.report.options.iou_threshold;
  }

  /** An IoU threshold in place of that of the options; null is that of the options. */
  set iou(iou: number | null) {
    this.#iou = iou === this.report.options.iou_threshold ? null : iou;
    this.moved = null;
  }

  /** Whether it is another one than that of the options. */
  get hasOwnIou(): boolean {
    return this.#iou !== null;
  }

  /** Reads a rate of the options in every panel, by its place; of none that there is not. */
  read(at: number): void {
    if (at >= this.report.options.fp_per_image.length) return;
    this.rateAt = at;
    this.isAverage = false;
  }

  /** The next class in the order of the report, or the one before; all of them before the first and after the last. */
  nextClass(step: number): void {
    const places = [null, ...this.classes.keys()];
    const at = places.indexOf(this.filters.class);
    this.choose(places[(at + step + places.length) % places.length] ?? null);
    if (this.open !== null) this.open = this.filters.class;
  }

  /** A class for every panel; null for all of them. The other filters stay. */
  choose(classIndex: number | null): void {
    this.filter({ ...this.filters, class: classIndex });
  }

  /** Back to a rate of the options, with a threshold for each class. */
  backToOptions(): void {
    this.rateAt = this.#chosen;
  }

  get classes(): string[] {
    return this.report.runs[this.run]?.classes.map(({ name }) => name) ?? [];
  }

  /** Of the run that is looked at, by class. */
  get thresholds(): Thresholds | null {
    return this.moved ?? this.points.thresholds[this.run] ?? null;
  }

  /** The run that the order by disagreement compares with: the one chosen, else the next; null if there is no other. */
  get otherRun(): number | null {
    const { length } = this.report.runs;
    const isOther = (run: number) => run < length && run !== this.run && !this.#isKept(run);
    if (this.#other !== null && isOther(this.#other)) return this.#other;
    return Array.from({ length }, (_, step) => (this.run + step) % length).find(isOther) ?? null;
  }

  set otherRun(run: number | null) {
    this.#other = run;
  }

  /** The first counts are here. */
  get isCounted(): boolean {
    return this.answer !== null;
  }

  /** It is known which images there are. */
  get hasImages(): boolean {
    return this.images !== null;
  }

  /** The first images are on the screen, or there are none, or they are long in coming. */
  get isDrawn(): boolean {
    return this.#isTold || this.#isLate || this.images?.length === 0;
  }

  /** The thresholds of the rate are known; until then, what is shown stays that of the rate before. */
  get isKnown(): boolean {
    const { of, rates, iou, pooled } = this.#operating;
    return of === this.#scored() && rates.includes(this.rate) && iou === this.iou && pooled === this.pooled;
  }

  /** The operating points of what is looked at, or while those are not known, of what was looked at before. */
  readonly points: Points = $derived.by(() => {
    if (this.isKnown) {
      const { rates, iou, pooled, thresholds } = this.#operating;
      const { rate } = this;
      const at = rates.indexOf(rate);
      this.#points = { rate, iou, pooled, thresholds: thresholds.map((ofRates) => ofRates[at] ?? []) };
    }
    return this.#points;
  });

  readonly view: View | null = $derived.by(() => this.viewOf(this.run));
  readonly other: View | null = $derived.by(() => (this.otherRun === null ? null : this.viewOf(this.otherRun)));

  /** How a run is looked at: this one at the thresholds as they stand, any other at its own operating points. */
  viewOf(run: number): View | null {
    const { rate, iou, pooled } = this.points;
    const thresholds = run === this.run ? this.thresholds : this.points.thresholds[run];
    if (!thresholds || this.#isKept(run)) return null;
    const isMoved = run === this.run && this.moved !== null;
    return { run: this.#id(run), iou_threshold: iou, fp_per_image: isMoved || pooled ? null : rate, thresholds };
  }

  /** Likewise, but with every threshold that was moved taken over by another run. */
  linkedViewOf(run: number): View | null {
    const [view, operating] = [this.viewOf(run), this.points.thresholds[this.run]];
    if (!view || !this.moved || !operating || run === this.run) return view;
    const { moved } = this;
    return {
      ...view,
      fp_per_image: null,
      thresholds: view.thresholds.map((own, at) => (moved[at] === operating[at] ? own : (moved[at] ?? null))),
    };
  }

  /** Changes when other files, readings or options were scored. */
  get scored(): number {
    return this.#scored();
  }

  /** Shows the images behind a number: other filters than these are cleared. */
  show(filters: Partial<Filters>): void {
    this.filter({ ...OPEN, order: this.filters.order, ...filters });
  }

  filter(filters: Filters): void {
    const [before, after] = [this.filters, filters].map(
      ({ categories, quirks }) => categories.includes("out_ranked") || quirks.length > 0,
    );
    // An out-ranked lesion has a detection that does not count, and a quirk touches such too.
    if (after && !before) this.showUncounted = true;
    this.filters = filters;
  }

  /** Looks where a number elsewhere on the page points; at a rate's operating points, thresholds by hand are none of them. */
  goTo({ run, other, rateAt, rate, pooled, iou, filters }: Target): void {
    if (run !== undefined && run !== this.run) this.run = run;
    if (other !== undefined) this.otherRun = other;
    if (rateAt !== undefined || rate !== undefined) {
      const at = rateAt ?? this.report.options.fp_per_image.indexOf(rate ?? 0);
      this.rateAt = at < 0 ? this.#chosen : at;
      this.#apart = at < 0 ? (rate ?? null) : null;
      this.#pooled = pooled ?? false;
      this.iou = iou ?? null;
    }
    this.show(filters);
  }

  /** Sets the score threshold of a class, or of all. */
  move(classIndex: number | null, threshold: number): void {
    this.moved = (this.thresholds ?? []).map((now, at) => (classIndex === null || classIndex === at ? threshold : now));
  }

  async imagesOf(view: View, images: readonly number[], withUncounted: boolean): Promise<ImageReport[]> {
    const reports = await this.engine.images(view, Uint32Array.from(images), withUncounted);
    this.#isTold = true;
    return reports;
  }

  /** The names of all images and how far their lesions reach, some thousand at a time, so that other questions are answered in between. */
  async extents(): Promise<Extent[]> {
    const { report } = this;
    const of = this.#scored();
    if (this.#extents?.of === of) return this.#extents.extents;
    const n = report.ground_truth.n_images;
    const view = { run: this.#id(this.run), iou_threshold: this.iou, fp_per_image: null, thresholds: [] };
    const extents: Extent[] = [];
    for (let from = 0; from < n; from += IMAGES_AT_ONCE) {
      const images = Uint32Array.from({ length: Math.min(IMAGES_AT_ONCE, n - from) }, (_, at) => from + at);
      for (const { name, lesions } of await this.engine.images(view, images, false)) {
        const reach = {
          width: Math.max(...lesions.map(({ bbox }) => bbox[2])),
          height: Math.max(...lesions.map(({ bbox }) => bbox[3])),
        };
        extents.push({ name, reach: lesions.length === 0 ? null : reach });
      }
    }
    this.#extents = { of, extents };
    return extents;
  }

  /** From the lowest score of a class, or of all classes, to the highest; from 0 to 1 or the thresholds where nothing is detected or known. */
  range(classIndex: number | null): readonly [number, number] {
    const outlines = (this.outlines ?? []).filter((_, at) => classIndex === null || classIndex === at);
    const ends = outlines.flatMap(({ range }) => range ?? []);
    return ends.length === 0
      ? [0, Math.max(1, ...(this.thresholds ?? []).map(Number))]
      : [Math.min(...ends), Math.max(...ends)];
  }
}

/** False positives that the rate allows a class; null without lesions, and once thresholds have been moved, which leaves the rate. */
export const allowed = ({ view, run, rateAt }: Answer, classIndex: number): number | null =>
  view.fp_per_image === null || rateAt < 0 ? null : (run?.classes[classIndex]?.exact.budget[rateAt] ?? null);

/** Whether it depends on the boxes, and so on the thresholds, which images pass or come first. */
const asksForBoxes = ({ lesion_free, search, ...filters }: Filters) =>
  !isOpen({ ...filters, lesion_free: null, search: "" }) || (filters.order !== "file" && filters.order !== "name");

export const isOpen = (filters: Filters) =>
  JSON.stringify({ ...filters, order: null }) === JSON.stringify({ ...OPEN, order: null });

export const without = (categories: readonly Category[], category: Category) =>
  categories.filter((other) => other !== category);

/** Where a run is read. */
export const pointText = (rate: number) =>
  Number.isFinite(rate) ? `operating point at ${Number(rate.toPrecision(4))} FP/image` : "every detection counts";

/** The same, of errors as a file. */
export const errorsText = (rate: number) =>
  Number.isFinite(rate) ? `at the operating points of ${rate}` : "with every detection";
