/**
 * `pnpm bench:simulate`: measures this machine, simulates others with more cores, and writes bench/results/simulation.
 * `--quick`: little of it, to bench/results/simulation-quick. `--measured`: with what was measured last time. `--report`: the report only.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChild } from "../method/child.ts";
import { takeFingerprint } from "../method/fingerprint.ts";
import type { Measured } from "./measure-costs.ts";
import type { Point } from "./point.ts";
import { type Simulation, writeSimulation } from "./report.ts";

const THREADS = [1, 2, 4, 8, 16, 32, 64, 128];
const TIMEOUT_MS = 600_000;
const FLAGS = ["--no-warnings", "--expose-gc"];
const flags = new Set(process.argv.slice(2));
const isQuick = flags.has("--quick");
const out = fileURLToPath(
  new URL(`../../results/${isQuick ? "simulation-quick" : "simulation"}/`, import.meta.url),
);
const raw = join(out, "simulation.raw.json");

mkdirSync(out, { recursive: true });
if (!flags.has("--report")) {
  const measured = flags.has("--measured") ? readRaw().measured : await measure();
  const simulation: Simulation = {
    fingerprint: takeFingerprint(isQuick ? "quick" : "full"),
    at: new Date().toISOString(),
    measured,
    points: await simulateAll(measured, isQuick ? THREADS.filter((threads) => threads <= 32) : THREADS),
  };
  writeFileSync(raw, `${JSON.stringify(simulation, null, 2)}\n`);
}
writeSimulation(out, readRaw());
process.stderr.write(`${join(out, "report.md")}\n`);

function readRaw(): Simulation {
  return JSON.parse(readFileSync(raw, "utf8")) as Simulation;
}

function measure(): Promise<Measured> {
  process.stderr.write("measuring this machine\n");
  return runChild<Measured>(new URL("measure-costs.ts", import.meta.url), {
    flags: FLAGS,
    timeoutMs: TIMEOUT_MS,
  });
}

/** The longest first, as many at a time as there are cores. */
async function simulateAll(measured: Measured, all: readonly number[]): Promise<Point[]> {
  const folder = mkdtempSync(join(tmpdir(), "skein-simulation-"));
  const costs = join(folder, "costs.json");
  writeFileSync(costs, JSON.stringify(measured));
  const left = all.toSorted((a, b) => a - b);
  const points: Point[] = [];
  const simulateNext = async (): Promise<void> => {
    for (let threads = left.pop(); threads !== undefined; threads = left.pop()) {
      process.stderr.write(`${threads} threads\n`);
      points.push(
        await runChild<Point>(new URL("point.ts", import.meta.url), {
          args: [String(threads), costs, ...(isQuick ? ["2000", "9"] : ["10000", "12"])],
          flags: FLAGS,
          timeoutMs: TIMEOUT_MS,
        }),
      );
    }
  };
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, simulateNext));
  } finally {
    rmSync(folder, { recursive: true });
  }
  return points.toSorted((a, b) => a.threads - b.threads);
}
