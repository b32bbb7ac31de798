// A large zip on its way to the worker that reads it.
import * as Comlink from "comlink";

import type { ProgressReport } from "../../pkg/froc.js";
import type { Api } from "./worker.ts";

/** Pieces that are read or wait: while a worker reads one, the next one is fetched. */
const ALIVE = 2;

/**
 * A larger file is left to its readers: a browser frees what it has read when it sees fit, after a gigabyte or so, but all
 * that a worker has read when that ends.
 */
const MOST_FETCHED = 1e9;

/**
 * Lets a worker read one of `of` shares of a zip of predictions; false if the file is no such zip. The bytes are fetched
 * here: a worker that reads answers no one, so that nothing it asked for would come before it is done.
 */
export async function readShare(
  remote: Comlink.Remote<Api>,
  file: File,
  share: number,
  of: number,
  onProgress: (progress: ProgressReport) => void,
): Promise<boolean> {
  const places = await remote.openShare(file.name, file, share, of, Comlink.proxy(onProgress));
  if (!places) return false;
  const reads: Promise<void>[] = [];
  for (let at = 0; 2 * at < places.length; at++) {
    await reads[at - ALIVE];
    // What is not fetched is asked for by the worker, which says why if it cannot be had.
    const piece = file.size > MOST_FETCHED ? new Blob() : file.slice(places[2 * at], places[2 * at + 1]);
    const bytes = await fetched(piece).catch(() => new ArrayBuffer());
    const read = remote.readPiece(Comlink.transfer(bytes, [bytes]));
    // The first failure counts.
    read.catch(() => undefined);
    reads.push(read);
  }
  await Promise.all(reads);
  return true;
}

async function fetched(blob: Blob): Promise<ArrayBuffer> {
  return blob.size > 0 ? blob.arrayBuffer() : new ArrayBuffer();
}
