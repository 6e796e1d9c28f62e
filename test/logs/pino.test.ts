import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { requireBuild, runNode } from "../support/child.ts";

interface Line {
  readonly index: number;
  readonly step: number;
  readonly tenant?: string;
  readonly threadId?: number;
  readonly jobId?: string;
}

let folder: string;
beforeAll(async () => {
  requireBuild();
  folder = await mkdtemp(join(tmpdir(), "skein-logs-"));
});
afterAll(() => rm(folder, { recursive: true }));

it.each([
  ["a file", "end"],
  ["a file", "exit"],
  ["transport", "end"],
  ["transport", "exit"],
])(
  "lines to %s, when the program ends by %s: all there, in order, with the context and the job",
  async (by, end) => {
    const file = join(folder, `${by}-${end}.ndjson`.replace(" ", "-"));
    const main = fileURLToPath(new URL("./main.ts", import.meta.url));
    const ended = await runNode({ args: [main], env: { LOG_FILE: file, LOG_BY: by, LOG_END: end } });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const lines = readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text) as Line);
    expect(lines.length).toBe(80);
    const jobIds = new Set<string>();
    for (let index = 0; index < 20; index++) {
      const own = lines.filter((line) => line.index === index);
      expect(own.map(({ tenant }) => tenant)).toEqual(Array(4).fill(`t${index}`));
      // Each thread writes for itself: lines of one thread are in its order.
      const ofJob = own.filter(({ jobId }) => jobId !== undefined);
      expect(ofJob.map(({ step }) => step)).toEqual([1, 2]);
      expect(own.filter(({ jobId }) => jobId === undefined).map(({ step }) => step)).toEqual([0, 3]);
      expect(new Set(ofJob.map(({ jobId }) => jobId)).size).toBe(1);
      expect(ofJob.every(({ threadId }) => threadId! > 0)).toBe(true);
      jobIds.add(ofJob[0]!.jobId!);
    }
    expect(jobIds.size).toBe(20);
  },
);
