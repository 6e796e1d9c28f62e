/** Bursts of a fresh process: what a program sees before anything is compiled, and after. */
import { runChild } from "../method/child.ts";
import type { Contender, Metric, Sample, Scale, Scenario, Section } from "../method/scenario.ts";
import { median } from "../method/statistics.ts";
import { comlink } from "../peers/comlink.ts";
import { piscina } from "../peers/piscina.ts";
import { rawPort } from "../peers/raw-port.ts";
import type { ContenderIdentity } from "./child-contender.ts";
import { bareSlots, best } from "./field.ts";

const COUNTS = [1000, 20_000, 100_000];
/** The first three have metrics of their own. */
const ORDINALS = ["first", "second", "third"] as const;
const WARM_UP = 20_000;
const LONG = 100_000;
/** No collection may fall into what is counted. */
const GARBAGE_FLAGS = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];

const rates: readonly Metric[] = [
  ...ORDINALS.map((ordinal): Metric => ({
    key: ordinal,
    title: `${ordinal} burst`,
    unit: "jobs/s",
    better: "higher",
  })),
  { key: "later", title: "later bursts", unit: "jobs/s", better: "higher" },
];
const warmMetrics: readonly Metric[] = [
  { key: "perSecond", title: "throughput", unit: "jobs/s", better: "higher" },
  { key: "cpuNs", title: "CPU of the caller's thread per job", unit: "ns", better: "lower" },
];
const garbage: readonly Metric[] = [
  { key: "garbageBytes", title: "garbage per job", unit: "bytes", better: "lower" },
  { key: "cpuNs", title: "CPU per job", unit: "ns", better: "lower" },
];

/** Of each product its best setting; in quick mode two. */
function field(scale: Scale): readonly ContenderIdentity[] {
  const all = best.filter(({ name }) => ![piscina().name, comlink.name, rawPort.name].includes(name));
  return scale.pick(
    all,
    all.filter(({ product }) => product === "skein" || product === "poolifier"),
  );
}

export const freshBursts: Section = {
  name: "fresh-bursts",
  title: "Bursts of a fresh process",
  question: "How fast is a pool in a program that has just begun?",
  method:
    "A process per round, contenders in turn, trivial jobs. One call is made and awaited before the first burst, so the thread is there: what that takes is in Cold start. " +
    "Then bursts, all calls of one made at once and awaited together; all cores are busy for 50 ms before each. Later bursts: the median of those from the fourth on. " +
    `After a warm-up: one burst of ${WARM_UP} jobs comes before. The bare slots are the pool's own slots, ring, inbox and parking, as many as a pool has, with numbers only: no ` +
    "task, no encoding. Garbage: what a job allocates on the caller's thread, in a process whose young generation holds all of it, the last result awaited only.",
  scenarios: (scale) => [
    ...scale.pick(COUNTS, COUNTS.slice(0, 2)).map((count) => freshScenario(scale, count)),
    ...scale.pick([1, 2], [1]).map((threads) => warmScenario(scale, threads)),
    garbageScenario(scale),
  ],
  groups: { "fresh-bursts": "Bursts of a fresh process", "warm-burst": `${LONG} jobs after ${WARM_UP}` },
  figures: [
    {
      name: "fresh-bursts",
      question: "How many jobs a second in the very first burst?",
      of: "fresh-bursts",
      kind: "lines",
      metric: "first",
      x: { title: "jobs in a burst", log: true },
      log: true,
    },
    {
      name: "later-bursts",
      question: "How many jobs a second from the fourth burst on?",
      of: "fresh-bursts",
      kind: "lines",
      metric: "later",
      x: { title: "jobs in a burst", log: true },
      log: true,
    },
  ],
  reasons: [
    {
      of: "fresh-bursts-1000",
      metric: "first",
      basis: "measured",
      evidence: "the second burst of the same process, in the tables below",
      why: "a job is more JavaScript than a message, on both threads, and in the first thousand calls it is not compiled yet",
      change: "less code on the way of a job",
    },
  ],
};

interface Bursts {
  readonly perSecond: readonly number[];
  readonly cpuUs: number;
}

function bursts(
  identity: ContenderIdentity,
  args: readonly number[],
  sampleOf: (bursts: Bursts) => Sample,
): Contender {
  return {
    ...pick(identity),
    open: () =>
      Promise.resolve({
        round: async () =>
          sampleOf(
            await runChild<Bursts>(new URL("../children/bursts.ts", import.meta.url), {
              args: [identity.name, ...args.map(String)],
            }),
          ),
        close: () => Promise.resolve(),
      }),
  };
}

/** Without what else a product has. */
function pick({ name, kind, product, configuration }: ContenderIdentity): ContenderIdentity {
  return { name, kind, product, configuration };
}

function freshScenario(scale: Scale, count: number): Scenario {
  const repeats = scale.pick(count > WARM_UP ? 4 : 7, 5);
  return {
    name: `fresh-bursts-${count}`,
    title: `Bursts of ${count} jobs in a fresh process, 1 thread`,
    group: "fresh-bursts",
    at: count,
    regression: true,
    warmUps: 0,
    metrics: rates,
    contenders: field(scale).map((product) =>
      bursts(product, [1, count, repeats], ({ perSecond }) => ({
        ...Object.fromEntries(ORDINALS.map((ordinal, i) => [ordinal, perSecond[i]!])),
        later: median(perSecond.slice(ORDINALS.length)),
      })),
    ),
  };
}

function warmScenario(scale: Scale, threads: number): Scenario {
  return {
    name: `warm-burst-${threads}`,
    title: `A burst of ${LONG} jobs after ${WARM_UP} of warm-up, ${threads === 1 ? "1 thread" : `${threads} threads`}`,
    group: "warm-burst",
    at: threads,
    regression: true,
    warmUps: 0,
    metrics: warmMetrics,
    contenders: [...field(scale), bareSlots].map((product) =>
      bursts(product, [threads, LONG, 1, WARM_UP], ({ perSecond, cpuUs }) => ({
        perSecond: perSecond[0]!,
        cpuNs: cpuUs * 1000,
      })),
    ),
  };
}

function garbageScenario(scale: Scale): Scenario {
  const count = scale.pick(LONG, WARM_UP);
  return {
    name: "caller-cost",
    title: "What a job costs on the caller's thread, nobody awaiting it, 1 thread",
    regression: true,
    warmUps: 0,
    metrics: garbage,
    contenders: field(scale).map((product) => garbageContender(product, count)),
  };
}

function garbageContender(identity: ContenderIdentity, count: number): Contender {
  return {
    ...pick(identity),
    open: () =>
      Promise.resolve({
        async round(): Promise<Sample> {
          const { garbageBytes, cpuUs } = await runChild<{ garbageBytes: number; cpuUs: number }>(
            new URL("../children/garbage.ts", import.meta.url),
            { args: [identity.name, String(count), String(WARM_UP)], flags: GARBAGE_FLAGS },
          );
          return { garbageBytes, cpuNs: cpuUs * 1000 };
        },
        close: () => Promise.resolve(),
      }),
  };
}
