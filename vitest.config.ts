import { defineConfig } from "vitest/config";

// Packages run from source: the scoped condition is set for Vite's resolver and for the workers that tests start.
const conditions = ["@skein/source"];

export default defineConfig({
  ssr: { resolve: { conditions: [...conditions, "module", "node", "import"] } },
  test: {
    // Under `threads` a test would not run on the main thread.
    pool: "forks",
    execArgv: ["--expose-gc", ...conditions.map((name) => `--conditions=${name}`)],
    include: [
      "packages/*/test/**/*.test.ts",
      "apps/*/test/**/*.test.ts",
      "bench/test/**/*.test.ts",
      "test/**/*.test.ts",
    ],
    testTimeout: 20_000,
  },
});
