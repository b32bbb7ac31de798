// The server of `cargo xtask serve`, which serves the page to these tests, too.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { join, resolve } from "node:path";

import { expect, test } from "@playwright/test";

import { dist } from "./server.ts";

test("files have their types and are not kept, and there is nothing else", async ({ baseURL }) => {
  const { port } = new URL(baseURL ?? "");
  const answer = async (path: string) => {
    // As it is written: `fetch` would leave the dots out.
    const [response] = (await once(get({ host: "127.0.0.1", port, path }), "response")) as [IncomingMessage];
    response.resume();
    return response;
  };
  const asset = (ending: string) =>
    `/assets/${readdirSync(join(dist, "assets")).find((name) => name.endsWith(ending))}`;
  for (const [path, type] of [
    ["/", "text/html"],
    ["/froc.html", "text/html"],
    [asset(".js"), "text/javascript"],
    [asset(".wasm"), "application/wasm"],
  ] as const) {
    const { statusCode, headers } = await answer(path);
    expect([statusCode, headers["cache-control"]], path).toEqual([200, "no-store"]);
    expect(headers["content-type"], path).toContain(type);
  }
  for (const path of ["/../package.json", "/..%2fpackage.json", "/missing", "/missing.js"])
    expect((await answer(path)).statusCode, path).toBe(404);
});

test("a taken port is no obstacle", async ({ baseURL }) => {
  const { port } = new URL(baseURL ?? "");
  const server = spawn(process.execPath, [resolve(import.meta.dirname, "../build/serve.mjs"), port]);
  try {
    let printed = "";
    server.stdout.on("data", (text) => (printed += String(text)));
    await expect.poll(() => printed).toContain("(end with Ctrl-C)");
    const [, another] = /^Port \d+ is taken; taking another\.\n\nThe page is at (\S+) \(end/.exec(printed) ?? [];
    expect(new URL(another ?? "").port).not.toBe(port);
    expect((await fetch(another ?? "")).status).toBe(200);
  } finally {
    server.kill();
  }
});
