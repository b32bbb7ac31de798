// Puts everything into one page that opens from disk: script, style, worker, WebAssembly and sample, under a policy that
// names the hashes of its script and its style and allows no connection at all.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";

import type { Plugin } from "vite";

/** The module `virtual:embedded`: files by name, gzipped, as base64. */
export function embed(paths: string[]): Plugin {
  const id = "\0virtual:embedded";
  return {
    name: "froc:embed",
    resolveId: (source) => (source === "virtual:embedded" ? id : null),
    load(loaded) {
      if (loaded !== id) return null;
      const files = paths.map((path) => [
        basename(path),
        gzipSync(readFileSync(path), { level: 9 }).toString("base64"),
      ]);
      return `export const embedded = ${JSON.stringify(Object.fromEntries(files))};`;
    },
  };
}

const sha256 = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

export function policy(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src ${sha256(script)} 'wasm-unsafe-eval'`,
    `style-src ${sha256(style)}`,
    "img-src blob: data:",
    "connect-src 'none'",
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** Replaces the one place where `pattern` stands; the text may hold `$`. */
function replaceOnce(html: string, pattern: RegExp, text: string): string {
  if (html.match(new RegExp(pattern, "g"))?.length !== 1) throw new Error(`index.html should hold ${pattern} once`);
  return html.replace(pattern, () => text);
}

/** Turns the bundle into a single page. */
export function oneFile(name: string): Plugin {
  return {
    name: "froc:one-file",
    enforce: "post",
    generateBundle(_, bundle) {
      const files = Object.values(bundle);
      const chunks = files.filter((file) => file.type === "chunk");
      const styles = files.filter((file) => file.type === "asset" && file.fileName.endsWith(".css"));
      const page = bundle["index.html"];
      const [chunk, style] = [chunks[0], styles[0]];
      if (files.length !== 3 || chunk?.type !== "chunk" || style?.type !== "asset" || page?.type !== "asset") {
        this.error(
          `one script, one style and one page are expected, not ${files.map((file) => file.fileName).join(", ")}`,
        );
      }
      // Inside <script> these two would end it, or hide what follows.
      const script = chunk.code.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
      const css = String(style.source);
      let html = String(page.source);
      html = replaceOnce(html, /<script [^>]*src="[^"]*"[^>]*><\/script>\s*/, "");
      html = replaceOnce(html, /<link rel="stylesheet"[^>]*>/, `<style>${css}</style>`);
      html = replaceOnce(html, /(?<=http-equiv="Content-Security-Policy"\s*content=")[^"]*/, policy(script, css));
      html = replaceOnce(html, /<\/body>/, `<script type="module">${script}</script>\n  </body>`);
      for (const file of files) delete bundle[file.fileName];
      this.emitFile({ type: "asset", fileName: name, source: html });
    },
  };
}
