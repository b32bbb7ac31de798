// Workers beside the engine, each with an instance of its own: they read shares of a large zip, and take digests.
import * as Comlink from "comlink";

import type { PartColumns, ProgressReport } from "../../pkg/froc.js";
import type { NetworkRequest } from "./requests.ts";
import type { Api } from "./worker.ts";
import EngineWorker from "./worker.ts?worker&inline";

/** A smaller zip is read before a second worker has begun. */
const LARGE_BYTES = 4e6;

/** More workers than this wait for the disk, and each takes some megabytes. */
const MOST = 8;

/** How many workers read a file of so many bytes: as many as there are cores, one if it is small. */
export function readersFor(bytes: number): number {
  return bytes < LARGE_BYTES ? 1 : Math.min(MOST, Math.max(1, navigator.hardwareConcurrency));
}

export class Helpers {
  readonly #start: (remote: Comlink.Remote<Api>) => Promise<unknown>;
  readonly #readers = new Set<Worker>();

  constructor(module: () => Promise<WebAssembly.Module>, onRequest: (request: NetworkRequest) => void) {
    this.#start = async (remote) => remote.start(await module(), Comlink.proxy(onRequest));
  }

  /** Reads a zip of predictions by `of` workers at once: its shares, in order. Rejects with the first failure. */
  async readShares(file: File, of: number, onProgress: (progress: ProgressReport) => void): Promise<PartColumns[]> {
    const done = Array.from({ length: of }, () => ({ done: 0, total: file.size / of }));
    const sum = (key: "done" | "total") => done.reduce((all, share) => all + share[key], 0);
    const mine = new Set<Worker>();
    const shares = done.map((_, share) =>
      this.#run(
        (remote) =>
          remote.readShare(
            file.name,
            file,
            share,
            of,
            Comlink.proxy((progress: ProgressReport) => {
              done[share] = progress;
              onProgress({ stage: "reading", done: sum("done"), total: sum("total") });
            }),
          ),
        mine,
      ),
    );
    try {
      return await Promise.all(shares);
    } finally {
      // After one failure the others have nothing to read for.
      for (const share of shares) share.catch(() => undefined);
      for (const worker of mine) worker.terminate();
    }
  }

  /** The SHA-256 of a file, in hexadecimal digits. */
  digest(file: Blob, name: string): Promise<string> {
    return this.#run((remote) => remote.sha256(name, file));
  }

  /** Ends the reading of shares; what waits for them waits for ever. */
  endReading(): void {
    for (const worker of this.#readers) worker.terminate();
    this.#readers.clear();
  }

  /** Does some work in a worker of its own, which is among `mine` while it lives. */
  async #run<T>(work: (remote: Comlink.Remote<Api>) => Promise<T>, mine?: Set<Worker>): Promise<T> {
    const worker = new EngineWorker();
    mine?.add(worker);
    if (mine) this.#readers.add(worker);
    const died = new Promise<never>((_, reject) => {
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        reject(new WebAssembly.RuntimeError(event.message));
      });
    });
    try {
      const remote = Comlink.wrap<Api>(worker);
      return await Promise.race([this.#start(remote).then(() => work(remote)), died]);
    } finally {
      this.#readers.delete(worker);
      worker.terminate();
    }
  }
}
