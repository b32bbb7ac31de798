import { execFileSync } from "node:child_process";

import { defineConfig } from "@playwright/test";

// Any port that is free; the processes that run the tests read this file again and inherit the choice.
const FREE_PORT =
  "const s = net.createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close(); })";
const port = (process.env.FROC_TEST_PORT ??= execFileSync(process.execPath, ["-e", FREE_PORT], {
  encoding: "utf8",
}).trim());

export default defineConfig({
  testDir: "./tests",
  outputDir: "./test-results",
  // One picture for every platform: the tests allow for other fonts.
  snapshotPathTemplate: "{testDir}/pictures/{arg}{ext}",
  // Two cores are what a small machine has; the page's workers want one of them.
  workers: 2,
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  // A test that fails is tried once more there, and the report calls it flaky.
  retries: process.env.CI ? 1 : 0,
  reporter: [["list"]],
  timeout: 60_000,
  // The core is tested at the same time: what takes a moment may take seconds.
  expect: { timeout: 20_000 },
  use: {
    baseURL: `http://127.0.0.1:${port}/`,
    acceptDownloads: true,
    launchOptions: {
      ...(process.env.CHROMIUM ? { executablePath: process.env.CHROMIUM } : {}),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [{ name: "chromium" }],
  webServer: {
    command: `npm run --silent preview -- --host 127.0.0.1 --strictPort --port ${port}`,
    url: `http://127.0.0.1:${port}/`,
    reuseExistingServer: false,
  },
});
