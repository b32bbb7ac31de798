// What a saved plot says beside its lines: what it is of, and which line is which run.
import type { Report } from "../../pkg/froc.js";
import { counted, listed, visible } from "../words/format.ts";

export interface Entry {
  label: string;
  run: number;
}

/** What a plot is of, in a sentence that holds without the page; `recall` says which recall it is, of plots of recall. */
export function about(report: Report, what: string, recall: string | null = "exact recall"): string {
  const { options, ground_truth: truth } = report;
  const otherwise = report.runs.filter(({ reading, formats }) => reading ?? formats).map(({ name }) => visible(name));
  const read = otherwise.length > 0 ? ` ${listed(otherwise)}: files read otherwise.` : "";
  const which =
    recall === null
      ? ""
      : ` ${recall.charAt(0).toUpperCase()}${recall.slice(1)}; rates ${options.fp_per_image.join(", ")} false positives per image.`;
  return `${what}.${which} ${visible(truth.name)}, ${counted(truth.n_images, "image")}.${read} froc ${report.froc_version}.`;
}

/** Widest letters of 11 pixels that text is expected to have on average, in pixels. */
const LETTER = 6.6;
export const LINE = 15;
/** The line of a run before its name. */
export const SAMPLE = 30;

/** Text in lines of at most `room` pixels. */
export function wrapped(text: string, room: number): string[] {
  const most = Math.max(8, Math.floor(room / LETTER));
  const lines = [""];
  for (const word of text.split(" ")) {
    // A name may be longer than a line.
    for (const piece of word.match(new RegExp(`.{1,${most}}`, "gu")) ?? []) {
      const last = lines.at(-1) ?? "";
      if (last === "") lines[lines.length - 1] = piece;
      else if (last.length + 1 + piece.length <= most) lines[lines.length - 1] = `${last} ${piece}`;
      else lines.push(piece);
    }
  }
  return lines;
}

/** The texts of a legend with the height of each from its top, and the height of it all. */
export function laidOut(
  text: string,
  entries: readonly Entry[],
  width: number,
): {
  about: { text: string; y: number }[];
  entries: (Entry & { lines: { text: string; y: number }[] })[];
  height: number;
} {
  let y = 4;
  const next = (line: string) => ({ text: line, y: (y += LINE) });
  const laid = entries.map((entry) => ({ ...entry, lines: wrapped(visible(entry.label), width - SAMPLE).map(next) }));
  return { entries: laid, about: wrapped(text, width).map(next), height: y + 6 };
}

/** Names short enough to stand at the ends of lines, without what all of them begin with. */
export function shortNames(names: readonly string[], most = 16): string[] {
  const bare = names.map((name) => visible(name).replace(/\.zip$/i, ""));
  if (bare.every((name) => name.length <= most)) return bare;
  const [first = ""] = bare;
  let common = 0;
  while (common < first.length && bare.every((name) => name[common] === first[common])) common++;
  const from = bare.length > 1 ? first.slice(0, common).search(/[^-_. ]*$/) : 0;
  return bare.map((name) => {
    const own = from > 0 ? `…${name.slice(from)}` : name;
    return own.length <= most ? own : `${own.slice(0, most - 1)}…`;
  });
}

/** Places for labels at these heights, at least `gap` apart and above `bottom`, in the same order. */
export function spread(heights: readonly number[], gap: number, bottom: number): number[] {
  const places = heights.map((y, at) => ({ y, at })).sort((a, b) => a.y - b.y);
  for (const [at, place] of places.entries()) place.y = Math.max(place.y, (places[at - 1]?.y ?? -Infinity) + gap);
  for (let at = places.length - 1, most = bottom; at >= 0; at--, most -= gap) {
    const place = places[at];
    if (!place || place.y <= most) break;
    place.y = most;
  }
  const result: number[] = [];
  for (const { y, at } of places) result[at] = y;
  return result;
}
