// Pictures that a person adds, by the name of their image: read from the disk and decoded when they are shown, never kept.
import { BlobReader, BlobWriter, ZipReader, configure, type FileEntry } from "@zip.js/zip.js/lib/zip-core-custom.js";
import QuickLRU from "quick-lru";

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
const base = (path: string) => path.slice(path.lastIndexOf("/") + 1);
/** What pictures are matched by: the name without folders and ending, in lower case. */
const stem = (path: string) => base(path).replace(/\.[^.]*$/, "").toLowerCase();

/** The name of the first file in a zip (APPNOTE.TXT 6.3.10, section 4.3.7); empty if it starts otherwise. */
async function firstName(zip: Blob): Promise<string> {
  const [header, name] = [30, 26];
  const bytes = await zip.slice(0, 1024).arrayBuffer();
  const head = new DataView(bytes);
  if (bytes.byteLength < header || head.getUint32(0, true) !== 0x04034b50) return "";
  return new TextDecoder().decode(bytes.slice(header, header + head.getUint16(name, true)));
}

/** A small picture, and the size of the whole one in pixels. */
export interface Small {
  bitmap: ImageBitmap;
  width: number;
  height: number;
}

interface Waiting {
  name: string;
  signal: AbortSignal;
  answer: (small: Small | null) => void;
}

export class Pictures {
  /** How many there are; changes whenever some are added. */
  count = $state(0);
  readonly #open = new Map<string, { path: string; read: () => Promise<Blob> }>();
  readonly #small = new QuickLRU<string, Small>({ maxSize: HELD, onEviction: (_, { bitmap }) => bitmap.close() });
  #waiting: Waiting[] = [];
  #decoding = 0;

  add(files: Iterable<File>): void {
    for (const file of files) this.#put(file.webkitRelativePath || file.name, () => Promise.resolve(file));
    this.count = this.#open.size;
  }

  /** Takes a zip for pictures if it holds any and no JSON, and says whether it did. Anything else is the engine's to read. */
  async addZip(file: Blob): Promise<boolean> {
    const found: FileEntry[] = [];
    try {
      // Predictions, most often: no need to open the zip to tell.
      if (/\.json$/i.test(await firstName(file))) return false;
      for await (const entry of new ZipReader(new BlobReader(file)).getEntriesGenerator()) {
        if (entry.directory || base(entry.filename).startsWith(".")) continue;
        if (/\.json$/i.test(entry.filename)) return false;
        if (isPicture(entry.filename) && entry.uncompressedSize <= LARGEST) found.push(entry);
      }
    } catch {
      // Not a zip, or a broken one: the engine says what is wrong with it.
      return false;
    }
    for (const entry of found) this.#put(entry.filename, () => entry.getData(new BlobWriter(mime(entry.filename))));
    this.count = this.#open.size;
    return found.length > 0;
  }

  clear(): void {
    this.#open.clear();
    for (const { bitmap } of this.#small.values()) bitmap.close();
    this.#small.clear();
    this.count = 0;
  }

  has(image: string): boolean {
    return this.#open.has(stem(image));
  }

  /** How many images have a picture, and the names of the pictures that no image has. */
  match(images: readonly string[]): { matched: number; strangers: string[] } {
    const names = new Set(images.map(stem));
    return {
      matched: images.filter((name) => this.has(name)).length,
      strangers: [...this.#open].filter(([name]) => !names.has(name)).map(([, { path }]) => base(path)),
    };
  }

  /** The picture of an image as it lies on the disk; null if there is none. */
  async whole(image: string): Promise<Blob | null> {
    const picture = this.#open.get(stem(image));
    if (!picture) return null;
    const blob = await picture.read();
    return blob.slice(0, blob.size, mime(picture.path));
  }

  /** The small picture if it is at hand. It may be closed later: draw it at once. */
  small(image: string): Small | undefined {
    return this.#small.get(stem(image));
  }

  /** Makes a small picture; null if there is none, it cannot be decoded, or nobody waits for it any more. */
  makeSmall(image: string, signal: AbortSignal): Promise<Small | null> {
    const name = stem(image);
    if (!this.#open.has(name)) return Promise.resolve(null);
    return new Promise((answer) => {
      this.#waiting.push({ name, signal, answer });
      void this.#decode();
    });
  }

  async #decode(): Promise<void> {
    if (this.#decoding >= AT_ONCE) return;
    this.#decoding++;
    // The newest first: what was asked for last is on the screen now.
    for (let next = this.#waiting.pop(); next; next = this.#waiting.pop()) {
      const { name, signal, answer } = next;
      answer(signal.aborted ? null : (this.#small.get(name) ?? (await this.#shrink(name))));
    }
    this.#decoding--;
  }

  async #shrink(name: string): Promise<Small | null> {
    try {
      const blob = await this.#open.get(name)?.read();
      if (!blob) return null;
      const whole = await createImageBitmap(blob);
      const { width, height } = whole;
      const bitmap = await createImageBitmap(whole, { resizeWidth: Math.min(width, SMALL), resizeQuality: "medium" });
      whole.close();
      const small = { bitmap, width, height };
      this.#small.set(name, small);
      return small;
    } catch {
      // Not a picture that the browser can decode: the boxes stay on an empty canvas.
      return null;
    }
  }

  #put(path: string, read: () => Promise<Blob>): void {
    this.#open.set(stem(path), { path, read });
  }
}

const mime = (name: string) => (/\.png$/i.test(name) ? "image/png" : "image/jpeg");
