/** `pnpm bench` itself, on the built packages, with the smallest section there is. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRaw, writeRaw } from "../../src/method/raw-file.ts";

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
const SECTION = "cold-start";
let folder = "";

function bench(...args: string[]): { status: number | null; said: string } {
  const { status, stderr, stdout } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  return { status, said: stdout + stderr };
}

const rawFile = (): string => join(folder, `${SECTION}.raw.json`);
const report = (): string => readFileSync(join(folder, "report.md"), "utf8");

describe("pnpm bench", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "skein-smoke-"));
    const { status, said } = bench("--quick", "--only", SECTION, "--rounds", "1", "--out", folder);
    if (status !== 0) throw new Error(said);
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("writes samples of every contender, and a report with a picture", () => {
    const { scenarios, error } = readRaw(rawFile());
    expect(error).toBeNull();
    for (const { samples } of scenarios[0]!.contenders) expect(samples["processMs"]).toHaveLength(1);
    expect(report()).toContain("## Cold start");
    expect(report()).toContain("](cold-start.svg)");
  });

  it("the report can be written again from the raw files, and is the same", () => {
    const before = report();
    rmSync(join(folder, "report.md"));
    expect(bench("--report", folder)).toEqual({ status: 0, said: "" });
    expect(report()).toBe(before);
  });

  it("refuses to join samples of another build, before it measures anything", () => {
    const raw = readRaw(rawFile());
    const foreign = { ...raw, section: "memory", fingerprint: { ...raw.fingerprint, dist: "0".repeat(16) } };
    writeRaw(folder, foreign);
    const { status, said } = bench("--quick", "--only", SECTION, "--out", folder);
    rmSync(join(folder, "memory.raw.json"));
    expect(status).toBe(1);
    expect(said).toContain("this run cannot join");
    expect(said).toContain("dist");
    expect(readRaw(rawFile())).toEqual(raw);
  });

  it("a section that does not exist is one line, and exit code 1", () => {
    const { status, said } = bench("--only", "weather", "--out", folder);
    expect(status).toBe(1);
    expect(said).toMatch(/^Unknown section "weather"; there are .*cold-start/);
    expect(said).not.toContain("    at ");
  });
});
