// Loose files and folders as one run: packed as they are into a zip, which the engine reads like any other.
import { BlobReader, BlobWriter, ZipWriter } from "@zip.js/zip.js/lib/zip-core-custom.js";

import { HEAD, isPicture } from "./pictures.svelte.ts";

/** Bytes of the largest file that is looked into: the predictions for one image have some kilobytes. */
const LARGEST = 1_000_000;
/** Files that are looked into; the ground truth is among the largest. */
const LOOKED_AT = 100;

const isJson = ({ name }: File) => /\.json$/i.test(name);
/** Files that hold one image each, whatever they say. */
export const isLabel = ({ name }: File) => /\.(txt|xml)$/i.test(name);
/** Files that name the classes of such files. */
const namesClasses = ({ name }: File) => /^(data|dataset)\.ya?ml$|^obj\.names$/.test(name);

/** Files that are parts of one run, and those that stand by themselves. */
export interface Sorted {
  parts: File[];
  others: File[];
}

/** Tells the files of single images from others; `look` looks into one. */
export async function sortOut(files: File[], look: (file: File) => Promise<boolean>): Promise<Sorted> {
  const texts = files.filter((file) => isJson(file) && file.size <= LARGEST);
  const largest = texts.toSorted((a, b) => b.size - a.size).slice(0, LOOKED_AT);
  const answers = await Promise.all(largest.map(look));
  const strangers = new Set(largest.filter((_, at) => !answers[at]));
  const known = new Set(strangers.size < largest.length ? texts.filter((file) => !strangers.has(file)) : []);
  const isPart = (file: File) => known.has(file) || isLabel(file) || namesClasses(file);
  return { parts: files.filter(isPart), others: files.filter((file) => !isPart(file)) };
}

/** Files of single images, with the pictures beside them if the size of these may be of use: where boxes are fractions. */
export const withPictures = (parts: File[], files: File[]) =>
  parts.some(({ name }) => /\.txt$/i.test(name)) ? [...parts, ...files.filter(({ name }) => isPicture(name))] : parts;

/**
 * One zip of files, in the order of their paths; of pictures what tells their size. It depends on nothing else, so that its
 * SHA-256 is the same every time.
 */
export async function pack(name: string, files: File[]): Promise<File> {
  const zip = new ZipWriter(new BlobWriter("application/zip"), {
    level: 0,
    lastModDate: new Date(1980, 0, 1),
    extendedTimestamp: false,
  });
  const byPath = new Map(files.map((file) => [file.webkitRelativePath || file.name, file]));
  const paths = [...byPath.keys()].sort();
  for (const path of paths) {
    const file = byPath.get(path);
    if (file) await zip.add(path, new BlobReader(isPicture(file.name) ? file.slice(0, HEAD) : file));
  }
  const lastModified = files.reduce((last, file) => Math.max(last, file.lastModified), 0);
  return new File([await zip.close()], name, { type: "application/zip", lastModified });
}
