/** Work as people have it: a census of source files, hashing, JSON. */
import type { Contender, Metric, Scale, Scenario, Section } from "../method/scenario.ts";
import { hash, parse } from "../jobs/work.mjs";
import { comlink } from "../peers/comlink.ts";
import { piscina } from "../peers/piscina.ts";
import type { JobName, Product } from "../peers/product.ts";
import { skein } from "../peers/skein.ts";
import { tinypool } from "../peers/tinypool.ts";
import { workerPool } from "../peers/workerpool.ts";
import { coldCensusContenders, warmCensusContenders } from "./census.ts";
import { poolContender } from "./contender.ts";
import { bytesReason, textReason } from "./payloads.ts";
import { expectSame, windowedOver } from "./rounds.ts";

const WINDOW = 32;
const HASH_BYTES = 256 * 1024;
const JSON_ROWS = 1500;

export const realWork: Section = {
  name: "real-work",
  title: "Real work",
  question: "What does a second thread gain, and what does the pool add to it?",
  method:
    "Census: parses and measures source files of this repository's node_modules. Warm: a part of the files, pools and parsers warmed up, bytes a " +
    "second. Cold: the command line on all files, a process per round, no warm-up but the disk's; cores busy: CPU time of the whole process by time, so what one thread leaves free of two cores is all that a second can have. Hashing: SHA-256 of copied blocks. JSON: texts of some hundred " +
    "kilobytes, parsed and summed up in the job. Alone is the same function called on the main thread.",
  async scenarios(scale) {
    return [
      {
        name: "census",
        title: "Census, warm",
        metrics: [{ key: "mbPerSecond", title: "throughput", unit: "MB/s", better: "higher" }],
        warmUps: scale.pick(4, 1),
        contenders: await warmCensusContenders(scale),
      },
      ...scale.pick(
        [
          {
            name: "census-cold",
            title: "Census, the command line",
            metrics: [
              { key: "ms", title: "analysis", unit: "ms", better: "lower" } as const,
              { key: "delayMs", title: "event-loop delay p99", unit: "ms", better: "lower" } as const,
              { key: "busyCores", title: "cores busy", unit: "count", better: "neither" } as const,
            ],
            // All files have been read once: chooseFiles.
            warmUps: 0,
            regression: true,
            roundsAgainst: 1,
            timeoutMs: 180_000,
            contenders: coldCensusContenders(),
          },
        ],
        [],
      ),
      hashing(scale),
      json(scale),
    ];
  },
  figures: [
    {
      name: "census",
      question: "How many megabytes of source a second, parsed and measured?",
      of: "census",
      kind: "bars",
      metric: "mbPerSecond",
    },
  ],
  reasons: [
    {
      of: "census-cold",
      why: "every thread compiles and warms up the parser for itself, while one thread's compiler and collector already use the second core",
      change: "a longer run, or a compile cache that threads share",
    },
    {
      of: "hashing",
      ...bytesReason,
    },
    { of: "json", ...textReason },
  ],
};

const throughput: readonly Metric[] = [
  { key: "mbPerSecond", title: "throughput", unit: "MB/s", better: "higher" },
];

function hashing(scale: Scale): Scenario {
  const block = new Uint8Array(HASH_BYTES).fill(7);
  return workScenario("hashing", "SHA-256 of 256 KB blocks", "hash", block, HASH_BYTES, hash(block), scale);
}

function json(scale: Scale): Scenario {
  const rows = Array.from({ length: JSON_ROWS }, (_, id) => ({
    id,
    name: `customer ${id}`,
    amount: id % 97,
    tags: ["a", "b"],
  }));
  const text = JSON.stringify(rows);
  return workScenario(
    "json",
    "JSON.parse of texts of some hundred KB",
    "parse",
    text,
    text.length,
    parse(text),
    scale,
  );
}

const field: readonly { product: Product; threads: number }[] = [
  ...[2, 1].map((threads) => ({ product: skein, threads })),
  ...[2, 1].map((threads) => ({ product: piscina(), threads })),
  { product: piscina({ concurrentTasksPerWorker: 8 }), threads: 2 },
  { product: tinypool({ concurrentTasksPerWorker: 64 }), threads: 2 },
  { product: workerPool(), threads: 2 },
  { product: comlink, threads: 2 },
];

function workScenario(
  name: string,
  title: string,
  job: JobName,
  value: Uint8Array | string,
  bytes: number,
  result: unknown,
  scale: Scale,
): Scenario {
  const count = scale.pick(300, 50);
  const toMb = (perSecond: number): Record<string, number> => ({
    mbPerSecond: (perSecond * bytes) / 2 ** 20,
  });
  const alone: Contender = {
    name: "alone",
    kind: "reference",
    product: "alone",
    configuration: "called on the main thread",
    open: () =>
      Promise.resolve({
        round() {
          const work = job === "hash" ? () => hash(value as Uint8Array) : () => parse(value as string);
          const started = performance.now();
          for (let i = 0; i < count; i++) expectSame(work(), result);
          return Promise.resolve(toMb((count / (performance.now() - started)) * 1000));
        },
        close: () => Promise.resolve(),
      }),
  };
  const pools = field.map(({ product, threads }) =>
    poolContender(
      { ...product, name: `${product.name}, ${threads === 1 ? "1 thread" : `${threads} threads`}` },
      { threads, job, round: async (pool) => toMb(await windowedOver(pool, count, WINDOW, value, result)) },
    ),
  );
  return { name, title, metrics: throughput, regression: true, contenders: [...pools, alone] };
}
