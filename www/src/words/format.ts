// Number -> text, and names made fit to be shown: every number comes from the core.
import type { OptionsReport } from "../../pkg/froc.js";

/** A fraction in percent with two digits; a dash where there is none. */
export function percent(fraction: number | null | undefined): string {
  return fraction === null || fraction === undefined ? "–" : `${(100 * fraction).toFixed(2)}%`;
}

/** An interval of fractions in percent with one digit, as exports write it: `33.9 to 68.6`. */
export const span = ([low, high]: readonly [number, number]): string =>
  `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`;

/** A difference in points with its sign. */
export function points(difference: number | null | undefined): string {
  if (difference === null || difference === undefined) return "–";
  const text = Math.abs(difference).toFixed(2);
  if (Number(text) === 0) return "0.00";
  return `${difference < 0 ? "−" : "+"}${text}`;
}

/** When a detection finds a lesion, as captions name it: `IoU 0.5`, `centre in the box`. */
export const hitCaption = ({ iou_threshold, hit }: OptionsReport): string => hit?.caption ?? `IoU ${iou_threshold}`;

const thousands = new Intl.NumberFormat("en", { useGrouping: "min2" });

export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? "–" : thousands.format(n);
}

/** `1 image`, `2 images`. */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${count(n)} ${n === 1 ? noun : plural}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** The shortest text that is this 32-bit number: what the report's JSON says. */
export function score(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

/** A score in four digits, for a table. */
export function shortScore(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : String(Number(value.toPrecision(4)));
}

export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${n < 10 && unit > 0 ? n.toFixed(1) : Math.round(n)} ${units[unit]}`;
}

/** A fraction in four digits, as areas under curves are written. */
export function fraction(value: number | null | undefined): string {
  return value === null || value === undefined ? "undefined" : value.toFixed(4);
}

/** A probability; below a thousandth that is all that is said. */
export function probability(p: number): string {
  return p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`;
}

/** The full number, for a tooltip. */
export function full(value: number | null | undefined): string {
  return value === null || value === undefined ? "undefined" : String(value);
}

/** Rates as a person would type them. */
export function rates(values: readonly number[]): string {
  return values.join(", ");
}

/** What src/printable.rs calls harmful: controls, marks of direction, and what has no width. */
const HARMFUL =
  /[\p{Cc}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}-\u{180f}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{3164}\u{fe00}-\u{fe0f}\u{feff}\u{ffa0}\u{fff0}-\u{fffb}\u{e0000}-\u{e0fff}]/gu;
const SHORT: Record<string, string> = { "\t": "\\t", "\r": "\\r", "\n": "\\n" };

/** A name with harmful characters written as escapes such as `\u{202e}`. */
export function visible(name: string): string {
  return name.replace(HARMFUL, (letter) => SHORT[letter] ?? `\\u{${letter.codePointAt(0)?.toString(16) ?? ""}}`);
}
