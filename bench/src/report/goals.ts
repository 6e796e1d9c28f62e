/** The goals that were set for the pool before it was built, and where it stands. */
import { ratioOfMedians, type Ratio } from "../method/ratio.ts";
import type { RawContender, RawScenario, RawSection } from "../method/raw-file.ts";
import type { Metric, Unit } from "../method/scenario.ts";
import { median } from "../method/statistics.ts";
import { bestOfEach, subjectOf } from "./judge.ts";
import { quantity, times } from "./quantities.ts";
import { table } from "./tables.ts";

interface Goal {
  readonly what: string;
  readonly section: string;
  /** null: was not measured. */
  readonly measure: (section: RawSection) => Measured | null;
  readonly limit: number;
  readonly bound: "at least" | "at most";
}

interface Measured extends Ratio {
  readonly unit: Unit | "ratio";
  /** With whom it was compared. */
  readonly against?: string;
}

export function goalTable(sections: readonly RawSection[]): string {
  const rows = goals.flatMap((goal) => {
    const section = sections.find((candidate) => candidate.section === goal.section);
    const measured = section === undefined ? null : goal.measure(section);
    return measured === null ? [] : [rowOf(goal, measured)];
  });
  return rows.length === 0 ? "" : table(["", "goal", "measured (95 %)", "met"], rows);
}

function rowOf({ what, limit, bound }: Goal, measured: Measured): string[] {
  const text = (value: number): string =>
    measured.unit === "ratio" ? times(value) : quantity(value, measured.unit);
  const { value, low, high, against } = measured;
  const met = (at: number): boolean => (bound === "at least" ? at >= limit : at <= limit);
  const certain = met(low) === met(high);
  return [
    what + (against === undefined ? "" : `, next to ${against}`),
    `${bound} ${text(limit)}`,
    `${text(value)} (${text(low)} – ${text(high)})`,
    `${met(value) ? "yes" : "**no**"}${certain ? "" : ", within the noise"}`,
  ];
}

/** How many times better we are than the best configuration of any peer, or of one that is named. */
function next(scenario: string, key: string, peer?: string): Goal["measure"] {
  return (section) => {
    const found = scenarioOf(section, scenario);
    const metric = found?.metrics.find((candidate) => candidate.key === key);
    if (found === undefined || metric === undefined) return null;
    const ours = subjectOf(found);
    const theirs =
      peer === undefined ? bestPeer(found, metric) : found.contenders.find(({ name }) => name === peer);
    return ours === undefined || theirs === undefined
      ? null
      : ratio(ours, theirs, key, metric.better, theirs.name);
  };
}

/** The same between two of ours. */
function between(scenario: string, key: string, one: string, other: string): Goal["measure"] {
  return (section) => {
    const found = scenarioOf(section, scenario);
    const metric = found?.metrics.find((candidate) => candidate.key === key);
    const [a, b] = [one, other].map((name) => found?.contenders.find((contender) => contender.name === name));
    return metric === undefined || a === undefined || b === undefined
      ? null
      : ratio(a, b, key, metric.better);
  };
}

function absolute(scenario: string, key: string): Goal["measure"] {
  return (section) => {
    const found = scenarioOf(section, scenario);
    const metric = found?.metrics.find((candidate) => candidate.key === key);
    const samples = found === undefined ? undefined : subjectOf(found)?.samples[key];
    if (metric === undefined || samples === undefined || samples.length === 0) return null;
    return {
      ...ratioOfMedians(
        samples,
        samples.map(() => 1),
      ),
      unit: metric.unit,
    };
  };
}

function ratio(
  a: RawContender,
  b: RawContender,
  key: string,
  better: Metric["better"],
  against?: string,
): Measured | null {
  const [mine, theirs] = [a.samples[key] ?? [], b.samples[key] ?? []];
  if (mine.length === 0 || theirs.length === 0) return null;
  const found = better === "lower" ? ratioOfMedians(theirs, mine) : ratioOfMedians(mine, theirs);
  return { ...found, unit: "ratio", ...(against === undefined ? {} : { against }) };
}

function bestPeer(scenario: RawScenario, metric: Metric): RawContender | undefined {
  const peers = bestOfEach(scenario, metric).filter(({ kind }) => kind === "peer");
  const value = (contender: RawContender): number =>
    median(contender.samples[metric.key]!) * (metric.better === "lower" ? -1 : 1);
  return peers.toSorted((a, b) => value(b) - value(a))[0];
}

function scenarioOf(section: RawSection, name: string): RawScenario | undefined {
  return section.scenarios.find((scenario) => scenario.name === name);
}

/** How much longer a queue ten times as long takes. */
const tenfold: Goal["measure"] = (section) => {
  const [long, short] = [1_000_000, 100_000].map((count) => {
    const scenario = scenarioOf(section, `queued-${count}`);
    return scenario === undefined ? [] : (subjectOf(scenario)?.samples["totalMs"] ?? []);
  });
  if (long!.length === 0 || short!.length === 0) return null;
  return { ...ratioOfMedians(long!, short!), unit: "ratio" };
};

type Limit = Pick<Goal, "limit" | "bound">;
const atLeast = (limit: number): Limit => ({ limit, bound: "at least" });
const atMost = (limit: number): Limit => ({ limit, bound: "at most" });

function goal(what: string, section: string, measure: Goal["measure"], { limit, bound }: Limit): Goal {
  return { what, section, measure, limit, bound };
}

function threadsText(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}

const payloadGoals = [
  ["1 KB object", "payload-object-1024", 2],
  ["64 KB bytes copied", "payload-bytes-65536", 1],
  ["1 MB transferred", "payload-transfer-1048576", 0.9],
] as const;

const speedupGoals = [
  ["Census, warm", "real-work", "census", "mbPerSecond"],
  ["Census, the command line", "real-work", "census-cold", "ms"],
  ["fork/join merge sort", "fork-join", "sort", "ms"],
  ["fork/join n queens", "fork-join", "queens", "ms"],
] as const;

const goals: readonly Goal[] = [
  ...[1, 2].flatMap((threads) => {
    const what = `burst of trivial jobs, ${threadsText(threads)}`;
    const at = `burst-${threads}`;
    return [
      goal(what, "pool-throughput", next(at, "perSecond"), atLeast(5)),
      goal(what, "pool-throughput", next(at, "perSecond", "piscina, default"), atLeast(20)),
    ];
  }),
  goal(
    "sequential round trip p50, times shorter",
    "pool-throughput",
    next("round-trip-1", "p50Us"),
    atLeast(1 / 0.6),
  ),
  ...payloadGoals.flatMap(([what, scenario, limit]) => [
    goal(`${what}, throughput`, "payloads", next(scenario, "perSecond"), atLeast(limit)),
    goal(`${what}, round trip`, "payloads", next(scenario, "tripUs"), atLeast(limit)),
  ]),
  ...[0, 1, 2].map((args) =>
    goal(
      `fork + join, not stolen, ${args === 1 ? "1 number" : `${args} numbers`}`,
      "fork-join",
      absolute("fork-cost", `args${args}`),
      atMost(300),
    ),
  ),
  goal("jobs done while the main thread computes", "blocked-main", absolute("blocked", "share"), atLeast(95)),
  goal(
    "jobs done while the main thread is inside of a call that waits",
    "blocked-main",
    absolute("blocked", "waitingShare"),
    atLeast(95),
  ),
  goal(
    "throughput with one context flowing, next to none",
    "context",
    between("context", "perSecond", "skein, one context", "skein, no context"),
    atLeast(0.9),
  ),
  goal("1 000 000 queued jobs, time next to 100 000", "queued", tenfold, atMost(12)),
  goal("1 000 000 queued jobs, heap each", "queued", absolute("queued-1000000", "heapBytes"), atMost(400)),
  ...[1, 2, 8].map((threads) =>
    goal(
      `CPU in an idle second, ${threadsText(threads)}`,
      "memory",
      absolute(`memory-${threads}`, "idleMsPerSecond"),
      atMost(10),
    ),
  ),
  ...speedupGoals.map(([what, section, scenario, key]) =>
    goal(
      `${what}, 2 threads next to 1`,
      section,
      between(scenario, key, "skein, 2 threads", "skein, 1 thread"),
      atLeast(1.7),
    ),
  ),
];
