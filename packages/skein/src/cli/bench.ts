/** `skein bench`: what a job costs when it is called directly, and on a pool. */
import { createHistogram } from "node:perf_hooks";
import { exportedFunction, loadJobModule } from "@skein/pool/engine";
import { EXIT, MAX_MS, MAX_THREADS, parseCommandLine, wholeNumber } from "./command-line.ts";
import { jobOf, type JobReference, parseJobReference } from "./job-reference.ts";
import { withPool } from "./job-run.ts";
import { parseJson } from "./json.ts";
import type { Command } from "./program.ts";
import { drain, isStreamed } from "./streamed.ts";

const DEFAULT_TIME_MS = 1000;
/** Of the time: before it is measured, threads start and code is compiled. */
const WARM_UP_SHARE = 0.2;
/** Calls under way at once, so that no thread waits for the next. */
const CALLS_PER_THREAD = 4;

const help = `Usage: skein bench <file>#<export> [json ...] [options]

Calls an exported function again and again with these arguments: directly, on
the main thread; on a pool, one call after the other; and on all threads of the
pool at once. Prints calls per second and how long a call takes, the wait for a
thread included; that of a generator ends with its last item. Measure on a quiet
machine.

  skein bench ./geo.jobs.ts#area '[[0,0],[0,1],[1,0]]'

  --time-ms <n>   how long to measure each way   [${DEFAULT_TIME_MS}]
  --threads <n>   threads   [as many as the pool takes by default]
  --json          print the numbers as JSON
  --help          this text

Exit code: 0 done, 1 the job failed, 2 wrong usage.
`;

interface Measured {
  readonly way: string;
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export const bench: Command = {
  help,
  async run(args) {
    const { values, positionals } = parseCommandLine(args, {
      "time-ms": { type: "string" },
      threads: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    });
    const [job, ...texts] = positionals;
    const reference = parseJobReference(job);
    const jobArgs = texts.map((text, index) => parseJson(text, `argument ${index + 1}`));
    const timeMs = wholeNumber("time-ms", values["time-ms"], 1, MAX_MS) ?? DEFAULT_TIME_MS;
    const maxThreads = wholeNumber("threads", values.threads, 1, MAX_THREADS);
    const measured = await withPool(reference, { maxThreads }, async (pool) => {
      const job = jobOf(pool, reference);
      const once: Call = () => pool.run(job, jobArgs);
      // The first call says what is wrong with the reference, if anything.
      const first = await once();
      const isRead = isStreamed(first);
      if (isRead) await drain(first);
      const call = isRead ? toItsEnd(once) : once;
      const directOnce = await directCall(reference, jobArgs);
      const direct = isRead ? toItsEnd(directOnce) : directOnce;
      const threads = pool.minThreads;
      return [
        await measure("direct call", direct, 1, timeMs),
        await measure("pool, one by one", call, 1, timeMs),
        await measure(
          `pool, ${threads} ${threads === 1 ? "thread" : "threads"}`,
          call,
          threads * CALLS_PER_THREAD,
          timeMs,
        ),
      ];
    });
    process.stdout.write(values.json === true ? `${JSON.stringify(measured)}\n` : table(measured));
    return EXIT.done;
  },
};

type Call = () => unknown;

/** On this thread, and with the same arguments each time: what a call does to them must not reach the jobs. */
async function directCall({ url, name }: JobReference, args: readonly unknown[]): Promise<Call> {
  const fn = exportedFunction(await loadJobModule(url.href), name)!;
  const own = structuredClone(args);
  return () => fn(...own);
}

/** With the items of what it gives. */
function toItsEnd(call: Call): Call {
  return async () => {
    const result = await call();
    if (isStreamed(result)) await drain(result);
  };
}

/** @param width How many calls are under way at once. */
async function measure(way: string, call: Call, width: number, timeMs: number): Promise<Measured> {
  await callFor(call, width, timeMs * WARM_UP_SHARE, () => {});
  const latencies = createHistogram();
  const elapsedMs = await callFor(call, width, timeMs, (ms) =>
    latencies.record(Math.max(1, Math.round(ms * 1e6))),
  );
  return {
    way,
    calls: latencies.count,
    callsPerSecond: (latencies.count / elapsedMs) * 1000,
    p50Us: latencies.percentile(50) / 1000,
    p99Us: latencies.percentile(99) / 1000,
  };
}

/** Until the time is over, and for one call at least. @returns how long it took. */
async function callFor(
  call: Call,
  width: number,
  timeMs: number,
  record: (ms: number) => void,
): Promise<number> {
  const start = performance.now();
  const callRepeatedly = async (): Promise<void> => {
    let now: number;
    do {
      const called = performance.now();
      await call();
      now = performance.now();
      record(now - called);
    } while (now - start < timeMs);
  };
  await Promise.all(Array.from({ length: width }, callRepeatedly));
  return performance.now() - start;
}

function table(rows: readonly Measured[]): string {
  const cells = [
    ["", "calls/s", "p50", "p99"],
    ...rows.map(({ way, callsPerSecond, p50Us, p99Us }) => [
      way,
      digits(callsPerSecond),
      time(p50Us),
      time(p99Us),
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join("  ");
  return `${cells.map(line).join("\n")}\n`;
}

function time(us: number): string {
  if (us < 1000) return `${digits(us)} us`;
  return us < 1_000_000 ? `${digits(us / 1000)} ms` : `${digits(us / 1_000_000)} s`;
}

function digits(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}
