// Builds the service worker: every file of the page with the hash of its content, and the code that answers from them.
import { createHash } from "node:crypto";

import { build, type Plugin } from "vite";

export function offline(entry: string): Plugin {
  return {
    name: "froc:offline",
    apply: "build",
    async writeBundle({ dir }, bundle) {
      const files = Object.values(bundle)
        .map((file) => ({
          url: file.fileName,
          revision: createHash("sha256")
            .update(file.type === "chunk" ? file.code : file.source)
            .digest("hex"),
        }))
        .sort((a, b) => (a.url < b.url ? -1 : 1));
      if (!dir || !files.some(({ url }) => url === "index.html")) this.error("the bundle holds no index.html");
      await build({
        configFile: false,
        logLevel: "warn",
        define: { __PAGE_FILES__: JSON.stringify(files), "process.env.NODE_ENV": '"production"' },
        build: {
          outDir: dir,
          emptyOutDir: false,
          copyPublicDir: false,
          target: "es2023",
          lib: { entry, formats: ["iife"], name: "serviceWorker", fileName: () => "service-worker.js" },
        },
      });
    },
  };
}
