// An image with what it shows written below it, for a file that has to speak for itself.
import { LINES } from "./boxes.ts";
import { KINDS, type Kind } from "../../words/causes.ts";

const SVG = "http://www.w3.org/2000/svg";
/** Height of the text, by the width of the image, and the width of a letter by its height. */
const [TEXT, LETTER] = [1 / 62, 0.55];
const INK = "#15191d";

function make(
  name: string,
  attributes: Record<string, string | number>,
  content: (Element | string)[] = [],
): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...content);
  return element;
}

/** The film with lines of text and the meaning of the lines of boxes below it. */
export function captioned(film: SVGSVGElement, texts: readonly string[], kinds: readonly Kind[]): SVGSVGElement {
  const { width, height } = film.viewBox.baseVal;
  const size = width * TEXT;
  const [step, pad] = [size * 1.5, size * 0.3];
  const inside = film.cloneNode(true) as SVGSVGElement;
  // Clipped to the image: what was moved out of it lies not on the text.
  for (const [key, value] of Object.entries({ x: 0, y: 0, width, height, overflow: "hidden" }))
    inside.setAttribute(key, String(value));
  for (const name of ["style", "role", "aria-label"]) inside.removeAttribute(name);
  const most = Math.floor(width / (size * LETTER)) - 2;
  const lines: SVGElement[] = texts
    .flatMap((text) => text.match(new RegExp(`.{1,${most}}(\\s|$)|.{1,${most}}`, "gu")) ?? [])
    .map((text, at) =>
      make("text", { x: pad, y: height + step * (at + 1), fill: INK, "font-size": size }, [text.trim()]),
    );
  let y = height + step * (lines.length + 1);
  let x = pad;
  const dark = film.classList.contains("film");
  for (const kind of Object.keys(KINDS).filter((kind): kind is Kind => kinds.includes(kind as Kind))) {
    const { width: thick, dashes } = LINES[kind];
    const room = size * (3.2 + KINDS[kind].length * LETTER);
    if (x > pad && x + room > width) [x, y] = [pad, y + step];
    const middle = y - size * 0.32;
    const line = (extra: Record<string, string | number>) =>
      make("line", { x1: x, x2: x + size * 2, y1: middle, y2: middle, ...extra });
    const scale = size / 12;
    lines.push(
      make("g", { "data-colour": kind, class: dark ? "film" : "" }, [
        ...(dark ? [line({ stroke: "#000", "stroke-width": size * 0.8 })] : []),
        line({
          stroke: "currentcolor",
          "stroke-width": thick * 1.2 * scale,
          ...(dashes.length > 0 ? { "stroke-dasharray": dashes.map((dash) => dash * scale).join(" ") } : {}),
        }),
        make("text", { x: x + size * 2.4, y, fill: INK, "font-size": size }, [KINDS[kind]]),
      ]),
    );
    x += room + size;
  }
  return make("svg", { viewBox: `0 0 ${width} ${y + size / 2}` }, [inside, ...lines]) as SVGSVGElement;
}
