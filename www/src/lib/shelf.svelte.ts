// The files a person has dropped, and what became of each.
import { BLINK } from "./blink.ts";
import { Cancelled, EvaluationError, type ErrorReport, type Evaluator, type FileFailure, type ProgressReport } from "./evaluator.ts";
import { isText, type Item } from "./files.ts";

/** The sentences for whatever was thrown. */
export function sentences(thrown: unknown): ErrorReport[] {
  if (thrown instanceof EvaluationError) return thrown.errors;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return [{ place: "froc", what, expected: "", sentence: `froc could not go on: ${what}. Reload the page.` }];
}

export class Shelf {
  /** The files as they are drawn. */
  items: Item[] = $state.raw([]);
  /** What was done last, for the status line. */
  said = $state("");
  /** The file that an undo would bring back. */
  undo: File | null = $state.raw(null);

  /** The files as they are. */
  #now: Item[] = [];
  /** Draws them when a blink has gone by, if they are still being read. */
  #blink: ReturnType<typeof setTimeout> | undefined;
  readonly #evaluator: Evaluator;
  readonly #offer: (file: File) => Promise<boolean>;
  /** What the engine holds, by id: it stays in use when a newer file of its name cannot be read. */
  readonly #held = new Map<string, Item>();
  /** What ends the reading of each file that is being read, or waits for it. */
  readonly #ends = new Map<File, AbortController>();

  /** `offer` offers what the engine cannot read to somebody else; whether that took it. */
  constructor(evaluator: Evaluator, offer: (file: File) => Promise<boolean>) {
    this.#evaluator = evaluator;
    this.#offer = offer;
    evaluator.onLost = (id, errors) => {
      this.#held.delete(id);
      this.#change(id, { state: "failed", summary: null, errors });
    };
  }

  get #items(): Item[] {
    return this.#now;
  }

  set #items(items: Item[]) {
    this.#now = items;
    if (this.#blink === undefined) this.items = items;
  }

  /** Draws the files as they are now. */
  #draw(): void {
    clearTimeout(this.#blink);
    this.#blink = undefined;
    this.items = this.#now;
  }

  /** Reads files; whether there may be something new to score. */
  async add(files: File[]): Promise<boolean> {
    // To draw files that are read in a blink would hold up their scores, which are drawn with them.
    if (files.length > 0) this.#blink ??= setTimeout(() => this.#draw(), BLINK);
    const fresh = files.map((file) => this.#enlist(file));
    // Most texts, such as the ground truth, are read by the time that the bytes of a zip are there.
    const inTurn = [...fresh.filter(({ file }) => isText(file)), ...fresh.filter(({ file }) => !isText(file))];
    return (await Promise.all(inTurn.map((item) => this.#read(item)))).includes(true);
  }

  async remove(id: string): Promise<void> {
    const removed = this.#items.find((item) => item.id === id);
    this.#items = this.#items.filter((item) => item.id !== id);
    this.say(`Removed ${id}.`, removed?.file);
    await this.#forget(id);
  }

  /** Stops reading a file, or takes it out of those that wait. */
  cancel(id: string): void {
    const item = this.#items.find((item) => item.id === id);
    if (item) this.#ends.get(item.file)?.abort(new Cancelled());
  }

  /** Tells which files cannot be scored against this ground truth. */
  mark(failures: FileFailure[]): void {
    this.#items = this.#items.map((item) => {
      const failure = failures.find(({ id }) => id === item.id);
      return { ...item, failures: failure?.errors ?? [], remedies: failure?.remedies ?? [] };
    });
    this.#draw();
  }

  say(text: string, undo: File | null = null): void {
    this.said = text;
    this.undo = undo;
  }

  #enlist(file: File): Item {
    const id = file.name;
    const item: Item = { id, file, state: "reading", progress: 0, doing: "waiting", summary: null, errors: [], failures: [], remedies: [] };
    const known = this.#items.find((other) => other.id === id);
    // The newer one of its name is what counts.
    if (known) this.#ends.get(known.file)?.abort(new Cancelled());
    const isKnown = known !== undefined;
    this.#items = isKnown ? this.#items.map((other) => (other.id === id ? item : other)) : [...this.#items, item];
    return item;
  }

  /** Whether there may be something new to score. */
  async #read(item: Item): Promise<boolean> {
    const { id, file } = item;
    const end = new AbortController();
    this.#ends.set(file, end);
    const tell = ({ stage, done, total }: ProgressReport) => {
      if (this.#isListed(item)) this.#change(id, { progress: done / total, doing: stage });
    };
    try {
      const summary = await this.#evaluator.add(id, file, tell, end.signal);
      const before = this.#held.get(id);
      const read: Item = { ...item, state: "ready", summary };
      this.#held.set(id, read);
      if (this.#isListed(item)) this.#change(id, read);
      if (before) this.say(`This ${id} took the place of the one before.`, before.file);
      if (summary.kind === "ground_truth") await this.#replaceGroundTruth(id);
    } catch (thrown) {
      const isTaken = !(thrown instanceof Cancelled) && this.#isListed(item) && (await this.#offer(file));
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
    this.say(`Stopped reading ${item.id}.`, item.file);
  }

  /** Takes a file out of those that are read; there is nothing new to score. */
  #giveUp({ id }: Item): false {
    const before = this.#held.get(id);
    if (before) this.#change(id, before);
    else this.#items = this.#items.filter((other) => other.id !== id);
    return false;
  }

  /** There is one ground truth: the one dropped last. */
  async #replaceGroundTruth(id: string): Promise<void> {
    const older = [...this.#held.values()].find((item) => item.id !== id && item.summary?.kind === "ground_truth");
    if (!older) return;
    this.#items = this.#items.filter((item) => item.id !== older.id);
    this.say(`${id} took the place of ${older.id}.`, older.file);
    await this.#forget(older.id);
  }

  async #forget(id: string): Promise<void> {
    this.#held.delete(id);
    await this.#evaluator.remove(id);
  }

  #isListed({ id, file }: Item): boolean {
    return this.#items.some((item) => item.id === id && item.file === file && item.state === "reading");
  }

  #change(id: string, changes: Partial<Item>): void {
    this.#items = this.#items.map((item) => (item.id === id ? { ...item, ...changes } : item));
  }
}
