import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { timeLimit, timeoutScale } from "./test/support/time-limit.ts";

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
    // Tests wait for threads, processes and timers for half of their time.
    maxWorkers: availableParallelism() + 2,
    // The same for processes that tests start.
    env: { SKEIN_TEST_TIMEOUT_SCALE: String(timeoutScale) },
    // Only what hangs meets a limit.
    testTimeout: timeLimit(60_000),
    hookTimeout: timeLimit(60_000),
    teardownTimeout: timeLimit(30_000),
    reporters: ["default", "./test/support/progress-reporter.ts"],
  },
});
