import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { requireBuild, runNode } from "../support/child.ts";
import { timeLimit } from "../support/time-limit.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const cases = process.env["SKEIN_FUZZ_CASES"] ?? "500";
const LIMIT_MS = 300_000;

beforeAll(requireBuild);

it.each([
  ["two pools", cases, []],
  ["InlineEngine", "150", ["--engine", "InlineEngine"]],
  ["PiscinaEngine", "150", ["--engine", "PiscinaEngine"]],
])(
  "fuzz, %s: %s cases arrive as structuredClone has them",
  { timeout: timeLimit(2 * LIMIT_MS) },
  async (_, count, more) => {
    const args = [main, "--cases", count, ...more];
    const { code, stdout, stderr } = await runNode({ args, limitMs: LIMIT_MS });
    expect(`${stdout}${stderr}`).toContain("no fault");
    expect(code).toBe(0);
  },
);
