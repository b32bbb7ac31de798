// What is looked at, as the part of the address after `#`: it can be linked, and comes back after a reload and with Back. It holds
// words of the page and places in the report, never a name or a value of a file.
import { tick, untrack } from "svelte";

import type { Category, OptionsReport, QuirkId, Report, SavedSelection } from "../../pkg/froc.js";
import type { Started } from "../engine/worker.ts";
import { CATEGORIES } from "../words/causes.ts";
import { TOUCHED } from "../words/quirks.ts";
import { isSampleId } from "../words/samples.ts";
import { read, textOf, VERSION } from "./hash.ts";
import { OPEN, TABS, VIEWS, type Inspection } from "./selection.svelte.ts";
import { asTyped, type Session } from "./session.svelte.ts";

const ORDERS = ["file", "name", "false_positives", "missed_lesions", "highest_score", "disagreement"] as const;
const SIZES = ["small", "medium", "large"] as const;

const whole = (text: string | null, least: number, most: number): number | null => {
  const at = text !== null && /^\d+$/.test(text) ? Number(text) : NaN;
  return at >= least && at <= most ? at : null;
};
const place = (text: string | null, below: number): number | null => whole(text, 0, below - 1);
const oneOf = <T extends string>(all: readonly T[], text: string | null): T | null =>
  all.find((one) => one === text) ?? null;
const someOf = <T extends string>(all: readonly T[], text: string | null): T[] =>
  (text ?? "").split(",").filter((one): one is T => (all as readonly string[]).includes(one));

/** A slice of the report, by the places of its division and of the slice in that. */
function sliceOf(text: string | null, { slices = [] }: Report): [number, number] | null {
  const [division, slice] = (text ?? "").split(".");
  const of = place(division ?? null, slices.length);
  const at = of === null ? null : place(slice ?? null, slices[of]?.slices.length ?? 0);
  return of === null || at === null ? null : [of, at];
}

/** Whose boxes are lesions: `agreed`, `all`, or a reader by the place among all that can be chosen, since an address holds no names. */
const READERS = ["agreed", "all"];
function readersWritten({ readers, report }: Session): string | number | null {
  const choices = report?.ground_truth.readers?.choices ?? [];
  return readers === null || READERS.includes(readers)
    ? readers
    : choices.findIndex((choice) => choice.readers === readers);
}
function readersRead(text: string | null, { report }: Session): string | null {
  const choices = report?.ground_truth.readers?.choices ?? [];
  return oneOf(READERS, text) ?? choices[place(text, choices.length) ?? -1]?.readers ?? null;
}

/** What is fused, by the places of the runs among those of the report, and by an IoU where it is not the core's. */
function fusions({ files, runIds }: Session): string {
  const told = files.fusions.map(({ of, iou }) => ({ places: of.map((id) => runIds.indexOf(id)), iou }));
  const here = told.filter(({ places }) => !places.includes(-1));
  return here.map(({ places, iou }) => places.join(".") + (iou === null ? "" : `:${iou}`)).join(",");
}

/** Fuses what an address tells, and nothing else. */
async function applyFusions(fields: URLSearchParams, session: Session): Promise<void> {
  const { runIds } = session;
  const told = (fields.get("fuse") ?? "").split(",").flatMap((text) => {
    const [places = "", own] = text.split(":");
    const of = places.split(".").map((one) => runIds[place(one, runIds.length) ?? -1]);
    const ids = of.filter((id) => id !== undefined);
    const iou = own === undefined ? null : Number(own);
    return ids.length === of.length && (iou === null || (iou >= 0 && iou <= 1)) ? { ids, iou } : [];
  });
  const isOf = (of: string[], ids: string[]) => of.length === ids.length && ids.every((id) => of.includes(id));
  for (const { id, of } of session.files.fusions) {
    const name = session.report?.runs[runIds.indexOf(id)]?.name ?? id;
    if (!told.some(({ ids }) => isOf(of, ids))) await session.remove(id, name);
  }
  for (const { ids, iou } of told) {
    const isThere = session.files.fusions.some((fusion) => isOf(fusion.of, ids) && fusion.iou === iou);
    if (!isThere) await session.fuse(ids, iou);
  }
}

type Fields = Record<string, string | number | null>;

/** What is looked at of a report. */
function looks(session: Session, inspection: Inspection): Fields {
  const { filters } = inspection;
  const { fp_per_image = [] } = session.options ?? {};
  return {
    rules: session.convention === "exact" ? "exact" : null,
    run: inspection.run || null,
    rate: inspection.readAt === null ? null : (fp_per_image[inspection.readAt] ?? null),
    tab: inspection.tab === TABS[0] ? null : inspection.tab,
    view: inspection.classView === VIEWS[0] ? null : inspection.classView,
    class: filters.class,
    causes: filters.categories.join(",") || null,
    quirks: filters.quirks.join(",") || null,
    size: filters.size,
    slice: filters.slice?.join(".") ?? null,
    free: filters.lesion_free === null ? null : filters.lesion_free ? "yes" : "no",
    order: filters.order === OPEN.order ? null : filters.order,
  };
}

/** The same for a session that is saved, with the score thresholds that were moved by hand. */
export const selectionOf = (session: Session, inspection: Inspection): SavedSelection => ({
  address: textOf(new URLSearchParams(), looks(session, inspection)).slice(1),
  score_thresholds: inspection.moved,
});

/** Looks where somebody looked who saved a session; what the report does not have is left out. */
function restore({ address, score_thresholds }: SavedSelection, session: Session, inspection: Inspection): void {
  const fields = read(`#${address}`) ?? new URLSearchParams();
  // It tells nothing of the help, which stays as it is.
  if (session.help !== null) fields.set("help", session.help);
  apply(fields, session, inspection);
  if (inspection.hasBoxes && score_thresholds?.length === inspection.classes.length)
    inspection.moved = score_thresholds;
}

function written(session: Session, inspection: Inspection, started: Started): string {
  const defaults = started.options;
  const options = session.options ?? defaults;
  const [drawn, own] = [session.resampling, started.statistics.resampling];
  const fp = options.fp_per_image.join(",");
  const chosen: Fields = {
    open: session.sample,
    iou: options.hit || options.iou_threshold === defaults.iou_threshold ? null : options.iou_threshold,
    hit: options.hit ? [options.hit.criterion, options.iou_threshold || []].flat().join(":") : null,
    protocol: session.protocol,
    readers: readersWritten(session),
    ignore:
      [...session.classNames.keys()].filter((at) => session.ignored.includes(session.classNames[at] ?? "")).join(",") ||
      null,
    fp: fp === defaults.fp_per_image.join(",") ? null : fp,
    replicates: drawn && drawn.replicates !== own.replicates ? drawn.replicates : null,
    seed: drawn && drawn.seed !== own.seed ? drawn.seed : null,
    fuse: fusions(session) || null,
  };
  const fields = { ...(session.report && { ...chosen, ...looks(session, inspection) }), help: session.help };
  return textOf(new URLSearchParams(), fields);
}

/** Looks where an address points; what the report does not have is left out. */
function apply(fields: URLSearchParams, session: Session, inspection: Inspection): void {
  session.help = fields.get("help");
  if (!session.report) return;
  const { runs, options } = session.report;
  session.convention = fields.get("rules") === "exact" ? "exact" : "official";
  const run = place(fields.get("run"), runs.length) ?? 0;
  if (run !== inspection.run) inspection.run = run;
  const rateAt = fields.has("rate") ? options.fp_per_image.indexOf(Number(fields.get("rate"))) : -1;
  inspection.isAverage = rateAt < 0;
  if (rateAt >= 0) inspection.rateAt = rateAt;
  inspection.tab = oneOf(TABS, fields.get("tab")) ?? TABS[0];
  inspection.classView = oneOf(VIEWS, fields.get("view")) ?? VIEWS[0];
  const free = fields.get("free");
  inspection.filter({
    ...OPEN,
    class: place(fields.get("class"), runs[0]?.classes.length ?? 0),
    categories: someOf<Category>(CATEGORIES, fields.get("causes")),
    quirks: someOf<QuirkId>(Object.keys(TOUCHED) as QuirkId[], fields.get("quirks")),
    size: oneOf(SIZES, fields.get("size")),
    slice: sliceOf(fields.get("slice"), session.report),
    lesion_free: free === "yes" ? true : free === "no" ? false : null,
    order: oneOf(ORDERS, fields.get("order")) ?? OPEN.order,
  });
}

/** Scores under the options of an address, if they are others. */
async function applyOptions(fields: URLSearchParams, session: Session, defaults: OptionsReport): Promise<void> {
  session.resample(whole(fields.get("replicates"), 1, 100_000), whole(fields.get("seed"), 0, Number.MAX_SAFE_INTEGER));
  const own = asTyped(defaults);
  const asked = session.started?.protocols.find(({ name }) => name === fields.get("protocol"))?.name ?? null;
  // Classes are told by their places among those of the protocol.
  if (asked !== session.typed.protocol) {
    await session.changeOptions({ ...session.typed, ignored: [], protocol: asked });
    await tick();
  }
  const [name, threshold] = (fields.get("hit") ?? "").split(":");
  const facts = session.started?.measures.find(({ measure }) => measure === name);
  const { classNames } = session;
  const typed = {
    measure: facts?.measure ?? own.measure,
    threshold: (facts ? threshold : fields.get("iou")) ?? String(facts?.threshold ?? own.threshold),
    fp: fields.get("fp")?.replaceAll(",", ", ") ?? own.fp,
    ignored: (fields.get("ignore") ?? "")
      .split(",")
      .flatMap((text) => classNames[place(text, classNames.length) ?? -1] ?? []),
    protocol: asked,
    readers: readersRead(fields.get("readers"), session),
  };
  if (JSON.stringify(typed) !== JSON.stringify(session.typed)) await session.changeOptions(typed);
}

/** Keeps the address and what is looked at the same: the address leads at first and with Back, what a person chooses after that. */
export function followAddress(session: Session, inspection: Inspection): void {
  const first = read(location.hash);
  let isStarted = false;
  /** What waits for the first report. */
  let pending = first;
  /** The address is that of a report; the first one takes the place of what was there. */
  let isOfReport = false;
  /** An address of before is on its way to the screen: until it is there, none is written. */
  let isGoing = $state(false);
  const go = async (fields: URLSearchParams, defaults: OptionsReport) => {
    isGoing = true;
    await applyOptions(fields, session, defaults);
    await applyFusions(fields, session);
    // What follows the classes has done so.
    await tick();
    apply(fields, session, inspection);
    isGoing = false;
  };

  $effect(() => {
    const { started } = session;
    if (!started || isStarted) return;
    isStarted = true;
    if (!first) return;
    untrack(() => {
      session.help = first.get("help");
      void applyOptions(first, session, started.options);
      const sample = first.get("open");
      if (isSampleId(sample)) void session.scoreSample(sample);
    });
  });

  $effect(() => {
    const { started, report } = session;
    if (!started || isGoing) return;
    if (report && pending) {
      const fields = pending;
      pending = null;
      // Which classes are left out, which reader counts and which runs are fused is known by their places, once there are such.
      if (["ignore", "readers", "fuse"].some((field) => fields.has(field)))
        return void untrack(() => go(fields, started.options));
      untrack(() => apply(fields, session, inspection));
    }
    // What waits for files is not lost before they are there.
    const text = pending && !report ? textOf(pending, { help: session.help }) : written(session, inspection, started);
    const isFirst = isOfReport !== (report !== null);
    isOfReport = report !== null;
    if (text === location.hash || (!location.hash && text === `#v=${VERSION}`)) return;
    try {
      if (isFirst) history.replaceState(null, "", text);
      else history.pushState(null, "", text);
    } catch {
      // A page that may not change its address has none to link.
    }
  });

  // A session that was opened leads where its person looked, once it is scored and what follows the classes has done so.
  $effect(() => {
    const { selection, report } = session;
    if (!selection || !report) return;
    session.selection = null;
    void tick().then(() => restore(selection, session, inspection));
  });

  $effect(() => {
    const back = async () => {
      const fields = read(location.hash);
      const { started } = session;
      if (!fields || !started) return;
      await go(fields, started.options);
    };
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  });
}
