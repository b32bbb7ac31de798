// The engine's thread: the only importer of the WebAssembly package.
import * as Comlink from "comlink";

import init, { Evaluator, default_options, parse_options, version } from "../../pkg/froc.js";
import { watchRequests, type NetworkRequest } from "./requests.ts";
import type { CurveReport, FileSummary, OptionsReport, Outcome, ProgressReport, Reading } from "../../pkg/froc.js";

let evaluator: Evaluator | undefined;

function engine(): Evaluator {
  if (!evaluator) throw new Error("the engine has not started");
  return evaluator;
}

const api = {
  async start(
    module: WebAssembly.Module,
    onRequest: (request: NetworkRequest) => void,
  ): Promise<{ options: OptionsReport; version: string }> {
    watchRequests(0, onRequest);
    await init({ module_or_path: module });
    evaluator = new Evaluator();
    return { options: default_options(), version: version() };
  },
  add(id: string, name: string, blob: Blob, onProgress: (progress: ProgressReport) => void): FileSummary {
    return engine().add(id, name, blob, onProgress);
  },
  remove(id: string): void {
    engine().remove(id);
  },
  /** Reads a file otherwise; null is how the official script reads. */
  setReading(id: string, reading: Reading | null): void {
    if (reading) engine().set_reading(id, reading);
    else engine().read_officially(id);
  },
  evaluate(options: OptionsReport): Outcome {
    return engine().evaluate(options);
  },
  parseOptions(iouThreshold: string, fpPerImage: string): OptionsReport {
    return parse_options(iouThreshold, fpPerImage);
  },
  reportJson(): Uint8Array<ArrayBuffer> {
    const bytes = engine().report_json() as Uint8Array<ArrayBuffer>;
    return Comlink.transfer(bytes, [bytes.buffer]);
  },
  officialLines(run: number): string {
    return engine().official_lines(run);
  },
  curve(run: number, classIndex: number, options: OptionsReport): CurveReport {
    return engine().curve(run, classIndex, options);
  },
};

export type Api = typeof api;

Comlink.expose(api);
