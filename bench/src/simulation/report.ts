/** The report of a simulation: what was measured here, what follows for more threads, and how far one ring carries. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fingerprint } from "../method/fingerprint.ts";
import { median } from "../method/statistics.ts";
import { percent, quantity, times } from "../report/quantities.ts";
import { drawLines, type Line } from "../report/svg-lines.ts";
import { table } from "../report/tables.ts";
import { JOB_US } from "./lengths.ts";
import type { Measured, RealRun } from "./measure-costs.ts";
import { FAR_NS } from "./far.ts";
import type { Point, Run } from "./point.ts";

export interface Simulation {
  readonly fingerprint: Fingerprint;
  readonly at: string;
  readonly measured: Measured;
  readonly points: readonly Point[];
}

/** A burst with less than this share of what the caller completes is held up. */
const HELD_UP = 0.8;
/** A simulation that is wrong by more than this factor says so. */
const FAR_OFF = 1.6;
const THROUGHPUT = "throughput (more is better)";

export function writeSimulation(folder: string, simulation: Simulation): void {
  const { points, measured } = simulation;
  const pictures: readonly (readonly [file: string, title: string, lines: readonly Line[]])[] = [
    [
      "burst",
      "Jobs that one caller submits at once",
      byLength(points, measured.bursts, ({ bursts }) => bursts),
    ],
    [
      "fork-join",
      "Jobs of one job that divides itself",
      byLength(points, measured.divisions, ({ divisions }) => divisions),
    ],
    ["ring", "Rings alone: one thread puts in, all others take out", rings(simulation)],
  ];
  for (const [file, title, lines] of pictures) {
    const chart = {
      title,
      xTitle: "threads",
      yTitle: THROUGHPUT,
      unit: "jobs/s",
      xLog: true,
      yLog: true,
      lines,
    } as const;
    writeFileSync(join(folder, `${file}.svg`), drawLines(chart));
  }
  writeFileSync(join(folder, "report.md"), `${text(simulation).join("\n\n")}\n`);
}

function text(simulation: Simulation): string[] {
  const { fingerprint, at, measured, points } = simulation;
  return [
    "# More threads than cores here: a simulation",
    `The pool's own queues, slots, inboxes and parking (\`packages/pool/src/shared\`, \`worker/rest.ts\`, \`worker/spinner.ts\`), ` +
      "run on a simulated machine with a core for each thread and one for the caller. Threads take turns at every atomic operation, in the order of their clocks. " +
      "An operation takes what it takes on this machine, more when its cache line is on another core, and waits for a line that is on its way to somebody else. " +
      "What the pool does between two operations is charged as time. The caller, as in the pool, is one thread.",
    `Measured and simulated ${at.slice(0, 16).replace("T", " ")} UTC, commit ${fingerprint.commit}${fingerprint.dirty ? " with local changes" : ""}, ` +
      `Node.js ${fingerprint.node}, ${fingerprint.cpu}, ${fingerprint.cores} cores. \`pnpm bench:simulate\`.`,
    "## What follows",
    ...conclusions(simulation),
    "## Does it say what is true?",
    "The same programs with as many cores as there are here, next to the pool itself. Nothing was fitted to these: costs were measured one by one, each side alone. " +
      "Two threads and the caller share two cores here, so the system's scheduler takes part, of which the simulation knows only turns of 3 ms; and it knows neither the collector nor the compiler, " +
      "which are much of what jobs without work cost. Trust the shape, and what one curve is next to another.",
    validation(points, measured),
    "## Bursts",
    "![](burst.svg)",
    "Dashed: the pool itself, on this machine's cores.",
    throughputs(points, ({ bursts }) => bursts),
    "How much of the threads' time goes to jobs:",
    efficiencies(points, ({ bursts }) => bursts),
    "The same throughput when those who only read a line are served one after the other as well, the other end of what hardware does:",
    throughputs(points, ({ queuedBursts }) => queuedBursts),
    "## Fork and join",
    "![](fork-join.svg)",
    throughputs(points, ({ divisions }) => divisions),
    "How much of the threads' time goes to jobs:",
    efficiencies(points, ({ divisions }) => divisions),
    "## Rings alone",
    "![](ring.svg)",
    `Each thread takes from a ring of its own first, then from the others. A thread that was not quick enough for an entry pauses, twice as long each time; "without the pauses" it tries again at once, which the pool does not. "Far": a line takes ${FAR_NS} ns, as between sockets.`,
    ringTable(points),
    "## Costs",
    costTable(measured),
  ];
}

function conclusions({ points, measured }: Simulation): string[] {
  const { makeNs, settleNs } = measured.jobs;
  const submitted = 1e9 / makeNs;
  const through = 1e9 / (makeNs + settleNs);
  const carries = (wanted: number, of: (point: Point) => number): string => {
    const first = points.findIndex((point) => of(point) < wanted);
    if (first === 0) return "with no number of threads";
    return `with up to ${threadsText(points.at(first === -1 ? -1 : first - 1)!.threads)}`;
  };
  const one = (point: Point): number => point.ring[0]!.perSecond;
  const last = points.at(-1)!;
  const most = threadsText(last.threads);
  const best = last.ring.toSorted((a, b) => b.perSecond - a.perSecond)[0]!;
  const peaks = JOB_US.map((jobUs) => {
    const peak = points.toSorted((a, b) => at(b.bursts, jobUs) - at(a.bursts, jobUs))[0]!;
    return `${lengthText(jobUs)}: ${quantity(at(peak.bursts, jobUs), "jobs/s")} with ${peak.threads}`;
  });
  return [
    [
      `- The caller submits ${quantity(submitted, "jobs/s")}. It completes ${quantity(through, "jobs/s")}, because it takes in each result too.`,
      `- How far one ring carries: alone, with all threads waiting for its next entry, it passes on as much as the caller completes ${carries(through, one)}, and as much as it submits ${carries(submitted, one)}. ` +
        `When its lines come from another socket, it passes on as much as the caller completes ${carries(through, ({ farRing }) => farRing)}; ${most} get ${quantity(last.farRing, "jobs/s")}.`,
      `- A burst of empty jobs gets at least ${percent(HELD_UP)} of what the caller completes ${carries(HELD_UP * through, ({ bursts }) => at(bursts, 0))}; ${most} get ${percent(at(last.bursts, 0) / through)}. ` +
        `When those who only read a line are served one by one as well, ${carries(HELD_UP * through, ({ queuedBursts }) => at(queuedBursts, 0))}; ${most} get ${percent(at(last.queuedBursts, 0) / through)}.`,
      "- What bounds it is traffic on the cache lines at its head. Every idle thread sees a new entry, tries to take it, and moves the counter on if that lags; all but one move a line for nothing. " +
        `So a thread that fails to take an entry pauses before it tries again: with ${most} the ring passes on ${quantity(one(last), "jobs/s")}, and ${quantity(last.hastyRing, "jobs/s")} without the pauses. ` +
        "When readers are served one by one, a mere look costs as much as a try.",
      `- More rings would carry more: ${best.rings} of them pass on ${quantity(best.perSecond, "jobs/s")} with ${most}, ${times(best.perSecond / one(last))} as much as one. That is ${times(best.perSecond / submitted)} what the caller submits.`,
      `- Most jobs a second of a burst, by their length: ${peaks.join("; ")} threads.`,
    ].join("\n"),
  ];
}

function byLength(
  points: readonly Point[],
  real: readonly RealRun[],
  of: (point: Point) => readonly Run[],
): Line[] {
  return JOB_US.flatMap((jobUs, i) => [
    line(
      lengthText(jobUs),
      ["skein", "piscina", "tinypool", "workerpool"][i]!,
      "skein",
      points.map((point) => [point.threads, [at(of(point), jobUs)]] as const),
    ),
    line(
      `${lengthText(jobUs)}, measured`,
      "reference",
      "reference",
      real.filter((run) => run.jobUs === jobUs).map((run) => [run.threads, run.perSecond] as const),
    ),
  ]);
}

function rings({ points, measured }: Simulation): Line[] {
  const counts = points[0]!.ring.map((entry) => entry.rings);
  const through = 1e9 / (measured.jobs.makeNs + measured.jobs.settleNs);
  return [
    ...counts.map((count, i) =>
      line(
        count === 1 ? "one ring" : `${count} rings`,
        ["skein", "piscina", "tinypool", "workerpool", "poolifier"][i]!,
        i === 0 ? "skein" : "peer",
        points.map((point) => [point.threads, [point.ring[i]!.perSecond]] as const),
      ),
    ),
    line(
      "one ring, without the pauses",
      "reference",
      "reference",
      points.map((point) => [point.threads, [point.hastyRing]] as const),
    ),
    line(
      "one ring, far",
      "comlink",
      "peer",
      points.map((point) => [point.threads, [point.farRing]] as const),
    ),
    line(
      "the caller, call to result",
      "reference",
      "reference",
      points.map((point) => [point.threads, [through]] as const),
    ),
  ];
}

function line(
  name: string,
  product: string,
  kind: string,
  marks: readonly (readonly [x: number, values: readonly number[]])[],
): Line {
  return {
    name,
    product,
    kind,
    marks: marks.map(([x, values]) => ({
      x,
      y: median(values),
      low: Math.min(...values),
      high: Math.max(...values),
    })),
  };
}

interface Check {
  readonly what: string;
  readonly measured: readonly number[];
  readonly simulated: number;
}

function checksOf(points: readonly Point[], { bursts, divisions }: Measured): Check[] {
  return points.flatMap(({ threads, here }) => {
    if (here === null) return [];
    const kinds = [
      ["burst", bursts, here.bursts],
      ["fork and join", divisions, here.divisions],
    ] as const;
    return kinds.flatMap(([kind, real, simulated]) =>
      JOB_US.map((jobUs) => ({
        what: `${kind}, ${lengthText(jobUs)}, ${threadsText(threads)}`,
        measured: real.find((run) => run.threads === threads && run.jobUs === jobUs)!.perSecond,
        simulated: at(simulated, jobUs),
      })),
    );
  });
}

function validation(points: readonly Point[], measured: Measured): string {
  const checks = checksOf(points, measured);
  const rows = checks.map(({ what, measured: values, simulated }) => [
    what,
    `${quantity(median(values), "jobs/s")} (${quantity(Math.min(...values), "jobs/s")} – ${quantity(Math.max(...values), "jobs/s")})`,
    quantity(simulated, "jobs/s"),
    times(simulated / median(values)),
  ]);
  const far = checks.filter(({ measured: values, simulated }) => {
    const ratio = simulated / median(values);
    return Math.max(ratio, 1 / ratio) > FAR_OFF;
  });
  const warning =
    far.length === 0
      ? ""
      : `\n\nFar off, and not to be relied on: ${far.map(({ what }) => what).join("; ")}.`;
  return table(["", "measured", "simulated", "ratio"], rows) + warning;
}

function throughputs(points: readonly Point[], of: (point: Point) => readonly Run[]): string {
  return table(
    ["threads", ...JOB_US.map(lengthText)],
    points.map((point) => [
      String(point.threads),
      ...JOB_US.map((jobUs) => quantity(at(of(point), jobUs), "jobs/s")),
    ]),
  );
}

function efficiencies(points: readonly Point[], of: (point: Point) => readonly Run[]): string {
  const lengths = JOB_US.filter((jobUs) => jobUs > 0);
  return table(
    ["threads", ...lengths.map(lengthText)],
    points.map((point) => [
      String(point.threads),
      ...lengths.map((jobUs) => percent((at(of(point), jobUs) * jobUs) / 1e6 / point.threads)),
    ]),
  );
}

function ringTable(points: readonly Point[]): string {
  const counts = points[0]!.ring.map((entry) => entry.rings);
  return table(
    [
      "threads",
      ...counts.map((count) => (count === 1 ? "one ring" : `${count} rings`)),
      "one ring, without the pauses",
      "one ring, far",
    ],
    points.map(({ threads, ring, farRing, hastyRing }) => [
      String(threads),
      ...ring.map(({ perSecond }) => quantity(perSecond, "jobs/s")),
      quantity(hastyRing, "jobs/s"),
      quantity(farRing, "jobs/s"),
    ]),
  );
}

function costTable({ costs, jobs, contendedNs }: Measured): string {
  const rows: readonly (readonly [string, number])[] = [
    ["load, of a line that is here", costs.loadNs],
    ["store", costs.storeNs],
    ["compare and swap", costs.casNs],
    ["a line from another core, in addition", costs.transferNs],
    ["two threads that add to one word, each addition", contendedNs],
    ["pause", costs.pauseNs],
    ["reading the clock", costs.clockNs],
    ["notify, nobody waits", costs.notifyNs],
    ["notify, somebody sleeps: for the one that wakes it", costs.wakeNs],
    ["from there until it runs", costs.wakeLatencyNs],
    ["a turn of the event loop", costs.turnNs],
    ["a message to an event loop that sleeps", costs.messageNs],
    ["from there until it arrives", costs.messageLatencyNs],
    ["the pool, submitting a job", jobs.makeNs],
    ["the pool, running a job that does nothing", jobs.runNs],
    ["the pool, from the result to who awaits it", jobs.settleNs],
    ["the pool, fork and join on one thread", jobs.forkNs],
  ];
  return table(
    ["on this machine", "median"],
    rows.map(([what, ns]) => [what, quantity(ns, "ns")]),
  );
}

function at(runs: readonly Run[], jobUs: number): number {
  return runs.find((run) => run.jobUs === jobUs)!.perSecond;
}

function lengthText(jobUs: number): string {
  return jobUs === 0 ? "empty jobs" : `jobs of ${jobUs} us`;
}

function threadsText(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}
