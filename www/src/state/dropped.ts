// What a person drops: files, and folders that are walked.

export interface Dropped {
  files: File[];
  /** Folders, which a browser hands over as empty files: pictures and predictions are looked for in them. */
  folders: FileSystemDirectoryEntry[];
}

/** The files and folders of a drop. Must be called while the drop is told of: later the browser gives nothing away. */
export function dropped(data: DataTransfer): Dropped {
  const folders = [...data.items]
    .filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry?.())
    .filter((entry): entry is FileSystemDirectoryEntry => entry?.isDirectory ?? false);
  const names = new Set(folders.map(({ name }) => name));
  return { files: [...data.files].filter((file) => !names.has(file.name)), folders };
}

/** All files below a folder. */
export async function filesIn(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = folder.createReader();
  const files: File[] = [];
  for (;;) {
    // A browser tells of some hundred entries at a time, and of none at the end.
    const entries = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (entries.length === 0) return files;
    for (const entry of entries) {
      if (entry.isDirectory) files.push(...(await filesIn(entry as FileSystemDirectoryEntry)));
      else files.push(await fileOf(entry as FileSystemFileEntry));
    }
  }
}

/** Whether a file is a zip by its name. */
export const isZip = ({ name }: File) => /\.zip$/i.test(name);

/** Whether a file is text by its name: a ground truth, most often. */
export const isText = ({ name }: File) => /\.(json|csv)$/i.test(name);

/** A file that knows its folders, as one from a file dialogue does. */
async function fileOf(entry: FileSystemFileEntry): Promise<File> {
  const file = await new Promise<File>((done, failed) => entry.file(done, failed));
  const path = entry.fullPath?.replace(/^\//, "");
  return path ? Object.defineProperty(file, "webkitRelativePath", { value: path }) : file;
}
