/** What it costs that the ambient context goes along, and what it costs to do it by hand. */
import { AsyncLocal } from "@skein/context";
import { piscina } from "../peers/piscina.ts";
import type { JobPool, Product } from "../peers/product.ts";
import { skein, skeinNoFlow } from "../peers/skein.ts";
import type { Contender, Metric, Scale, Section } from "../method/scenario.ts";
import { poolContender } from "./contender.ts";
import { burst, roundTrips } from "./rounds.ts";

const requestId = new AsyncLocal<string>({ name: "bench.request", flow: "thread" });
const tenant = new AsyncLocal<{ id: number; plan: string }>({ name: "bench.tenant", flow: "thread" });

const large = Array.from(
  { length: 5 },
  (_, i) => new AsyncLocal<string>({ name: `bench.large${i}`, flow: "thread" }),
);
const LARGE_BYTES = 1024;
/** The contexts of a burst wait in memory together. */
const LARGE_DIVISOR = 5;

const REQUEST = "7f3b4a52-1d1e-4c55-9f1f-0d9a1f3f5d11";
const TENANT = { id: 7, plan: "pro" };

const metrics: readonly Metric[] = [
  { key: "perSecond", title: "burst", unit: "jobs/s", better: "higher" },
  { key: "p50Us", title: "round trip p50", unit: "us", better: "lower" },
];

export const context: Section = {
  name: "context",
  title: "The ambient context",
  question: "What does it cost that correlation id and tenant are there inside the job?",
  method:
    "One thread, trivial jobs, two values: an id and a small object. One context: all calls are made in one, as those of a request are. " +
    "10 bytes per call: every call has another id, of ten bytes, and nothing else; 5 x 1 KB per call: " +
    "five values of a kilobyte each, others in every call. By hand: a peer has no way for it, so the caller puts both values into each message, " +
    "and the job enters them into an AsyncLocalStorage before it starts.",
  scenarios: (scale) => [
    {
      name: "context",
      title: "Bursts and round trips with and without context, 1 thread",
      metrics,
      regression: true,
      contenders: contenders(scale),
    },
  ],
  figures: [
    {
      name: "context",
      question: "How many jobs a second, with and without context?",
      of: "context",
      kind: "bars",
      metric: "perSecond",
    },
  ],
  reasons: [],
};

type Around = (run: () => Promise<Record<string, number>>) => Promise<Record<string, number>>;

const inOneContext: Around = (run) => requestId.run(REQUEST, () => tenant.run(TENANT, run));

function contenders(scale: Scale): Contender[] {
  const jobs = scale.pick(50_000, 10_000);
  const measure = async (pool: JobPool, count = jobs): Promise<Record<string, number>> => ({
    perSecond: await burst(pool, count),
    p50Us: (await roundTrips(pool)).p50Us,
  });
  const named = (
    product: Product,
    name: string,
    around: Around,
    wrap: (pool: JobPool) => JobPool = (pool) => pool,
    count = jobs,
  ): Contender =>
    poolContender(
      { ...product, name },
      { threads: 1, job: "echo", round: (pool) => around(() => measure(wrap(pool), count)) },
    );
  return [
    named(skein, "skein, one context", inOneContext),
    named(skein, "skein, no context", (run) => run()),
    named(skeinNoFlow, "skein, flowContext off", inOneContext),
    named(skein, "skein, 10 bytes per call", (run) => run(), smallContextPerCall),
    named(skein, "skein, 5 x 1 KB per call", (run) => run(), largeContextPerCall, jobs / LARGE_DIVISOR),
    poolContender(
      { ...piscina({ concurrentTasksPerWorker: 64 }), name: "piscina, 64 in flight, by hand" },
      { threads: 1, job: "echoInContext", round: (pool) => measure(withValues(pool)) },
    ),
    named(piscina({ concurrentTasksPerWorker: 64 }), "piscina, 64 in flight, no context", (run) => run()),
  ];
}

function smallContextPerCall(pool: JobPool): JobPool {
  let calls = 0;
  return { ...pool, run: (value) => requestId.run(numbered(calls++, 10), () => pool.run(value)) };
}

function largeContextPerCall(pool: JobPool): JobPool {
  let calls = 0;
  return {
    ...pool,
    run(value) {
      const id = calls++;
      const call = large.reduceRight<() => PromiseLike<unknown>>(
        (inner, local, i) => () => local.run(numbered(5 * id + i, LARGE_BYTES), inner),
        () => pool.run(value),
      );
      return call();
    },
  };
}

/** Another text for each number, so long. */
function numbered(number: number, bytes: number): string {
  return String(number).padStart(10, "0").padEnd(bytes, "x");
}

function withValues(pool: JobPool): JobPool {
  return { ...pool, run: (value) => pool.run({ requestId: REQUEST, tenant: TENANT, value }) };
}
