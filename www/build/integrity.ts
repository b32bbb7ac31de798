// What the page is served is compared, by the browser, with digests that stand in its own source: script and style by
// `integrity` in index.html, what the script fetches by digests that are built into the script.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import type { Plugin } from "vite";

const digest = (bytes: string | Uint8Array) => `sha384-${createHash("sha384").update(bytes).digest("base64")}`;

/** The module `virtual:digests`: digests of files by name, as `fetch` takes them. */
export function digests(paths: string[]): Plugin {
  const id = "\0virtual:digests";
  return {
    name: "froc:digests",
    resolveId: (source) => (source === "virtual:digests" ? id : null),
    load: (loaded) =>
      loaded === id
        ? `export const digests = ${JSON.stringify(Object.fromEntries(paths.map((path) => [basename(path), digest(readFileSync(path))])))};`
        : null,
  };
}

/** Adds `integrity` to all that index.html asks for, once everything is written: what other plugins change last counts, too. */
export function integrity(): Plugin {
  return {
    name: "froc:integrity",
    apply: "build",
    writeBundle({ dir = "" }, bundle) {
      const page = bundle["index.html"];
      if (page?.type !== "asset") this.error("the bundle holds no index.html");
      const asked = /<(?:script|link)\b[^>]*?(?:src|href)="\.\/([^"]+)"/g;
      page.source = String(page.source).replace(
        asked,
        (tag, name: string) => `${tag} integrity="${digest(readFileSync(join(dir, name)))}"`,
      );
      writeFileSync(join(dir, "index.html"), page.source);
    },
  };
}
