import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// Relative URLs only: the page works under any path of any host. No modulepreload polyfill: it is an inline script.
export default defineConfig({
  base: "./",
  plugins: [svelte()],
  worker: { format: "iife" },
  build: { target: "es2023", modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
});
