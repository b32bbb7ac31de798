// Which rows of a long list are on the screen.
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
  type VirtualizerOptions,
} from "@tanstack/virtual-core";

/**
 * The rows of which `n` fit on the screen from `start` on, one that is cut off, and one on each side: as many at any place,
 * so that none has to be made while the list scrolls.
 */
function around(start: number, n: number, count: number): number[] {
  const length = Math.min(count, n + 3);
  const first = Math.max(0, Math.min(start - 1, count - length));
  return Array.from({ length }, (_, at) => first + at);
}

/** Rows of one height in an element that scrolls. */
export class Rows {
  visible: VirtualItem[] = $state.raw([]);
  /** Height of all rows in pixels. */
  height = $state(0);
  readonly #virtualizer: Virtualizer<HTMLElement, HTMLElement>;

  constructor(element: HTMLElement, count: number, rowHeight: number) {
    this.#virtualizer = new Virtualizer(this.#options(element, count, rowHeight));
  }

  /** Begins to follow the element; what it returns ends that. */
  follow(): () => void {
    const stop = this.#virtualizer._didMount();
    this.#virtualizer._willUpdate();
    this.#read();
    return stop;
  }

  resize(element: HTMLElement, count: number, rowHeight: number): void {
    const { count: before, estimateSize } = this.#virtualizer.options;
    this.#virtualizer.setOptions(this.#options(element, count, rowHeight));
    if (before !== count || estimateSize(0) !== rowHeight) this.#virtualizer.measure();
    this.#virtualizer._willUpdate();
    this.#read();
  }

  /** Scrolls as little as it takes to see a row. */
  show(row: number): void {
    this.#virtualizer.scrollToIndex(row);
  }

  #options(element: HTMLElement, count: number, rowHeight: number): VirtualizerOptions<HTMLElement, HTMLElement> {
    return {
      count,
      getScrollElement: () => element,
      estimateSize: () => rowHeight,
      rangeExtractor: ({ startIndex, count }) => around(startIndex, Math.ceil(element.clientHeight / rowHeight), count),
      scrollToFn: elementScroll,
      observeElementRect,
      observeElementOffset,
      onChange: () => this.#read(),
    };
  }

  #read(): void {
    this.visible = this.#virtualizer.getVirtualItems();
    this.height = this.#virtualizer.getTotalSize();
  }
}
