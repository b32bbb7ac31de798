// All keys that do something by themselves: what handles them and what the help says of them is this one table.

export interface Shortcut<Target> {
  /** Values of `KeyboardEvent.key`, with `Alt+` before where that is held. */
  keys: readonly string[];
  what: string;
  act: (target: Target) => void;
}

/** What the page's keys act on. */
export interface Page {
  help: () => void;
  rules: () => void;
  average: () => void;
  rate: (at: number) => void;
  nextClass: (step: number) => void;
  images: () => void;
}

export const PAGE: readonly Shortcut<Page>[] = [
  { keys: ["?"], what: "opens this help", act: (page) => page.help() },
  { keys: ["o"], what: "official or exact", act: (page) => page.rules() },
  { keys: ["0"], what: "the average over the rates", act: (page) => page.average() },
  ...[1, 2, 3, 4, 5, 6, 7].map((n) => ({
    keys: [String(n)],
    what: `rate ${n}`,
    act: (page: Page) => page.rate(n - 1),
  })),
  { keys: ["]"], what: "the next class, or all", act: (page) => page.nextClass(1) },
  { keys: ["["], what: "the class before, or all", act: (page) => page.nextClass(-1) },
  { keys: ["i"], what: "to the images", act: (page) => page.images() },
];

/** What the keys of an open image act on. */
export interface Image {
  go: (step: number) => void;
  closer: () => void;
  further: () => void;
  whole: () => void;
  pan: (x: number, y: number) => void;
}

export const IMAGE: readonly Shortcut<Image>[] = [
  { keys: ["j", "Alt+ArrowRight"], what: "the next image", act: (image) => image.go(1) },
  { keys: ["k", "Alt+ArrowLeft"], what: "the image before", act: (image) => image.go(-1) },
  { keys: ["+", "="], what: "closer", act: (image) => image.closer() },
  { keys: ["-"], what: "further away", act: (image) => image.further() },
  { keys: ["0"], what: "the whole image", act: (image) => image.whole() },
  { keys: ["ArrowRight"], what: "moves to the right", act: (image) => image.pan(-1, 0) },
  { keys: ["ArrowLeft"], what: "moves to the left", act: (image) => image.pan(1, 0) },
  { keys: ["ArrowDown"], what: "moves down", act: (image) => image.pan(0, -1) },
  { keys: ["ArrowUp"], what: "moves up", act: (image) => image.pan(0, 1) },
];

/** What the keys of the list of suspects act on. */
export interface List {
  go: (step: number) => void;
  mark: (mark: "right" | "wrong") => void;
  undo: () => void;
}

export const SUSPECTS: readonly Shortcut<List>[] = [
  { keys: ["ArrowDown"], what: "the next suspect", act: (list) => list.go(1) },
  { keys: ["ArrowUp"], what: "the suspect before", act: (list) => list.go(-1) },
  { keys: ["r"], what: "the ground truth is right", act: (list) => list.mark("right") },
  { keys: ["w"], what: "the ground truth is wrong", act: (list) => list.mark("wrong") },
  { keys: ["u"], what: "takes the last mark back", act: (list) => list.undo() },
];

const named = (event: KeyboardEvent) => `${event.altKey ? "Alt+" : ""}${event.key}`;

/** What a key does; nothing of a field that is typed into, of a dialogue over the page, or of what belongs to the browser. */
export function shortcutOf<Target>(
  table: readonly Shortcut<Target>[],
  event: KeyboardEvent,
): Shortcut<Target> | undefined {
  if (event.ctrlKey || event.metaKey || event.defaultPrevented) return undefined;
  return table.find(({ keys }) => keys.includes(named(event)));
}
