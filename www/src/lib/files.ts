// What the page knows of a file that was dropped.
import type { ErrorReport, FileSummary, Remedy } from "./evaluator.ts";

export interface Item {
  /** The key under which the engine keeps it: its name, so that a corrected file takes the place of a bad one. */
  id: string;
  file: File;
  state: "reading" | "ready" | "failed";
  /** 0..1 while it is read. */
  progress: number;
  doing: string;
  summary: FileSummary | null;
  /** Why it cannot be read; with state "ready", why a newer file of this name cannot be. */
  errors: ErrorReport[];
  /** Why it cannot be scored against this ground truth, and the readings under which it can. */
  failures: ErrorReport[];
  remedies: Remedy[];
}

export interface Dropped {
  files: File[];
  /** Names of folders, which cannot be read from a drop. */
  folders: string[];
}

/** The files of a drop; folders are told apart, since a browser hands them over as empty files. */
export function dropped(data: DataTransfer): Dropped {
  const folders = new Set(
    [...data.items]
      .filter((item) => item.kind === "file")
      .map((item) => item.webkitGetAsEntry?.())
      .filter((entry) => entry?.isDirectory)
      .map((entry) => entry?.name ?? ""),
  );
  return { files: [...data.files].filter((file) => !folders.has(file.name)), folders: [...folders] };
}
