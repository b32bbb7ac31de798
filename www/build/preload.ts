// Asks for the engine as soon as the page arrives, beside its script, which would ask for it later.
import type { Plugin } from "vite";

export function preloadEngine(): Plugin {
  return {
    name: "froc:preload-engine",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_, { bundle }) {
        const engine = Object.keys(bundle ?? {}).find((name) => /froc_bg[^/]*\.wasm$/.test(name));
        if (engine === undefined) throw new Error("the bundle holds no engine");
        return [
          {
            tag: "link",
            attrs: { rel: "preload", as: "fetch", type: "application/wasm", crossorigin: true, href: `./${engine}` },
            injectTo: "head",
          },
        ];
      },
    },
  };
}
