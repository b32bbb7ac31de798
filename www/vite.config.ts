import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

import { offline } from "./build/offline.ts";
import { digests, integrity } from "./build/integrity.ts";
import { manifest } from "./build/manifest.ts";
import { markdown } from "./build/markdown.ts";
import { embed, oneFile } from "./build/onefile.ts";
import { preloadEngine } from "./build/preload.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Relative URLs only: the page works under any path of any host. No modulepreload polyfill: it is an inline script.
// Style sheets for browsers that know light-dark(): what stands in for it in older ones looks at the page's scheme alone, but
// plots are saved in light colours from a dark page.
const cssTarget: string[] = ["chrome123", "firefox120", "safari17.5"];
/** What the script fetches; in the one file, what is inside it. */
const fetched = [
  here("pkg/froc_bg.wasm"),
  ...readdirSync(here("sample"))
    .sort()
    .map((name) => here(`sample/${name}`)),
];
const common = {
  base: "./",
  worker: { format: "iife" },
  build: { target: "es2023", cssTarget, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
} as const;

// `vite build --mode one-file` makes froc.html; then `vite build` adds the site to it, which knows its digest.
export default defineConfig(({ mode }) =>
  mode === "one-file"
    ? {
        ...common,
        resolve: { alias: [{ find: /^.*\/assets\.ts$/, replacement: here("./src/engine/assets.embedded.ts") }] },
        plugins: [svelte(), markdown(), embed(fetched), oneFile("froc.html")],
        build: { ...common.build, emptyOutDir: true, copyPublicDir: false, reportCompressedSize: false },
      }
    : {
        ...common,
        build: { ...common.build, emptyOutDir: false },
        plugins: [
          svelte(),
          markdown(),
          digests([...fetched, here("dist/froc.html")]),
          manifest(),
          preloadEngine(),
          integrity(),
          offline(here("./src/offline/service-worker.ts")),
        ],
      },
);
