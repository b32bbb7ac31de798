// Pictures that a person adds, by the name of their image: read from the disk and decoded when they are shown, never kept.
import { BlobReader, BlobWriter, ZipReader, configure, type FileEntry } from "@zip.js/zip.js/lib/zip-core-custom.js";
import QuickLRU from "quick-lru";

import { count, counted } from "../words/format.ts";
import { matching, type Doubt } from "./matching.ts";
import { OWN, scaleOf, sizeIn, type Extent, type Scale, type Size } from "./scale.ts";

// The page's policy allows no further workers; the browser inflates in threads of its own.
configure({ useWebWorkers: false });

const PICTURE = /\.(png|jpe?g)$/i;
/** Small pictures are kept this wide, in pixels: enough for a tile on a dense screen. */
const SMALL = 320;
/** Small pictures held at once, up to twice as many for a moment: about 100 MB. */
const HELD = 128;
/** Pictures decoded at once. A chest film in full size takes some 4 MB. */
const AT_ONCE = 3;

/** Bytes of the largest file in a zip that is taken for a picture: what is larger would fill the memory when it is shown. */
const LARGEST = 200_000_000;

export const isPicture = (name: string) => PICTURE.test(name);

/** A name without folders. */
export const base = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/** A small picture, and the size of the whole one in pixels. */
export interface Small {
  bitmap: ImageBitmap;
  width: number;
  height: number;
}

interface Waiting {
  picture: Picture;
  signal: AbortSignal;
  answer: (small: Small | null) => void;
}

interface Picture {
  path: string;
  read: () => Promise<Blob>;
  /** Its first bytes. */
  head: () => Promise<Uint8Array>;
  /** In pixels, once known. */
  size: Size | null;
}

/** Bytes in which a picture tells its size: a JPEG may have notes and a thumbnail before it. */
export const HEAD = 1 << 18;
/** Pictures whose size is looked at before they are drawn; of more, so many that lie evenly between the others. */
const LOOKED_AT = 4000;

/** How the pictures fit the images of the ground truth. */
export interface Known {
  /** Images that have a picture, and all images. */
  matched: number;
  total: number;
  doubts: Doubt[];
  strangers: string[];
  scale: Scale;
  /** An image and a picture, for what names look like. */
  example: [string, string] | null;
}

export class Pictures {
  /** How many there are; changes whenever some are added. */
  count = $state(0);
  /** Grows with every change, those that replace a picture included. */
  changes = $state(0);
  /** Null until the images are known: only then pictures are shown. */
  known: Known | null = $state.raw(null);
  /** Paths of the pictures that the browser cannot decode. */
  unreadable: readonly string[] = $state.raw([]);
  /** Whether pictures were removed that can come back. */
  hasRemoved = $state(false);
  #open = new Map<string, Picture>();
  #removed: Map<string, Picture> | null = null;
  /** Path of the picture of each image that has one; and these paths. */
  #of: ReadonlyMap<string, string> = $state.raw(new Map());
  #shown: ReadonlySet<string> = new Set();
  readonly #small = new QuickLRU<string, Small>({ maxSize: HELD, onEviction: (_, { bitmap }) => bitmap.close() });
  #waiting: Waiting[] = [];
  #decoding = 0;
  #settling = 0;

  add(files: Iterable<File>): void {
    for (const file of files) {
      this.#put(
        file.webkitRelativePath || file.name,
        () => Promise.resolve(file),
        async () => new Uint8Array(await file.slice(0, HEAD).arrayBuffer()),
      );
    }
    this.#changed();
  }

  /**
   * Takes a zip for pictures if it holds any, and no JSON unless that is read already, and says whether it did. Anything else
   * is the engine's to read.
   */
  async addZip(file: File, isRead: boolean): Promise<boolean> {
    const found: FileEntry[] = [];
    try {
      for await (const entry of new ZipReader(new BlobReader(file)).getEntriesGenerator()) {
        if (entry.directory || base(entry.filename).startsWith(".")) continue;
        if (!isRead && /\.json$/i.test(entry.filename)) return false;
        if (isPicture(entry.filename) && entry.uncompressedSize <= LARGEST) found.push(entry);
      }
    } catch {
      // Not a zip, or a broken one: the engine says what is wrong with it.
      return false;
    }
    // The zip counts as a folder: the same name in two of them need not be the same picture.
    const folder = file.name.replace(/\.zip$/i, "");
    for (const entry of found) {
      this.#put(
        `${folder}/${entry.filename}`,
        () => entry.getData(new BlobWriter(mime(entry.filename))),
        () => beginning(entry),
      );
    }
    this.#changed();
    return found.length > 0;
  }

  clear(): void {
    if (this.#open.size > 0) this.#removed = this.#open;
    this.#open = new Map();
    for (const { bitmap } of this.#small.values()) bitmap.close();
    this.#small.clear();
    this.#settling++;
    this.known = null;
    this.#of = new Map();
    this.unreadable = [];
    this.count = 0;
    this.changes++;
    this.hasRemoved = this.#removed !== null;
  }

  /** Removes all, so that none comes back. */
  forget(): void {
    this.clear();
    this.#removed = null;
    this.hasRemoved = false;
  }

  /** Brings back what was removed last. */
  restore(): void {
    if (this.#removed) this.#open = this.#removed;
    this.#changed();
  }

  /** Finds which picture belongs to which image, and at what scale all of them are drawn. */
  async settle(images: readonly Extent[]): Promise<void> {
    const mine = ++this.#settling;
    const { of, doubts, strangers } = matching(
      images.map(({ name }) => name),
      [...this.#open.keys()],
    );
    const scale = await this.#scale(images, of);
    if (mine !== this.#settling) return;
    const [image, picture] = [images[0]?.name, strangers[0]];
    this.#shown = new Set(of.values());
    this.#of = of;
    this.known = {
      matched: of.size,
      total: images.length,
      doubts,
      strangers,
      scale,
      example: image && picture ? [image, base(picture)] : null,
    };
  }

  /** Whether an image has a picture, as far as is known. */
  has(image: string): boolean {
    return this.#of.has(image);
  }

  /** Whether an image has a picture that cannot be decoded. */
  isUnreadable(image: string): boolean {
    const path = this.#of.get(image);
    return path !== undefined && this.unreadable.includes(path);
  }

  /** The size of the picture of an image, in pixels; null if it is not known. */
  sizeOf(image: string): Size | null {
    return this.#pictureOf(image)?.size ?? null;
  }

  /** The longer side, in pixels of the boxes, at which every picture is drawn; null for its own size. */
  get side(): number | null {
    return this.known?.scale.side ?? null;
  }

  /** How many there are and how many images have theirs, in one sentence; empty before it is known. */
  get told(): string {
    if (!this.known || this.count === 0) return "";
    const { total, example } = this.known;
    const matched = this.#of.size - this.unreadable.filter((path) => this.#shown.has(path)).length;
    if (this.#of.size === 0) {
      const as = example ? `; names must match, as ${example[0].replace(/\.[^.]*$/, "")}.png for ${example[0]}` : "";
      return `${counted(this.count, "picture")}, ${this.count === 1 ? "which belongs to no image" : "none of which belongs to an image"}${as}.`;
    }
    return `${counted(matched, "image")} of ${count(total)} ${matched === 1 ? "has its" : "have their"} picture.`;
  }

  /** The picture of an image as it lies on the disk; null if there is none. */
  async whole(image: string): Promise<Blob | null> {
    const picture = this.#pictureOf(image);
    if (!picture) return null;
    const blob = await picture.read();
    return blob.slice(0, blob.size, mime(picture.path));
  }

  /** The small picture if it is at hand. It may be closed later: draw it at once. */
  small(image: string): Small | undefined {
    return this.#small.get(this.#of.get(image) ?? "");
  }

  /** Makes a small picture; null if there is none, it cannot be decoded, or nobody waits for it any more. */
  makeSmall(image: string, signal: AbortSignal): Promise<Small | null> {
    const picture = this.#pictureOf(image);
    if (!picture) return Promise.resolve(null);
    return new Promise((answer) => {
      this.#waiting.push({ picture, signal, answer });
      void this.#decode();
    });
  }

  /** Notes that the picture of an image cannot be decoded. */
  fail(image: string): void {
    const picture = this.#pictureOf(image);
    if (picture) this.#fail(picture);
  }

  #pictureOf(image: string): Picture | undefined {
    return this.#open.get(this.#of.get(image) ?? "");
  }

  #fail({ path }: Picture): void {
    if (this.#open.has(path) && !this.unreadable.includes(path)) this.unreadable = [...this.unreadable, path].sort();
  }

  async #decode(): Promise<void> {
    if (this.#decoding >= AT_ONCE) return;
    this.#decoding++;
    // The newest first: what was asked for last is on the screen now.
    for (let next = this.#waiting.pop(); next; next = this.#waiting.pop()) {
      const { picture, signal, answer } = next;
      answer(signal.aborted ? null : (this.#small.get(picture.path) ?? (await this.#shrink(picture))));
    }
    this.#decoding--;
  }

  async #shrink(picture: Picture): Promise<Small | null> {
    try {
      const whole = await createImageBitmap(await picture.read());
      const { width, height } = whole;
      const bitmap = await createImageBitmap(whole, { resizeWidth: Math.min(width, SMALL), resizeQuality: "medium" });
      whole.close();
      const small = { bitmap, width, height };
      picture.size = { width, height };
      // Removed or replaced in the meantime: nobody would close it.
      if (this.#open.get(picture.path) !== picture) return null;
      this.#small.set(picture.path, small);
      return small;
    } catch {
      // Not a picture that the browser can decode: the boxes stay on an empty canvas.
      this.#fail(picture);
      return null;
    }
  }

  /** Looks at the sizes of the pictures that hold lesions: whether boxes fit them is the same question for all. */
  async #scale(images: readonly Extent[], of: ReadonlyMap<string, string>): Promise<Scale> {
    const held = images.flatMap(({ name, reach }) => {
      const picture = this.#open.get(of.get(name) ?? "");
      return picture && reach ? [{ picture, reach }] : [];
    });
    const step = Math.max(1, held.length / LOOKED_AT);
    const looked = Array.from(
      { length: Math.floor(held.length / step) },
      (_, at) => held[Math.floor(at * step)],
    ).filter((one) => one !== undefined);
    const next = looked.values();
    const sizes: { size: Size; reach: Size }[] = [];
    const look = async () => {
      for (const { picture, reach } of next) {
        const size = await this.#sizeOf(picture);
        if (size) sizes.push({ size, reach });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, look));
    return sizes.length === 0
      ? OWN
      : scaleOf(
          sizes,
          images.reduce((most, { reach }) => Math.max(most, reach?.width ?? 0, reach?.height ?? 0), 0),
        );
  }

  async #sizeOf(picture: Picture): Promise<Size | null> {
    if (picture.size) return picture.size;
    try {
      picture.size = sizeIn(await picture.head());
      if (!picture.size) await this.#shrink(picture);
    } catch {
      this.#fail(picture);
    }
    return picture.size;
  }

  #put(path: string, read: Picture["read"], head: Picture["head"]): void {
    this.#small.get(path)?.bitmap.close();
    this.#small.delete(path);
    this.unreadable = this.unreadable.filter((other) => other !== path);
    this.#open.set(path, { path, read, head, size: null });
  }

  #changed(): void {
    this.#removed = null;
    this.hasRemoved = false;
    this.count = this.#open.size;
    this.changes++;
  }
}

/** The first bytes of a file in a zip: the rest is not inflated. */
async function beginning(entry: FileEntry): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const enough = new AbortController();
  const sink = new WritableStream<Uint8Array>({
    write(part) {
      parts.push(part.slice());
      length += part.length;
      if (length >= HEAD) enough.abort();
    },
  });
  try {
    await entry.getData(sink, { signal: enough.signal });
  } catch (thrown) {
    if (!enough.signal.aborted) throw thrown;
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

const mime = (name: string) => (/\.png$/i.test(name) ? "image/png" : "image/jpeg");
