// A plain file server that remembers every request: what a host would see of the page.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, resolve } from "node:path";
import type { AddressInfo } from "node:net";

export const dist = resolve(import.meta.dirname, "../dist");

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

export interface Seen {
  path: string;
  /** The browser's own look for a newer service worker. */
  isServiceWorkerCheck: boolean;
}

export class Site {
  /** What is served; may be changed while the site runs. */
  folder: string;
  readonly seen: Seen[] = [];
  /** Is told of every connection, with a request or without. */
  onconnection: () => void = () => undefined;
  readonly #server;

  private constructor(
    folder: string,
    readonly prefix: string,
  ) {
    this.folder = folder;
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://localhost");
      this.seen.push({ path: pathname, isServiceWorkerCheck: request.headers["service-worker"] === "script" });
      const inside = pathname.startsWith(prefix) ? pathname.slice(prefix.length) || "index.html" : "";
      const file = join(this.folder, inside);
      if (inside === "" || inside.includes("..") || !existsSync(file) || !statSync(file).isFile()) {
        response.writeHead(404, { "cache-control": "no-store" }).end();
        return;
      }
      response.writeHead(200, {
        "content-type": TYPES[extname(file)] ?? "application/octet-stream",
        "cache-control": "no-store",
      });
      createReadStream(file).pipe(response);
    });
    this.#server.on("connection", () => this.onconnection());
    this.#server.on("upgrade", (request, socket) => {
      this.seen.push({ path: request.url ?? "", isServiceWorkerCheck: false });
      socket.destroy();
    });
  }

  /** Serves a folder under a path, as a project's page on a shared host is. */
  static async start(folder = dist, prefix = "/some/project/"): Promise<Site> {
    const site = new Site(folder, prefix);
    await new Promise<void>((listening) => site.#server.listen(0, "127.0.0.1", listening));
    return site;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return this.origin + this.prefix;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
