import { defineConfig } from "@playwright/test";

// A third less work than the whole browser, which shows no window in a test either.
const browser = process.env.HEADLESS_SHELL ?? process.env.CHROMIUM;

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
    // What the server below told; the processes that run the tests read this file again once it runs.
    baseURL: process.env.FROC_PAGE ?? "",
    acceptDownloads: true,
    // Each would keep a copy of the whole page; where that is what is tested, it is allowed.
    serviceWorkers: "block",
    launchOptions: {
      ...(browser ? { executablePath: browser } : {}),
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
    command: "node build/serve.mjs 0",
    wait: { stdout: /The page is at (?<froc_page>\S+)/ },
  },
});
