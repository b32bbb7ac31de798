// Markdown as HTML, made at build time: `import html from "./text.md?html"`; with `?html&newest`, of a list of changes what its first
// section says.
import { readFileSync } from "node:fs";

import { Marked } from "marked";
import type { Plugin } from "vite";

const ENDING = /\.md\?html(&newest)?$/;
/** What a text calls its title is a part of the help, which has two levels above it. */
const marked = new Marked({
  walkTokens(token) {
    if (token.type === "heading") token.depth = Math.min(6, (token as { depth: number }).depth + 2);
  },
});
/** Links to a state of the page that is published, which lead to the page that is open. */
const STATE = /href="https:\/\/[\w.-]+\/froc\/#/g;

const newest = (text: string) => `# What changed\n\n## ${text.split(/^## /m)[1] ?? ""}`;

export function markdown(): Plugin {
  return {
    name: "froc:markdown",
    enforce: "pre",
    load(id) {
      const asked = ENDING.exec(id);
      if (!asked) return null;
      const file = id.slice(0, id.lastIndexOf("?"));
      this.addWatchFile(file);
      const text = readFileSync(file, "utf8");
      const html = marked.parse(asked[1] ? newest(text) : text, { async: false });
      const linked = html
        .replaceAll(STATE, 'target="_blank" href="#')
        .replaceAll('href="http', 'rel="noreferrer" href="http');
      return `export default ${JSON.stringify(linked)};`;
    },
  };
}
