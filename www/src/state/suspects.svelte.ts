// Is the ground truth right? Where runs agree against it, what a person says of each, and what comes of that.
import type { Mark, OptionsReport, Suspect, SuspectsReport } from "../../pkg/froc.js";
import type { ErrorReport, Evaluator } from "../engine/evaluator.ts";
import { Latest } from "../engine/latest.ts";
import { save } from "../plot/save.ts";
import { sentences } from "./files.svelte.ts";

export class Suspects {
  report: SuspectsReport | null = $state.raw(null);
  errors: ErrorReport[] = $state.raw([]);
  /** The id of the one that is looked at; none before a person chose one. */
  chosen: string | null = $state(null);
  /** Marks as they were, the last one changed at the end. */
  #before: { id: string; mark: Mark | null }[] = $state.raw([]);
  readonly #engine: Evaluator;
  readonly #options: () => OptionsReport | null;
  readonly #latest: Latest<{ options: OptionsReport; nth: number }, SuspectsReport>;
  #asked = 0;

  constructor(engine: Evaluator, options: () => OptionsReport | null) {
    this.#engine = engine;
    this.#options = options;
    this.#latest = new Latest(
      ({ options }) => engine.suspects(options),
      (report, { nth }) => {
        // A mark that was set since is not in it; the next answer has it.
        if (nth !== this.#asked) return;
        this.report = report;
        this.errors = [];
      },
      (thrown) => (this.errors = sentences(thrown)),
    );
  }

  get canUndo(): boolean {
    return this.#before.length > 0;
  }

  /** Finds them anew, as files and options are now. While that is under way, what is asked meanwhile is answered once, after it. */
  load(): void {
    const options = this.#options();
    if (options) this.#latest.ask({ options, nth: ++this.#asked });
  }

  /** Says of one whether the ground truth is right; what is said already is taken back. */
  async mark({ id, mark: before }: Suspect, mark: Mark): Promise<void> {
    this.#before = [...this.#before, { id, mark: before }];
    await this.#set(id, before === mark ? null : mark);
  }

  /** Takes the last mark back, and looks at what it was of. */
  async undo(): Promise<void> {
    const last = this.#before.at(-1);
    if (!last) return;
    this.#before = this.#before.slice(0, -1);
    this.chosen = last.id;
    await this.#set(last.id, last.mark);
  }

  async #set(id: string, mark: Mark | null): Promise<void> {
    // Seen at once; what comes of it follows, and an answer that is on its way does not have it yet.
    this.#asked++;
    if (this.report)
      this.report = {
        ...this.report,
        suspects: this.report.suspects.map((one) => (one.id === id ? { ...one, mark } : one)),
      };
    try {
      await this.#engine.markSuspect(id, mark);
      this.load();
    } catch (thrown) {
      this.errors = sentences(thrown);
    }
  }

  /** Saves the list with its marks as a table. */
  saveList(): Promise<void> {
    return this.#save("suspects.csv", "text/csv", (options) => this.#engine.exportSuspects(options));
  }

  /** Saves the ground truth as the marks correct it, under its own name beside the original. */
  saveCorrected(): Promise<void> {
    const name = this.report?.corrections?.ground_truth.name ?? "corrected.json";
    return this.#save(name, "application/json", (options) => this.#engine.correctedGroundTruth(options));
  }

  async #save(
    name: string,
    type: string,
    ask: (options: OptionsReport) => Promise<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    const options = this.#options();
    if (!options) return;
    try {
      save(name, new Blob([await ask(options)], { type }));
    } catch (thrown) {
      this.errors = sentences(thrown);
    }
  }
}
