// node score.mjs test.json model-a.zip model-b.zip: prints the report that `froc score --format json` prints.
import { readFileSync } from "node:fs";
import { basename } from "node:path";

import init, { default_options, Evaluator, sha256 } from "froc";

await init();
const evaluator = new Evaluator();
try {
  for (const path of process.argv.slice(2)) {
    const bytes = readFileSync(path);
    // What a file is, is told by its structure; it is known by its path from here on.
    evaluator.add(path, basename(path), bytes, () => {});
    // The report says which files were scored.
    evaluator.learn_sha256(path, sha256(bytes));
  }
  const { report, failures } = evaluator.evaluate(default_options());
  for (const { errors } of failures) throw { errors };
  if (!report) throw { errors: [{ sentence: "A ground truth and a run are expected." }] };
  process.stdout.write(evaluator.export("json"));
} catch (failure) {
  // Every call that fails throws a `Failure`: one sentence for each thing that is wrong.
  for (const { sentence } of failure.errors ?? [{ sentence: String(failure) }]) console.error(sentence);
  process.exitCode = 2;
}
