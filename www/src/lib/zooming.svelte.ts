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
    for (const film of films) if (zoomTransform(film) !== transform) select(film).call(this.#behaviour.transform, transform);
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
