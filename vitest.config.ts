import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";
import { timeLimit, timeoutScale } from "./test/support/time-limit.ts";

// Packages run from source: the scoped condition is set for Vite's resolver and for the workers that tests start.
const conditions = ["@skein/source"];

/** Threads that go on in turns, a step at a time: on a machine that is full they take eight times as long, so each has it for itself. */
const models = ["packages/*/test/**/*.model.test.ts"];
const cores = availableParallelism();

export default defineConfig({
  ssr: { resolve: { conditions: [...conditions, "module", "node", "import"] } },
  test: {
    // Under `threads` a test would not run on the main thread.
    pool: "forks",
    execArgv: ["--expose-gc", ...conditions.map((name) => `--conditions=${name}`)],
    // The same for processes that tests start.
    env: { SKEIN_TEST_TIMEOUT_SCALE: String(timeoutScale) },
    // Only what hangs meets a limit.
    testTimeout: timeLimit(60_000),
    hookTimeout: timeLimit(60_000),
    teardownTimeout: timeLimit(30_000),
    reporters: ["default", "./test/support/progress-reporter.ts"],
    projects: [
      {
        extends: true,
        test: { name: "models", include: models, maxWorkers: 1, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: "tests",
          include: [
            "packages/*/test/**/*.test.ts",
            "apps/*/test/**/*.test.ts",
            "bench/test/**/*.test.ts",
            "test/**/*.test.ts",
          ],
          exclude: [...configDefaults.exclude, ...models],
          // They wait for threads, processes and timers for half of their time.
          maxWorkers: cores + 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
