/** What a pool weighs and what it does when there is nothing to do. */
import type { Metric, Scale, Scenario, Section } from "../method/scenario.ts";
import { comlink } from "../peers/comlink.ts";
import { piscina } from "../peers/piscina.ts";
import { skein, skeinAllThreads } from "../peers/skein.ts";
import { childContender } from "./child-contender.ts";
import { best } from "./field.ts";

const metrics: readonly Metric[] = [
  { key: "rssMb", title: "process memory", unit: "MB", better: "lower" },
  { key: "idleMsPerSecond", title: "CPU per idle second", unit: "ms", better: "lower" },
];

const THREADS = [1, 8];

export const memory: Section = {
  name: "memory",
  title: "Memory and idleness",
  question: "What does a thread weigh, and what does an idle pool cost?",
  method:
    "A process per round. All threads are there, also ours, and have worked; then nothing happens for a while, the main thread's garbage is collected, the memory of the process is " +
    "read, and its CPU time over one second without jobs. The slope of the line is what one more thread weighs; most of it is Node's own.",
  scenarios: (scale) => scale.pick(THREADS, [1]).map((threads) => memoryScenario(scale, threads)),
  groups: { memory: "An idle pool" },
  figures: [
    {
      name: "memory",
      question: "How much memory does the process take, by number of threads?",
      of: "memory",
      kind: "lines",
      metric: "rssMb",
      x: { title: "threads" },
    },
    {
      name: "idle",
      question: "How much CPU does an idle pool of eight threads use in a second?",
      of: "memory-8",
      kind: "bars",
      metric: "idleMsPerSecond",
    },
  ],
  reasons: [
    {
      metric: "rssMb",
      basis: "measured",
      evidence:
        "eight bare workers that import `packages/pool/dist/common.js` and nothing else, next to bare workers",
      why: "each thread loads our worker's modules, which are more code than a peer's, and importing them makes most of the difference: their text, what V8 compiled of them, and what it took to parse them; in many small files they take more. Memory that is laid out and not touched takes none",
      change: "less code on a thread that submits no jobs",
    },
    {
      of: "memory-1",
      metric: "idleMsPerSecond",
      basis: "measured",
      evidence:
        '`node --expose-gc bench/src/children/memory.ts "skein, all threads" 1` and `"raw port" 1`, several times, with `SETTLE_MS` as it is and at 1200',
      why: "half a second after the last job ends the timer that asks whether more threads are wanted (pool/src/host/thread-supply.ts), one turn of the main thread. After a second the pool takes what a bare worker takes. All contenders, the raw port too, take some milliseconds more in one round of several, by chance",
      change: "a longer rest before the second that is measured",
    },
  ],
};

function memoryScenario(scale: Scale, threads: number): Scenario {
  // What waits for messages only is seen in the raw port.
  const others = best.filter(
    ({ name }) => name !== skein.name && name !== piscina().name && name !== comlink.name,
  );
  const products = [skeinAllThreads, ...others];
  return {
    name: `memory-${threads}`,
    title: `An idle pool, ${threads === 1 ? "1 thread" : `${threads} threads`}`,
    group: "memory",
    at: threads,
    metrics,
    regression: true,
    warmUps: 0,
    contenders: scale.pick(products, products.slice(0, 2)).map((product) =>
      childContender(product, new URL("../children/memory.ts", import.meta.url), {
        args: [product.name, String(threads)],
        flags: ["--expose-gc"],
      }),
    ),
  };
}
