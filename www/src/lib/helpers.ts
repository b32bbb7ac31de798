// Workers beside the engine, each with an instance of its own: they read shares of a large zip, and take digests.
import * as Comlink from "comlink";

import type { PartColumns, ProgressReport } from "../../pkg/froc.js";
import { isZip } from "./files.ts";
import { readShare } from "./pieces.ts";
import type { NetworkRequest } from "./requests.ts";
import type { Api, Content } from "./worker.ts";
import EngineWorker from "./worker.ts?worker&inline";

/** A smaller zip is read by the engine before its shares would be put together: 3 MB takes as long by one as by two. */
const LARGE_BYTES = 4e6;

/** More workers than this wait for the disk, and each takes some megabytes. */
const MOST = 8;

/** Whether a file is a zip that is worth some preparations. */
export function isLargeZip(file: File): boolean {
  return file.size >= LARGE_BYTES && isZip(file);
}

/** How many workers read a file: as many as there are cores if it is a large zip. */
export function readersFor(file: File): number {
  return isLargeZip(file) ? Math.min(MOST, Math.max(1, navigator.hardwareConcurrency)) : 1;
}

/**
 * Bytes of a share at most. A browser frees what it has read when it sees fit, after a gigabyte or so; of a worker that
 * has ended it frees all.
 */
const SHARE_BYTES = 256e6;

/** Workers that wait for work, where there are cores for them: to start one takes as long as to read a small zip. */
const WAITING = 2;

interface Helper {
  worker: Worker;
  remote: Comlink.Remote<Api>;
  /** Settles when it can work; rejects when it dies, then or later. */
  started: Promise<unknown>;
  died: Promise<never>;
}

export class Helpers {
  readonly #start: (remote: Comlink.Remote<Api>) => Promise<unknown>;
  #waiting: Helper[] = [];
  /** One zip is read at a time. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(
    module: () => Promise<WebAssembly.Module>,
    rest: () => Promise<WebAssembly.Module | null>,
    onRequest: (request: NetworkRequest) => void,
  ) {
    this.#start = async (remote) => {
      await remote.start(await module(), Comlink.proxy(onRequest));
      await remote.complete(await rest());
    };
  }

  /** Starts a few workers before there is work for them. */
  prepare(): void {
    if (navigator.hardwareConcurrency < 2) return;
    while (this.#waiting.length < WAITING) this.#waiting.push(this.#begin());
  }

  /**
   * Reads a zip of predictions by some workers at once: its shares, in order. Null if it is no zip. Rejects with the first
   * failure, or with the reason of `signal`.
   */
  readShares(
    file: File,
    workers: number,
    onProgress: (progress: ProgressReport) => void,
    signal: AbortSignal,
  ): Promise<PartColumns[] | null> {
    const shares = this.#reading.then(() => this.#readShares(file, workers, onProgress, signal));
    this.#reading = shares.catch(() => undefined);
    return shares;
  }

  async #readShares(
    file: File,
    workers: number,
    onProgress: (progress: ProgressReport) => void,
    signal: AbortSignal,
  ): Promise<PartColumns[] | null> {
    signal.throwIfAborted();
    const of = Math.max(workers, Math.ceil(file.size / SHARE_BYTES));
    const done = Array.from({ length: of }, () => ({ done: 0, total: file.size / of }));
    const sum = (key: "done" | "total") => done.reduce((all, share) => all + share[key], 0);
    const tell = (share: number) => (progress: ProgressReport) => {
      done[share] = progress;
      onProgress({ stage: "reading", done: sum("done"), total: sum("total") });
    };
    const end = new AbortController();
    const either = AbortSignal.any([signal, end.signal]);
    const read = (share: number) =>
      this.#run(
        async (remote) => ((await readShare(remote, file, share, of, tell(share))) ? remote.finishShare() : null),
        either,
      );
    const parts: (PartColumns | null)[] = [];
    const shares = done.keys();
    // Each takes the next share when it has read one.
    const readers = Array.from({ length: workers }, async () => {
      for (const share of shares) parts[share] = await read(share);
    });
    try {
      await Promise.all(readers);
      return parts.every((part) => part !== null) ? parts : null;
    } finally {
      // After one failure the others have nothing to read for.
      for (const reader of readers) reader.catch(() => undefined);
      end.abort();
    }
  }

  /** The SHA-256 of a file, in hexadecimal digits; null if it cannot be read any more. */
  digest(file: Content): Promise<string | null> {
    return this.#run((remote) => remote.sha256(file), new AbortController().signal);
  }

  #begin(): Helper {
    const worker = new EngineWorker();
    const died = new Promise<never>((_, reject) => {
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        reject(new WebAssembly.RuntimeError(event.message));
      });
    });
    const remote = Comlink.wrap<Api>(worker);
    const started = this.#start(remote);
    // Until somebody waits for them.
    started.catch(() => undefined);
    died.catch(() => undefined);
    return { worker, remote, started, died };
  }

  /** Does some work in a worker of its own. */
  async #run<T>(work: (remote: Comlink.Remote<Api>) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { worker, remote, started, died } = this.#waiting.pop() ?? this.#begin();
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
    aborted.catch(() => undefined);
    try {
      return await Promise.race([started.then(() => work(remote)), died, aborted]);
    } finally {
      worker.terminate();
    }
  }
}
