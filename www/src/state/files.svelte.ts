// The files a person has dropped, and what became of each.
import {
  Cancelled,
  EvaluationError,
  type ErrorReport,
  type Evaluator,
  type FileFailure,
  type FileSummary,
  type ProgressReport,
  type Remedy,
} from "../engine/evaluator.ts";
import { isText } from "./dropped.ts";

export interface Item {
  /** The key under which the engine keeps it. */
  id: string;
  file: File;
  /** What it is called: its name, with a number behind it where another file has that. */
  name: string;
  /** Whether it is one of the sample, which leaves when other files come. */
  isSample: boolean;
  state: "reading" | "ready" | "failed";
  /** 0..1 while it is read. */
  progress: number;
  doing: string;
  summary: FileSummary | null;
  /** Why it cannot be read; with state "ready", why a newer file of this name cannot be. */
  errors: ErrorReport[];
  /** Why it cannot be scored against this ground truth, and the readings under which it can. */
  failures: ErrorReport[];
  remedies: Remedy[];
}

/** Several runs as one more. */
export interface Fusion {
  /** The key of the run that they make. */
  id: string;
  /** The ids of the runs. */
  of: string[];
  /** The IoU above which boxes are one; null is the core's. */
  iou: number | null;
  /** What a person calls it, if not after its runs. */
  label: string | null;
  /** Why it cannot be made. */
  failures: ErrorReport[];
}

/** The sentences for whatever was thrown. */
export function sentences(thrown: unknown): ErrorReport[] {
  if (thrown instanceof EvaluationError) return thrown.errors;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return [{ place: "froc", what, expected: "", sentence: `froc could not go on: ${what}. Reload the page.` }];
}

/** `predictions (2).zip` for the second `predictions.zip`. */
function numbered(name: string, n: number): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? `${name.slice(0, dot)} (${n})${name.slice(dot)}` : `${name} (${n})`;
}

export class Files {
  items: Item[] = $state.raw([]);
  /** What is fused of their runs. Of a fusion one of whose files was removed there is no run, until that is back. */
  fusions: Fusion[] = $state.raw([]);
  /** What was done last, for the status line. */
  said = $state("");
  /** The file or fusion that an undo would bring back. */
  undo: File | Fusion | null = $state.raw(null);

  readonly #engine: Evaluator;
  readonly #offer: (file: File, isRead: boolean) => Promise<boolean>;
  /** What the engine holds, by id: it stays in use when a newer file of its name cannot be read. */
  readonly #held = new Map<string, Item>();
  /** What ends the reading of each file that is being read, or waits for it. */
  readonly #ends = new Map<File, AbortController>();
  readonly #sample = new WeakSet<File>();

  /** `offer` offers what the engine cannot read, or a ground truth that it did read, to somebody else; whether that took any of it. */
  constructor(engine: Evaluator, offer: (file: File, isRead: boolean) => Promise<boolean>) {
    this.#engine = engine;
    this.#offer = offer;
  }

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  /** Whether a file could not be read, or is not scored. */
  get hasFailed(): boolean {
    return this.items.some(({ errors, failures }) => errors.length + failures.length > 0);
  }

  /** Whether a file of that kind is read. */
  has(kind: FileSummary["kind"]): boolean {
    return this.items.some(({ summary }) => summary?.kind === kind);
  }

  /** Whether a file is one of the sample. */
  isSample(file: File): boolean {
    return this.#sample.has(file);
  }

  /** Takes the sample away, if it is there. */
  async removeSample(): Promise<void> {
    const sample = this.items.filter(({ isSample }) => isSample);
    this.items = this.items.filter(({ isSample }) => !isSample);
    if (sample.length > 0) for (const { id } of this.fusions) await this.#unfuse(id);
    for (const { id, file } of sample) {
      this.#ends.get(file)?.abort(new Cancelled());
      await this.#forget(id);
    }
  }

  /** Calls the run of a file, or a fused one, otherwise. */
  async rename(id: string, name: string): Promise<void> {
    await this.#engine.rename(id, name);
    this.#change(id, { name });
    this.fusions = this.fusions.map((fusion) => (fusion.id === id ? { ...fusion, label: name } : fusion));
  }

  /** Makes one more run of several, in place of what was fused of the same before. */
  async fuse(of: string[], iou: number | null, label: string | null): Promise<void> {
    const id = await this.#engine.fuse(of, iou);
    if (label) await this.#engine.rename(id, label);
    const others = this.fusions.filter((fusion) => fusion.id !== id);
    this.fusions = [...others, { id, of, iou, label, failures: [] }];
  }

  /** Reads files; whether there may be something new to score. */
  async add(files: File[], isSample = false): Promise<boolean> {
    if (isSample) files.forEach((file) => this.#sample.add(file));
    const fresh = files.map((file) => this.#enlist(file, isSample));
    // Most texts, such as the ground truth, are read by the time that the bytes of a zip are there.
    const inTurn = [...fresh.filter(({ file }) => isText(file)), ...fresh.filter(({ file }) => !isText(file))];
    return (await Promise.all(inTurn.map((item) => this.#read(item)))).includes(true);
  }

  /** Takes a file or a fused run away, which is called so. */
  async remove(id: string, name: string): Promise<void> {
    const fusion = this.fusions.find((fusion) => fusion.id === id);
    if (fusion) {
      this.say(`Removed ${name}.`, fusion);
      return this.#unfuse(id);
    }
    const removed = this.items.find((item) => item.id === id);
    this.items = this.items.filter((item) => item.id !== id);
    this.say(`Removed ${name}.`, removed?.file);
    await this.#forget(id);
  }

  /** Stops reading a file, or takes it out of those that wait. */
  cancel(id: string): void {
    const item = this.items.find((item) => item.id === id);
    if (item) this.#ends.get(item.file)?.abort(new Cancelled());
  }

  /** A file that the engine held can be read no more. */
  lost(id: string, errors: ErrorReport[]): void {
    this.#held.delete(id);
    this.#change(id, { state: "failed", summary: null, errors });
  }

  /** Tells which files cannot be scored against this ground truth, and which runs cannot be fused. */
  mark(failures: FileFailure[]): void {
    this.fusions = this.fusions.map((fusion) => ({
      ...fusion,
      failures: failures.find(({ id }) => id === fusion.id)?.errors ?? [],
    }));
    this.items = this.items.map((item) => {
      const failure = failures.find(({ id }) => id === item.id);
      return { ...item, failures: failure?.errors ?? [], remedies: failure?.remedies ?? [] };
    });
  }

  say(text: string, undo: File | Fusion | null = null): void {
    this.said = text;
    this.undo = undo;
  }

  /**
   * Lists a file. One that corrects a file of its name which cannot be scored takes the place of that, and so does the very
   * same file; any other is one more.
   */
  #enlist(file: File, isSample: boolean): Item {
    const isBad = (item: Item) => item.state === "failed" || item.failures.length > 0;
    const isSame = (item: Item) => item.file.size === file.size && item.file.lastModified === file.lastModified;
    const known = this.items.find((item) => item.file.name === file.name && (isBad(item) || isSame(item)));
    const taken = new Set(this.items.flatMap(({ id, name }) => [id, name]));
    let id = known?.id ?? file.name;
    for (let n = 2; !known && taken.has(id); n++) id = numbered(file.name, n);
    const name = known?.name ?? id;
    const item: Item = {
      id,
      file,
      name,
      isSample,
      state: "reading",
      progress: 0,
      doing: "waiting",
      summary: null,
      errors: [],
      failures: [],
      remedies: [],
    };
    if (known) this.#ends.get(known.file)?.abort(new Cancelled());
    this.items = known ? this.items.map((other) => (other === known ? item : other)) : [...this.items, item];
    return item;
  }

  /** Whether there may be something new to score. */
  async #read(item: Item): Promise<boolean> {
    const { id, file, name } = item;
    const end = new AbortController();
    this.#ends.set(file, end);
    const tell = ({ stage, done, total }: ProgressReport) => {
      if (this.#isListed(item)) this.#change(id, { progress: done / total, doing: stage });
    };
    try {
      const summary = await this.#engine.add(id, file, tell, end.signal);
      const before = this.#held.get(id);
      const read: Item = { ...item, state: "ready", summary };
      this.#held.set(id, read);
      if (this.#isListed(item)) this.#change(id, read);
      if (name !== file.name) await this.#engine.rename(id, name);
      if (before && before.file !== file) this.say(`This ${name} took the place of the one before.`, before.file);
      else if (id !== file.name && summary.kind === "predictions")
        this.say(`There are several files named ${file.name}: this one is called ${name}. Click a name to change it.`);
      if (summary.kind === "ground_truth") {
        await this.#replaceGroundTruth(item);
        // Its pictures may lie beside it.
        await this.#offer(file, true);
      }
    } catch (thrown) {
      const isTaken = !(thrown instanceof Cancelled) && this.#isListed(item) && (await this.#offer(file, false));
      if (!this.#isListed(item)) return true;
      if (isTaken) return this.#giveUp(item);
      if (thrown instanceof Cancelled) this.#stopped(item);
      else this.#change(id, { ...(this.#held.get(id) ?? { state: "failed" }), errors: sentences(thrown) });
    } finally {
      if (this.#ends.get(file) === end) this.#ends.delete(file);
    }
    return true;
  }

  #stopped(item: Item): void {
    this.#giveUp(item);
    this.say(`Stopped reading ${item.name}.`, item.file);
  }

  /** Takes a file out of those that are read; there is nothing new to score. */
  #giveUp({ id }: Item): false {
    const before = this.#held.get(id);
    if (before) this.#change(id, before);
    else this.items = this.items.filter((other) => other.id !== id);
    return false;
  }

  /** There is one ground truth: the one dropped last. */
  async #replaceGroundTruth({ id, file }: Item): Promise<void> {
    const older = [...this.#held.values()].find((item) => item.id !== id && item.summary?.kind === "ground_truth");
    if (!older) return;
    this.items = this.items.filter((item) => item.id !== older.id);
    const what = file.name === older.file.name ? "the one before" : older.file.name;
    this.say(`${file.name} took the place of ${what}.`, older.file);
    this.#change(id, { name: file.name });
    await this.#forget(older.id);
  }

  async #forget(id: string): Promise<void> {
    this.#held.delete(id);
    await this.#engine.remove(id);
  }

  async #unfuse(id: string): Promise<void> {
    this.fusions = this.fusions.filter((fusion) => fusion.id !== id);
    await this.#engine.remove(id);
  }

  #isListed({ id, file }: Item): boolean {
    return this.items.some((item) => item.id === id && item.file === file && item.state === "reading");
  }

  #change(id: string, changes: Partial<Item>): void {
    this.items = this.items.map((item) => (item.id === id ? { ...item, ...changes } : item));
  }
}
