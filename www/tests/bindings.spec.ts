// The engine as it is shipped, in this very process: what JavaScript hands over and gets back, and what it must not die of.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@playwright/test";
import { strToU8, zipSync } from "fflate";

import { default_options, Evaluator, initSync, parse_options, sha256 } from "../pkg/froc.js";
import type { Failure, Mark, ProgressReport, Reading, Report } from "../pkg/froc.js";
import { golden, root } from "./page.ts";

test.beforeAll(() => void initSync({ module: readFileSync(join(root, "www/pkg/froc_bg.wasm")) }));

const silent = () => undefined;
const [truth, predictions] = ["test.json", "predictions.zip"].map((name) =>
  readFileSync(join(golden, "synthetic", name)),
) as [Buffer, Buffer];

/** What a call throws. */
function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("it throws nothing");
}

/** The sentence of the `Failure` that a call throws. */
const sentence = (call: () => unknown) => (thrown(call) as Failure).errors[0]?.sentence;

test("what is missing is null, and every failure is a sentence", () => {
  const evaluator = new Evaluator();
  expect(evaluator.evaluate(default_options()).report).toBeNull();
  evaluator.add("p", "predictions.zip", predictions, silent);
  expect(evaluator.evaluate(default_options()).report).toBeNull();
  const none = "report: there is none; expected a ground truth and a run that can be scored.";
  expect(sentence(() => evaluator.export("json"))).toBe(none);
  evaluator.add("g", "test.json", truth, silent);
  expect(evaluator.evaluate(default_options()).report?.runs[0]?.sha256).toBeNull();
  expect(sentence(() => evaluator.export("pdf"))).toMatch(/^Format: there is "pdf"; expected one of /);
  expect(sentence(() => evaluator.convert("p", "excel", silent))).toMatch(
    /^Format: there is "excel"; expected one of /,
  );
  expect(sentence(() => evaluator.convert("q", "coco", silent))).toMatch(/^run: there is no such run/);
  expect(sentence(() => evaluator.curve("q", "pooled", default_options()))).toMatch(/^run: there is no such run/);
  expect(sentence(() => evaluator.step_bootstrap(1))).toMatch(/^bootstrap: there is none/);
  expect(sentence(() => parse_options("iou", "0.5", "0.2, 0.1"))).toMatch(
    /^False positives per image: there is 0.2, 0.1;/,
  );
  const half = predictions.subarray(0, predictions.length / 2);
  expect(sentence(() => evaluator.add("p", "cut.zip", half, silent))).toMatch(/^cut\.zip: it is no zip, or cut short/);
});

test("runs are fused by an IoU or by that of the core, and forgotten like files", () => {
  const evaluator = new Evaluator();
  evaluator.add("g", "test.json", truth, silent);
  evaluator.add("p", "a.zip", predictions, silent);
  evaluator.add("q", "b.zip", predictions, silent);
  const id = evaluator.fuse(["q", "p"], undefined);
  expect(evaluator.fuse(["p", "q"], 0.5)).toBe(id);
  const { report, run_ids } = evaluator.evaluate(default_options());
  expect(run_ids).toEqual(["p", "q", id]);
  const fused = report?.runs[2];
  expect(fused?.name).toBe("Fused a.zip + b.zip");
  expect(fused?.reading?.reading.fused?.of.map(({ name }) => name)).toEqual(["a.zip", "b.zip"]);
  expect(fused?.reading?.reading.fused?.iou_threshold).toBe(0.5);
  expect(sentence(() => evaluator.fuse(["p"], 2))).toBe("fuse: there is 2; expected an IoU from 0 to 1, such as 0.55.");
  expect(sentence(() => evaluator.fuse([], 0.5))).toMatch(/^fuse: there is no run to fuse;/);
  evaluator.remove(id);
  expect(evaluator.evaluate(default_options()).run_ids).toEqual(["p", "q"]);
});

test("progress is told, and a listener that throws ends nothing; what takes the bytes of a file and throws ends it", () => {
  const told: ProgressReport[] = [];
  const evaluator = new Evaluator();
  evaluator.add("p", "predictions.zip", predictions, (progress: ProgressReport) => {
    told.push(progress);
    throw new Error("listener");
  });
  expect(told.length).toBeGreaterThan(2);
  expect(told[0]?.stage).toBe("reading");
  expect(told.at(-1)?.done).toBeGreaterThan(told[0]?.done ?? Infinity);
  evaluator.add("g", "test.json", truth, silent);
  evaluator.evaluate(default_options());
  const failing = () => {
    throw "no more";
  };
  expect(thrown(() => evaluator.convert("p", "csv", failing))).toBe("no more");
});

test("suspects are marked, kept in the session and in a table, and corrected beside the original", () => {
  const image = { file_name: "1.png", syms: [], boxes: [] };
  const run = zipSync({ "1.json": strToU8('[{"Mass": [10, 10, 49, 49, 0.9]}]') });
  const evaluator = new Evaluator();
  evaluator.add("g", "test.json", Buffer.from(JSON.stringify([image])), silent);
  for (const id of ["a", "b"]) evaluator.add(id, `${id}.zip`, run, silent);
  const options = { ...default_options(), fp_per_image: [1] };
  const mark = () => evaluator.suspects(options).suspects[0]?.mark;
  const { suspects, corrections } = evaluator.suspects(options);
  expect([suspects.length, suspects[0]?.kind, mark(), corrections]).toEqual([1, "missing", null, null]);
  const id = suspects[0]?.id ?? "";
  const nothing = /^Marks: no suspect in the list is marked as wrong/;
  expect(sentence(() => evaluator.corrected_ground_truth(options))).toMatch(nothing);
  evaluator.mark_suspect(id, "wrong");
  const { corrections: corrected } = evaluator.suspects(options);
  const file = evaluator.corrected_ground_truth(options);
  expect(corrected?.ground_truth).toMatchObject({ name: "test.corrected.json", sha256: sha256(file), n_lesions: 1 });
  expect(corrected?.scores.map((score) => score.corrected_name)).toEqual([
    "the script's rules at other rates, by 1 correction of the ground truth",
    "exact, by 1 correction of the ground truth",
    "the script's rules at other rates, by 1 correction of the ground truth",
    "exact, by 1 correction of the ground truth",
  ]);

  evaluator.evaluate(options);
  const saved = Buffer.from(evaluator.save("", null, true)).toString();
  const table = evaluator.export_suspects("csv", options);
  evaluator.mark_suspect(id, null);
  expect(mark()).toBeNull();
  evaluator.read_marks("marks.csv", table, options);
  expect(mark()).toBe("wrong");
  evaluator.mark_suspect(id);
  expect(evaluator.restore("s.froc.json", saved).session.marks).toEqual(new Map([[id, "wrong"]]));
  expect(mark()).toBe("wrong");
  expect(sentence(() => evaluator.export_suspects("excel", options))).toMatch(/^Format: there is "excel"/);
  expect(thrown(() => evaluator.mark_suspect(id, "perhaps" as Mark))).toHaveProperty("errors");
  expect(mark()).toBe("wrong");
});

test("names in Chinese are read with the tables of JavaScript", () => {
  // Two characters in GBK, in place of as many bytes of the names: in the list and beside the file.
  const zip = Buffer.from(zipSync({ "####1.json": strToU8('[{"Nodule": [0, 0, 9, 9, 0.9]}]') })).toString("latin1");
  const gbk = Buffer.from(zip.replaceAll("####", "\xd0\xd8\xc6\xac"), "latin1");
  const evaluator = new Evaluator();
  evaluator.add("p", "gbk.zip", gbk, silent);
  const images = [{ file_name: "胸片1.png", syms: ["Nodule"], boxes: [[0, 0, 9, 9]] }];
  evaluator.add("g", "test.json", Buffer.from(JSON.stringify(images)), silent);
  expect(evaluator.evaluate(default_options()).report?.runs[0]?.n_files).toBe(1);
});

test("no file of the fuzz corpus kills the engine or disturbs what is there", () => {
  const boxes = [[10, 10, 29, 29]];
  const images = ["1.png", "2.png"].map((file_name) => ({ file_name, syms: ["Nodule"], boxes }));
  const evaluator = new Evaluator();
  evaluator.add("g", "test.json", Buffer.from(JSON.stringify(images)), silent);
  evaluator.add("p", "p.zip", zipSync({ "1.json": strToU8('[{"Nodule": [10, 10, 29, 29, 0.9]}]') }), silent);
  const scored = (): Report | null => evaluator.evaluate(default_options()).report;
  const before = scored();
  expect(before?.runs[0]?.classes[3]?.true_positives).toBe(1);
  const readings: Reading[] = [
    {},
    { boxes: "any_corners" },
    {
      boxes: "xywh",
      score_first: true,
      scale: 1024,
      class_names: new Map([["NODULE", "Nodule"]]),
      file_names: "loose",
      leave_out_unreadable: true,
      accept_text_numbers: true,
      folders: "apart",
      nms: 0.5,
    },
  ];
  let taken = 0;
  /** Adds files, scores them in all ways and takes them away again. */
  const drive = (files: [string, Uint8Array][]) => {
    for (const [at, [name, bytes]] of files.entries()) {
      try {
        evaluator.add(`x${at}`, name, bytes, silent);
        taken++;
      } catch (failure) {
        // Most are refused: by a sentence, where a trap would be an error of WebAssembly.
        expect((failure as Failure).errors?.[0]?.sentence ?? failure, name).toMatch(/\.$/);
      }
    }
    for (const reading of readings) {
      for (const at of files.keys()) evaluator.set_reading(`x${at}`, reading);
      scored();
    }
    for (const at of files.keys()) evaluator.remove(`x${at}`);
  };
  const corpus = join(root, "tests/fuzz/corpus");
  const names = readdirSync(corpus, { recursive: true, encoding: "utf8" }).filter((name) => /\.\w+$/.test(name));
  for (const name of names) {
    const bytes = readFileSync(join(corpus, name));
    drive([[name, bytes]]);
    for (const ending of [".json", ".csv", ".txt", ".xml"]) drive([["x.zip", zipSync({ [`1${ending}`]: bytes })]]);
    // A ground truth and the predictions for image 1 and 2, in one text.
    const [first = "", ...others] = bytes.toString("latin1").split("\n===\n");
    const entries = others.map((text, at) => [`${at + 1}.json`, Buffer.from(text, "latin1")] as const);
    if (others.length > 0)
      drive([
        ["test.json", Buffer.from(first, "latin1")],
        ["x.zip", zipSync(Object.fromEntries(entries))],
      ]);
    expect(scored(), name).toEqual(before);
  }
  expect(taken).toBeGreaterThan(names.length);
});
