// Boxes on a canvas: lesions thick, detections thin; right ones solid, wrong ones dashed, ignored ones dashes and dots, uncounted ones dotted.
import type { ImageReport, OverlapReport } from "../../../pkg/froc.js";
import { KINDS, kindOfDetection, kindOfLesion, type Kind } from "../../words/causes.ts";
import type { Small } from "../../state/pictures.svelte.ts";
import type { Size } from "../../state/scale.ts";

export type Palette = Record<Kind, string>;

/** Width and dashes of each line, in pixels on the screen. */
export const LINES: Record<Kind, { width: number; dashes: number[] }> = {
  "lesion-found": { width: 2.5, dashes: [] },
  "lesion-missed": { width: 2.5, dashes: [6, 3] },
  "lesion-ignored": { width: 2.5, dashes: [8, 2, 1, 2] },
  "true-positive": { width: 1.25, dashes: [] },
  "false-positive": { width: 1.25, dashes: [4, 2] },
  ignored: { width: 1.25, dashes: [8, 2, 1, 2] },
  uncounted: { width: 1, dashes: [1, 2] },
};

/** What lies below a line on a picture, so that it is seen on bright parts too. */
const HALO = "rgb(0 0 0 / 0.55)";

export interface Box {
  kind: Kind;
  class: string;
  bbox: readonly [number, number, number, number];
}

/** All boxes of an image: the larger ones first, so that a smaller one is never beneath. */
export function boxesOf(
  report: ImageReport,
  showUncounted: boolean,
): (Box & { at: number; of: "lesion" | "detection" })[] {
  const lesions = report.lesions.map((lesion, at) => ({
    ...lesion,
    at,
    of: "lesion" as const,
    kind: kindOfLesion(lesion),
  }));
  const detections = report.detections.map((detection, at) => ({
    ...detection,
    at,
    of: "detection" as const,
    kind: kindOfDetection(detection),
  }));
  const area = ({ bbox: [x1, y1, x2, y2] }: Box) => (x2 - x1) * (y2 - y1);
  return [...lesions, ...detections.filter(({ counted }) => counted || showUncounted)].sort(
    (a, b) => area(b) - area(a),
  );
}

/**
 * The size of an image in pixels of its boxes: that of its picture, or, where `side` says that pictures are smaller than
 * their originals, its shape with the longer side so long. The boxes themselves never change it.
 */
export function frame(report: ImageReport, picture: Size | null | undefined, side: number | null): Size {
  if (!picture) return side === null ? report : { width: side, height: side };
  const scale = side === null ? 1 : side / Math.max(picture.width, picture.height);
  return { width: picture.width * scale, height: picture.height * scale };
}

/** Height of the text at a box, and the width of a letter at most, in pixels on the screen. */
export const LABEL = { size: 11, letter: 6.4 };

/** When a label is written: if its box has room for it, wherever no other is, or in any case. */
export type Urge = "if it fits" | "if it is free" | "always";

export interface Label {
  text: string;
  kind: Kind;
  x: number;
  y: number;
}

/**
 * What is written at boxes: the class, above a lesion and below a detection, where it is no wider than its box and lies on
 * no other; `urge` may want more. `unit` is a pixel on the screen in pixels of the image; `room` is what is seen.
 */
export function labelsOf(
  boxes: readonly ReturnType<typeof boxesOf>[number][],
  unit: number,
  room: { left: number; top: number; right: number; bottom: number },
  urge: (box: ReturnType<typeof boxesOf>[number]) => Urge,
): Label[] {
  const taken: [number, number, number, number][] = [];
  const labels: Label[] = [];
  const height = (LABEL.size + 3) * unit;
  const isForced = (box: (typeof boxes)[number]) => urge(box) === "always";
  const order = [...boxes].sort(
    (a, b) => Number(isForced(b)) - Number(isForced(a)) || Number(b.of === "lesion") - Number(a.of === "lesion"),
  );
  for (const box of order) {
    const [x1, y1, x2, y2] = box.bbox;
    const width = (box.class.length * LABEL.letter + 2) * unit;
    if (urge(box) === "if it fits" && (width > x2 - x1 || height > y2 - y1)) continue;
    const x = Math.max(room.left, Math.min(x1, room.right - width));
    const [above, below, inside] = [
      y1 - 4 * unit,
      y2 + height - unit,
      box.of === "lesion" ? y1 + height : y2 - 3 * unit,
    ];
    const outside = box.of === "lesion" ? above : below;
    const free = [outside, inside].find((y) => {
      const [top, bottom] = [y - LABEL.size * unit, y + 3 * unit];
      if (top < room.top || bottom > room.bottom || x1 > room.right || x2 < room.left) return false;
      return taken.every(([l, t, r, b]) => x >= r || x + width <= l || top >= b || bottom <= t);
    });
    const y = free ?? (isForced(box) ? Math.min(Math.max(inside, room.top + height), room.bottom - 3 * unit) : null);
    if (y === null) continue;
    taken.push([x, y - LABEL.size * unit, x + width, y + 3 * unit]);
    labels.push({ text: box.class, kind: box.kind, x, y });
  }
  return labels;
}

/** The box that explains another: which one it is. */
export function partnerOf(
  report: ImageReport,
  box: { overlaps: OverlapReport | null; score: number | null } | undefined,
): { kind: Kind; bbox: Box["bbox"] } | null {
  const overlaps = box?.overlaps;
  if (!overlaps) return null;
  const is = (other: { class: string; bbox: Box["bbox"] }) =>
    other.class === overlaps.class && other.bbox.every((edge, at) => edge === overlaps.bbox[at]);
  const lesion = report.lesions.find(is);
  const detections = report.detections.filter(is);
  const detection = detections.find(({ score }) => score === box.score) ?? detections[0];
  const kind = overlaps.kind === "lesion" ? lesion && kindOfLesion(lesion) : detection && kindOfDetection(detection);
  return { bbox: overlaps.bbox, kind: kind ?? (overlaps.kind === "lesion" ? "lesion-missed" : "uncounted") };
}

/** Draws an image onto a canvas of `side` pixels on the screen; boxes of other classes than the one chosen are faint. */
export function draw(
  canvas: HTMLCanvasElement,
  side: number,
  report: ImageReport,
  chosen: string | null,
  palette: Palette,
  picture: Small | undefined,
  originalSide: number | null,
  showUncounted: boolean,
): void {
  const density = Math.min(devicePixelRatio, 2);
  const pixels = Math.round(side * density);
  if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
  const context = canvas.getContext("2d");
  if (!context) return;
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, side, side);
  const { width, height } = frame(report, picture, originalSide);
  const scale = side / Math.max(width, height);
  const [left, top] = [(side - width * scale) / 2, (side - height * scale) / 2];
  if (picture) context.drawImage(picture.bitmap, left, top, width * scale, height * scale);
  for (const { kind, class: name, bbox } of boxesOf(report, showUncounted)) {
    const { width: line, dashes } = LINES[kind];
    context.globalAlpha = chosen === null || chosen === name ? 1 : 0.25;
    context.setLineDash(dashes);
    const [x1, y1, x2, y2] = bbox;
    const stroke = () => context.strokeRect(left + x1 * scale, top + y1 * scale, (x2 - x1) * scale, (y2 - y1) * scale);
    if (picture) {
      context.strokeStyle = HALO;
      context.lineWidth = line + 2;
      stroke();
    }
    context.strokeStyle = palette[kind];
    context.lineWidth = line;
    stroke();
  }
  context.globalAlpha = 1;
}

/** The colours of the lines as the page shows them now, read from elements that carry them. */
export function palette(probes: Iterable<HTMLElement>): Palette {
  const colours = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, "currentcolor"])) as Palette;
  for (const probe of probes) colours[probe.dataset.kind as Kind] = getComputedStyle(probe).color;
  return colours;
}
