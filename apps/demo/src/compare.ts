/** The same scan without the pool, then with it under each policy: times, and how late the event loop was. */
import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { join } from "node:path";
import type { Engine } from "./engine.ts";
import { LoopWatch } from "./loop-watch.ts";
import { POLICIES } from "./options.ts";
import type { Policy } from "./options.ts";
import type { ScanResult } from "./scan.ts";
import { layOut } from "./table.ts";
import { wrap } from "./terminal.ts";
import type { Style } from "./terminal.ts";
import type { Tree } from "./walk.ts";
import { formatCount, formatPlural, formatSeconds } from "./wording.ts";

export interface Comparison {
  readonly tree: Tree;
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly openEngine: (threads: number) => Promise<Engine>;
  readonly runScan: (engine: Engine, label: string, policy: Policy, loop: LoopWatch) => Promise<ScanResult>;
  readonly digest: (engine: Engine, result: ScanResult) => Promise<string>;
  readonly write: (text: string) => void;
  readonly style: Style;
  /** Of a line. */
  readonly width: number;
}

interface Row {
  readonly label: string;
  readonly result: ScanResult;
  readonly delayP99Ms: number;
  readonly digest: string;
}

/** Prints the table; false when two runs disagree about the result. */
export async function compareEngines(comparison: Comparison): Promise<boolean> {
  const { tree, threads, signal, openEngine, runScan, digest } = comparison;
  if (tree.files.length === 0) {
    comparison.write("Nothing to compare: no JavaScript or TypeScript files here.\n");
    return true;
  }
  await warmFileCache(tree, signal);
  const candidates = [
    { label: "no pool", threads: 0, policy: "asynchronous" as Policy },
    ...POLICIES.map((policy) => ({
      label: `${formatPlural(threads, "thread")}, ${policy}`,
      threads,
      policy,
    })),
  ];
  const rows: Row[] = [];
  for (const { label, threads, policy } of candidates) {
    const engine = await openEngine(threads);
    const loop = new LoopWatch();
    const result = await runScan(engine, label, policy, loop);
    loop.stop();
    const found = await digest(engine, result);
    await engine.close();
    if (signal.aborted) break;
    rows.push({ label, result, delayP99Ms: loop.delayP99Ms, digest: found });
  }
  const agree = new Set(rows.map((row) => row.digest)).size <= 1;
  printTable(rows, agree, comparison);
  return agree;
}

/** So that no run pays for the disk and the next one does not. */
async function warmFileCache(tree: Tree, signal: AbortSignal): Promise<void> {
  for (const [index, { path }] of tree.files.entries()) {
    if (signal.aborted) return;
    try {
      readFileSync(join(tree.root, path));
    } catch {
      // The scan will say so.
    }
    if (index % 64 === 0) await nextTurn();
  }
}

function printTable(rows: readonly Row[], agree: boolean, comparison: Comparison): void {
  const { tree, style, signal, write } = comparison;
  const width = comparison.width - 1;
  const reference = rows[0]?.result.elapsedMs ?? 0;
  const body = rows.map(({ label, result: { elapsedMs }, delayP99Ms, digest }) => [
    label,
    formatSeconds(elapsedMs),
    `${(reference / elapsedMs).toFixed(2)}×`,
    formatCount(Math.round((tree.files.length / elapsedMs) * 1000)),
    `${delayP99Ms.toFixed(1)} ms`,
    digest.slice(0, 16),
  ]);
  const table = layOut(
    [
      { fit: "wrap", min: 12 },
      { title: "time", align: "right", paint: (text) => style("bold", text) },
      { title: "speed-up", align: "right", expendable: 1 },
      { title: "files/s", align: "right", expendable: 3 },
      { title: "event-loop delay p99", align: "right", fit: "end" },
      { title: "result", expendable: 2, paint: (text) => style("dim", text) },
    ],
    body,
    width,
    (title) => style("dim", title),
  );
  const about =
    "Files read once before the first run. Each pool is new: starting its threads is part of its time.";
  const lines = [
    style("bold", `Census compared: ${formatPlural(tree.files.length, "file")}`),
    "",
    ...table,
    "",
    ...wrap(about, width).map((line) => style("dim", line)),
    agree ? style("green", "All results are identical.") : style(["bold", "red"], "The results differ."),
    ...(signal.aborted ? [style("yellow", "Cancelled: the table is not complete.")] : []),
  ];
  write(`\n${lines.map((line) => ` ${line}`.trimEnd()).join("\n")}\n`);
}
