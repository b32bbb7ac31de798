// Zoom and place of an image, the same for all films that show it: by wheel, drag, pinch, keys and buttons.
import { select } from "d3-selection";
import { zoom, zoomIdentity, zoomTransform, type ZoomTransform } from "d3-zoom";

/** The most an image is enlarged. */
const MOST = 40;
const STEP = 1.5;

export class Zooming {
  transform: ZoomTransform = $state.raw(zoomIdentity);
  readonly #behaviour = zoom<SVGSVGElement, unknown>().scaleExtent([1, MOST]);
  #films: SVGSVGElement[] = [];
  #size = { width: 1, height: 1 };

  constructor() {
    // One finger on a whole image scrolls the page; two zoom, and then one moves.
    this.#behaviour.filter((event: MouseEvent & Partial<TouchEvent>) => {
      if (event.touches && event.touches.length < 2 && this.transform.k === 1) return false;
      // With Shift a drag changes brightness and contrast.
      return event.type === "wheel" || (!event.ctrlKey && !event.shiftKey && !event.button);
    });
    this.#behaviour.on("zoom", ({ transform }: { transform: ZoomTransform }) => (this.transform = transform));
  }

  /** Listens to films of an image of this size in pixels; an image is never moved out of its film. */
  listen(films: SVGSVGElement[], size: { width: number; height: number }): void {
    this.#films = films;
    this.#size = size;
    this.#behaviour.translateExtent([
      [0, 0],
      [size.width, size.height],
    ]);
    // A double click is two clicks on a box.
    for (const film of films) select(film).call(this.#behaviour).on("dblclick.zoom", null);
  }

  /** Moves every film to where the one is that was moved. */
  link(films: SVGSVGElement[], transform: ZoomTransform): void {
    for (const film of films)
      if (zoomTransform(film) !== transform) select(film).call(this.#behaviour.transform, transform);
  }

  closer(): void {
    this.#by(STEP);
  }

  further(): void {
    this.#by(1 / STEP);
  }

  whole(): void {
    this.transform = zoomIdentity;
  }

  /** Moves the image so that a box (`x1`, `y1`, `x2`, `y2` in pixels of the image) is seen, if it is not. */
  reveal([x1, y1, x2, y2]: readonly [number, number, number, number]): void {
    const [left, top] = this.transform.invert([0, 0]);
    const [right, bottom] = this.transform.invert([this.#size.width, this.#size.height]);
    const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
    const isWhole = x1 >= left && y1 >= top && x2 <= right && y2 <= bottom;
    const isLarge = x2 - x1 > right - left || y2 - y1 > bottom - top;
    if (isWhole || (isLarge && x >= left && x <= right && y >= top && y <= bottom)) return;
    for (const film of this.#films.slice(0, 1)) select(film).call(this.#behaviour.translateTo, x, y);
  }

  /** Moves the image by tenths of what is seen. */
  pan(x: number, y: number): void {
    const { k } = this.transform;
    for (const film of this.#films.slice(0, 1)) {
      select(film).call(this.#behaviour.translateBy, (x * this.#size.width) / 10 / k, (y * this.#size.height) / 10 / k);
    }
  }

  #by(factor: number): void {
    for (const film of this.#films.slice(0, 1)) select(film).call(this.#behaviour.scaleBy, factor);
  }
}
