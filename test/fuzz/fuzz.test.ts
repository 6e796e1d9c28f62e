import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { requireBuild, runNode } from "../support/child.ts";
import { timeLimit } from "../support/time-limit.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const cases = process.env["SKEIN_FUZZ_CASES"] ?? "1000";
const LIMIT_MS = 300_000;

beforeAll(requireBuild);

it(
  `fuzz: ${cases} cases arrive as structuredClone has them`,
  { timeout: timeLimit(2 * LIMIT_MS) },
  async () => {
    const { code, stdout, stderr } = await runNode({ args: [main, "--cases", cases], limitMs: LIMIT_MS });
    expect(`${stdout}${stderr}`).toContain("no fault");
    expect(code).toBe(0);
  },
);
