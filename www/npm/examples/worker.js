// Files of any size are read where they lie, which browsers allow in workers alone. With a bundler, import from "froc".
import init, { default_options, Evaluator, sha256 } from "../froc.js";

const ready = init();

onmessage = async ({ data: files }) => {
  await ready;
  const evaluator = new Evaluator();
  try {
    for (const file of files) {
      // What a file is, is told by its structure; it is known by its name from here on.
      evaluator.add(file.name, file.name, file, () => {});
      // The report says which files were scored.
      evaluator.learn_sha256(file.name, sha256(file));
    }
    const { failures } = evaluator.evaluate(default_options());
    for (const failure of failures) throw failure;
    postMessage(new TextDecoder().decode(evaluator.export("text")));
  } catch (failure) {
    postMessage((failure.errors ?? [{ sentence: String(failure) }]).map(({ sentence }) => sentence).join("\n"));
  }
  evaluator.free();
};
