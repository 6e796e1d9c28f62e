import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { requireBuild, runNode } from "../support/child.ts";
import { timeLimit } from "../support/time-limit.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const jobs = process.env["SKEIN_SOAK_JOBS"] ?? "3000";
const LIMIT_MS = 300_000;

beforeAll(requireBuild);

it(
  `soak: ${jobs} jobs of all kinds, each settled once, while threads die`,
  { timeout: timeLimit(2 * LIMIT_MS) },
  async () => {
    const { code, stdout, stderr } = await runNode({
      args: ["--expose-gc", main, "--jobs", jobs],
      limitMs: LIMIT_MS,
    });
    expect(`${stdout}${stderr}`).toContain(" 0 faults");
    expect(code).toBe(0);
  },
);
