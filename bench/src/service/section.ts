/** The service people run: an HTTP server in which some requests need the CPU. */
import type { Contender, Metric, Scale, Scenario, Section } from "../method/scenario.ts";
import { HEAVY_ONE_IN } from "./arrivals.ts";
import { Trial } from "./trial.ts";
import {
  noPool,
  piscinaDefault,
  piscinaNiced,
  piscinaTuned,
  skeinNiced,
  skeinVariants,
  TRIED,
  type Variant,
} from "./variants.ts";
import { calibrate, type Workload } from "./workload.ts";

/** What a heavy request takes. */
const HEAVY_CPU_MS = 20;
/** Keeps one core busy for two fifths of the time with heavy work: a server without a pool suffers and is not full. */
const RATE_PER_SECOND = 400;
const CONNECTIONS = 64;
const SATURATING_CONNECTIONS = 32;

const checks: readonly Metric[] = [
  { key: "checkedReplies", title: "replies checked", unit: "count", better: "neither" },
  { key: "mismatches", title: "wrong ids", unit: "count", better: "neither" },
];

const delays: readonly Metric[] = [
  { key: "delayP50Ms", title: "event-loop delay p50", unit: "ms", better: "neither" },
  { key: "delayP99Ms", title: "event-loop delay p99", unit: "ms", better: "lower" },
];

export const service: Section = {
  name: "service",
  title: "A service under load",
  question: `What do the users of an HTTP server notice when one request in ${HEAVY_ONE_IN} needs ${HEAVY_CPU_MS} ms of CPU?`,
  method:
    "A Fastify server in its own process, load over loopback from a second one; every variant has its own server, all take turns. A heavy " +
    "request runs the same loop over a small block of memory everywhere, calibrated in CPU time at the start; the others are answered at once with " +
    "a little JSON. " +
    "Constant rate: requests are due at times that a seed decides, at random with a constant mean, the same times for every variant in the same " +
    "round. They are sent when they are due, over a bounded number of connections, and their time counts from then, whether a connection was " +
    "free or not: nobody waits for a reply before the next request, so a server that stands still is charged for all who come meanwhile " +
    "(no coordinated omission). Percentiles are those of a round; a round has few heavy requests, so their p99 is the slowest or next to it. " +
    "Full load: autocannon sends a fixed number of requests over a fixed number of connections, each of which asks again when it is answered. " +
    "That tells how much the server can do. Its latencies would be those of the queue that the connections make, so they are not shown. " +
    "Event-loop delay: monitorEventLoopDelay in the server, with a timer of a millisecond, which is taken off. " +
    "Correlation ids: each request brings one, each reply has to bring it back, and a round with a single wrong one fails. With Skein, " +
    "`correlation()` of `@skein/context/http` sets it in a hook, handlers and jobs read it from the AsyncLocal, and the price of that is in the " +
    "numbers. Piscina has no such way: the server takes it from the header and passes it to each job as one more argument; without a pool the " +
    "handler does the same. " +
    "The load runs on the same machine, at a raised priority where the system allows that; nothing is pinned, because to pin the load to a core " +
    "of two would give the server the other one only, whatever it can do with both. `sent late` says by how much requests missed their time. " +
    TRIED,
  scenarios(scale) {
    const workload = calibrate(HEAVY_CPU_MS);
    return [constantRateScenario(scale, workload), saturationScenario(scale, workload)];
  },
  figures: [
    {
      name: "service-light",
      question: "How long do light requests wait for the slowest of the heavy ones?",
      of: "constant-rate",
      kind: "bars",
      metric: "lightP99Ms",
      log: true,
    },
    {
      name: "service-heavy",
      question: "How long does a heavy request take, at the worst?",
      of: "constant-rate",
      kind: "bars",
      metric: "heavyP99Ms",
      log: true,
    },
    {
      name: "service-full",
      question: "How many requests a second can the server answer?",
      of: "full-load",
      kind: "bars",
      metric: "requestsPerSecond",
    },
  ],
  reasons: [
    {
      product: piscinaNiced.name,
      metric: "delayP99Ms",
      basis: "measured",
      evidence: `the row \`${skeinNiced.name}\``,
      why: "its threads run at a lower priority, so that the system prefers the one with the event loop",
      change: "the same for ours, a line in the module for `initialize`",
    },
    {
      of: "constant-rate",
      metric: "cpuPerRequestMs",
      basis: "code",
      why: "each request enters a context with its id (context/src/http), and a heavy one is encoded, carried and settled; the others take the id from the header, and without a pool nothing is carried",
      change: "`flowContext: false`, and passing the id by hand",
    },
    {
      of: "constant-rate",
      metric: "heavyP50Ms",
      product: "Node.js",
      basis: "code",
      why: "a heavy request shares the cores with the event loop, which goes on meanwhile; without a pool nothing else runs as long as it takes",
      change: "nothing: that the others go on is what the pool is for",
    },
  ],
};

function constantRateScenario(scale: Scale, workload: Workload): Scenario {
  const plan = { ratePerSecond: RATE_PER_SECOND, seconds: scale.pick(2, 0.5), connections: CONNECTIONS };
  return {
    name: "constant-rate",
    title: `${RATE_PER_SECOND} requests a second for ${plan.seconds} s a round, up to ${CONNECTIONS} connections`,
    metrics: [
      { key: "lightP50Ms", title: "light p50", unit: "ms", better: "lower" },
      { key: "lightP99Ms", title: "light p99", unit: "ms", better: "lower" },
      { key: "heavyP50Ms", title: "heavy p50", unit: "ms", better: "lower" },
      { key: "heavyP99Ms", title: "heavy p99", unit: "ms", better: "lower" },
      ...delays,
      { key: "cpuPerRequestMs", title: "server CPU per request", unit: "ms", better: "lower" },
      { key: "latenessP99Ms", title: "sent late p99", unit: "ms", better: "neither" },
      ...checks,
    ],
    contenders: contenders(scale, workload, (trial, round) => trial.constantRate({ ...plan, seed: round })),
  };
}

function saturationScenario(scale: Scale, workload: Workload): Scenario {
  const plan = { requests: scale.pick(800, 160), connections: SATURATING_CONNECTIONS };
  return {
    name: "full-load",
    title: `Full load: ${plan.requests} requests a round over ${SATURATING_CONNECTIONS} connections`,
    metrics: [
      { key: "requestsPerSecond", title: "throughput", unit: "requests/s", better: "higher" },
      ...delays,
      ...checks,
    ],
    contenders: contenders(scale, workload, (trial) => trial.saturation(plan)),
  };
}

type Round = (trial: Trial, round: number) => Promise<Record<string, number>>;

function contenders(scale: Scale, workload: Workload, round: Round): Contender[] {
  const contender = (variant: Variant, kind: Contender["kind"], product: string): Contender => ({
    name: variant.name,
    kind,
    product,
    configuration: variant.configuration,
    async open() {
      const trial = await Trial.start(variant, workload);
      let rounds = 0;
      return { round: () => round(trial, rounds++), close: () => trial.close() };
    },
  });
  return [
    ...skeinVariants.map((variant) => contender(variant, "skein", "skein")),
    contender(noPool, "native", "Node.js"),
    contender(piscinaDefault, "peer", "piscina"),
    contender(piscinaTuned, "peer", "piscina"),
    ...scale.pick([contender(skeinNiced, "skein", "skein"), contender(piscinaNiced, "peer", "piscina")], []),
  ];
}
