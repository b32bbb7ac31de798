// What a browser installs the page by, made of what index.html says already: its title, what it is, its icon.
import type { Plugin } from "vite";

const NAME = "manifest.webmanifest";

export function manifest(): Plugin {
  let source = "";
  return {
    name: "froc:manifest",
    apply: "build",
    transformIndexHtml: {
      order: "pre",
      handler(html) {
        const said = (pattern: RegExp) => {
          const text = pattern.exec(html)?.[1];
          if (text === undefined) throw new Error(`index.html should hold ${pattern}`);
          return text;
        };
        const title = said(/<title>([^<]+)</);
        source = JSON.stringify({
          name: title,
          short_name: title.split(":")[0],
          description: said(/name="description"\s+content="([^"]+)"/),
          start_url: "./",
          scope: "./",
          display: "standalone",
          theme_color: "#0b5c7a",
          background_color: "#f7f8f9",
          icons: [{ src: said(/rel="icon"\s+href="([^"]+)"/), sizes: "any", type: "image/svg+xml" }],
        });
        return [{ tag: "link", attrs: { rel: "manifest", href: `./${NAME}` }, injectTo: "head" }];
      },
    },
    generateBundle() {
      this.emitFile({ type: "asset", fileName: NAME, source });
    },
  };
}
