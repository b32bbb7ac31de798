// A plot as a file of its own: SVG with every style written out, or PNG for print.

/** Widths of a column and of a page in most journals, in millimetres. */
export const WIDTHS = { column: 85, page: 180 } as const;
export type Width = keyof typeof WIDTHS;

/** Widths in pixels for which a plot is drawn, so that its 12-pixel text is 8 to 10 points high in print. */
const LAYOUTS: Record<Width, number> = { column: 340, page: 640 };

export const layoutOf = (width: Width): number => LAYOUTS[width];

/** Widths of plots on the page in pixels, within reason; style.css says the greatest too. */
const [LEAST, MOST] = [280, 720];

/** The width in pixels for which a plot is drawn: that asked for, or the room on the page, so that its text keeps its size there. */
export function layoutWidth(room: number, forced: number | null): number {
  return forced ?? Math.min(MOST, Math.max(LEAST, room));
}

/** Dots per inch that journals ask of line art with shading. */
const DPI = 600;
const MM_PER_INCH = 25.4;
/** Fonts that every viewer and LaTeX converter knows. */
const FONT = "Helvetica, Arial, sans-serif";
const STYLES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-opacity",
  "stroke-linejoin",
  "font-size",
  "font-weight",
  "text-anchor",
  "visibility",
];

/** The SVG as text, in the light colours, with no style sheet and no class. */
export function toSvg(svg: SVGSVGElement, width: Width): string {
  const holder = document.createElement("div");
  // Light colours, whatever the page shows; out of sight.
  holder.style.cssText = "color-scheme: light; position: absolute; left: -10000px; top: 0";
  const copy = svg.cloneNode(true) as SVGSVGElement;
  holder.append(copy);
  (svg.parentElement ?? document.body).append(holder);
  try {
    for (const element of copy.querySelectorAll("[data-screen-only]")) element.remove();
    // From the inside out: a rule for what is inside an element holds as long as that has its class.
    for (const element of [copy, ...copy.querySelectorAll<SVGElement>("*")].reverse()) writeOut(element);
    const { width: w, height: h } = svg.viewBox.baseVal;
    const mm = WIDTHS[width];
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", `${mm}mm`);
    copy.setAttribute("height", `${((mm * h) / w).toFixed(2)}mm`);
    copy.setAttribute("font-family", FONT);
    copy.removeAttribute("style");
    return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
  } finally {
    holder.remove();
  }
}

function writeOut(element: SVGElement): void {
  const style = getComputedStyle(element);
  for (const name of STYLES) {
    const value = style.getPropertyValue(name);
    if (value && value !== "normal" && !(name === "visibility" && value === "visible"))
      element.setAttribute(name, value);
  }
  element.removeAttribute("class");
  element.removeAttribute("style");
  for (const { name } of [...element.attributes])
    if (/^(data|aria)-|^(role|tabindex)$/.test(name)) element.removeAttribute(name);
}

/** The plot as PNG on white. */
export async function toPng(svg: SVGSVGElement, width: Width): Promise<Blob> {
  const text = toSvg(svg, width);
  const { width: w, height: h } = svg.viewBox.baseVal;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round((WIDTHS[width] / MM_PER_INCH) * DPI);
  canvas.height = Math.round((canvas.width * h) / w);
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const context = canvas.getContext("2d");
    if (!context) throw new Error("the browser gives no canvas");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done, failed) => {
      canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("the browser made no PNG"))), "image/png");
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Hands a file to the person. */
export function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  // The browser has taken its own reference by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
