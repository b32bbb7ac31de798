// The samples that come with the page: what each teaches, and the files that it is made of (www/xtask/src/sample writes them).

export interface Sample {
  /** What the address calls it. */
  id: string;
  title: string;
  teaches: string;
  files: string[];
}

const TRUTH = "test.json";
const FILMS = "pictures.zip";

export const SAMPLES = [
  {
    id: "sample",
    title: "Two models",
    teaches: "the score, the curve, and the images behind every number",
    files: [TRUTH, "model-a.zip", "model-b.zip", FILMS],
  },
  {
    id: "mistake",
    title: "A file with a mistake",
    teaches: "what the file check finds, and how one click mends it",
    files: [TRUTH, "model-a-widths.zip", FILMS],
  },
  {
    id: "near-tie",
    title: "A near tie",
    teaches: "when a higher number is no better model",
    files: [TRUTH, "model-a.zip", "model-a-longer.zip", FILMS],
  },
  {
    id: "other-dataset",
    title: "Another dataset",
    teaches: "COCO files with classes of their own, without a script",
    files: ["objects.json", "objects-model.json", "objects-pictures.zip"],
  },
] as const satisfies Sample[];

export type SampleId = (typeof SAMPLES)[number]["id"];

export const isSampleId = (text: string | null): text is SampleId => SAMPLES.some(({ id }) => id === text);
