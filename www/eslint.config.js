// What TypeScript's own checks do not see: promises that nobody waits for, imports in a circle, what Svelte warns of.
import { createNodeResolver, importX } from "eslint-plugin-import-x";
import svelte from "eslint-plugin-svelte";
import { defineConfig } from "eslint/config";
import ts from "typescript-eslint";

import svelteConfig from "./svelte.config.js";

export default defineConfig(
  { ignores: ["dist", "pkg", "sample", "test-results", "xtask"] },
  ts.configs.recommended,
  svelte.configs.recommended,
  {
    files: ["**/*.ts", "**/*.svelte"],
    plugins: { "import-x": importX },
    languageOptions: {
      parserOptions: {
        project: ["./tsconfig.json", "./tsconfig.service-worker.json"],
        extraFileExtensions: [".svelte"],
        parser: ts.parser,
        svelteConfig,
      },
    },
    settings: {
      "import-x/resolver-next": [createNodeResolver()],
      "import-x/extensions": [".ts", ".svelte"],
      "import-x/external-module-folders": ["node_modules", "pkg"],
      "import-x/parsers": { "@typescript-eslint/parser": [".ts"], "svelte-eslint-parser": [".svelte"] },
    },
    rules: {
      "import-x/no-cycle": ["error", { ignoreExternal: true }],
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      // What is drawn from a collection is replaced as a whole, and marked as $state.raw.
      "svelte/prefer-svelte-reactivity": "off",
      // svelte-check sees warnings that this rule does not.
      "svelte/no-unused-svelte-ignore": "off",
    },
  },
);
