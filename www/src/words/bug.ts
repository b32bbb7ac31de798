// The form of a bug, filled in with what is the same for every person's files.
import { isOneFile } from "../engine/assets.ts";
import type { Started } from "../engine/worker.ts";

/** Where a bug is told, with the version and the browser, and nothing of files. */
export function bugAddress({ links, version }: Started): string {
  const body = `What you did, what you saw, and what you expected (no data of patients, please):



froc ${version}, ${isOneFile ? "the page as one file" : "the page from a host"}
${navigator.userAgent}
`;
  return `${links.repository}/issues/new?${new URLSearchParams({ template: "something-else.md", body }).toString()}`;
}
