import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.ts";
import { sourceAliases } from "./test/support/source-aliases.ts";
import { steppedModules } from "./test/support/stepped-modules.ts";
import { timeLimit, timeoutScale } from "./test/support/time-limit.ts";

export default defineConfig(({ mode }) => ({
  // On the main thread packages run from source. Not by the condition `@skein/source`, which threads and processes would inherit.
  resolve: { alias: sourceAliases },
  plugins: [steppedModules()],
  test: {
    include: [
      "packages/*/test/**/*.test.ts",
      "apps/*/test/**/*.test.ts",
      "bench/test/**/*.test.ts",
      "examples/test/**/*.test.ts",
      "test/**/*.test.ts",
    ],
    globalSetup: "./test/support/require-build.ts",
    // Under `threads` a test would not run on the main thread.
    pool: "forks",
    // They wait for threads, processes and timers for half of their time.
    maxWorkers: availableParallelism() + 2,
    sequence: { sequencer: LongestFirst },
    execArgv: ["--expose-gc"],
    env: {
      // The same for processes that tests start.
      SKEIN_TEST_TIMEOUT_SCALE: String(timeoutScale),
      // `--mode whole`: see test/support/whole.ts.
      ...(mode === "whole" ? { SKEIN_TEST_WHOLE: "1" } : {}),
      // Tests start some thousand processes and threads: each loads the same modules, compiled once.
      NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/skein-tests", import.meta.url)),
    },
    // Only what hangs meets a limit.
    testTimeout: timeLimit(60_000),
    hookTimeout: timeLimit(60_000),
    teardownTimeout: timeLimit(30_000),
    reporters: ["default", "./test/support/progress-reporter.ts"],
  },
}));
