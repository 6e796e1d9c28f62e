/** Long queues: does a job cost more behind many others, and what does it weigh while it waits? */
import { totalmem } from "node:os";
import type { Metric, Scale, Scenario, Section } from "../method/scenario.ts";
import type { Product } from "../peers/product.ts";
import { rawPort } from "../peers/raw-port.ts";
import { childContender } from "./child-contender.ts";
import { best, productNamed } from "./field.ts";

const metrics: readonly Metric[] = [
  { key: "totalMs", title: "submitted and done", unit: "ms", better: "lower" },
  { key: "submitMs", title: "of that, submitted", unit: "ms", better: "lower" },
  { key: "heapBytes", title: "heap per queued job", unit: "bytes", better: "lower" },
  { key: "rssBytes", title: "process memory per queued job", unit: "bytes", better: "lower" },
];

const COUNTS = [1000, 10_000, 100_000, 1_000_000, 10_000_000];
/** Only ours: the others would take minutes. */
const ALONE = 10_000_000;
/** What the caller holds, and what waiting for all of them makes, is a kilobyte a job. */
const HEAP_MB = 4096;
const ALONE_HEAP_MB = 14_336;
/** A million takes everybody else half a minute and more, each round. */
const LONGEST: readonly string[] = ["skein", "piscina, 64 in flight", rawPort.name];
const LONG: readonly string[] = [...LONGEST, "tinypool, 64 in flight", "comlink"];

export const queued: Section = {
  name: "queued",
  title: "Long queues",
  question: "What do a thousand and ten million queued jobs cost, in time and memory?",
  method:
    "A process per round, one thread, held by a job that waits while the others are queued behind it. Memory is what is there after a " +
    "collection with all queued, less what was there before, per job: the promises that the caller holds are part of it. Heap counts the " +
    "main thread's JavaScript; messages that have been sent wait outside of it, and are seen in the process's memory. The longest queues are " +
    "left to who can be waited for; ten million to us, where the machine has the memory.",
  scenarios: (scale) =>
    scale
      .pick(COUNTS, [10_000])
      .filter((count) => count < ALONE || totalmem() > 1.3 * ALONE_HEAP_MB * 2 ** 20)
      .map((count) => queuedScenario(scale, count)),
  groups: { queued: "Queued behind a held thread" },
  figures: [
    {
      name: "queued-time",
      question: "How long until all queued jobs are done?",
      of: "queued",
      kind: "lines",
      metric: "totalMs",
      x: { title: "queued jobs", log: true },
      log: true,
    },
    {
      name: "queued-memory",
      question: "What does a queued job weigh in the process?",
      of: "queued",
      kind: "lines",
      metric: "rssBytes",
      x: { title: "queued jobs", log: true },
      log: true,
    },
  ],
  reasons: [
    {
      of: "queued-1000",
      metric: "submitMs",
      basis: "measured",
      evidence:
        "`node --expose-gc bench/src/children/queued.ts skein 1000 5000`, whose last number is the calls that went before",
      why: "a submission is more JavaScript than a message, and is not yet compiled after few calls: after thousands of them most of the difference is gone, and with longer queues as well",
      change: "less code on that path",
    },
    {
      metric: "heapBytes",
      basis: "code",
      why: "a queued job is a task and what settles it on our heap, and its arguments when there is no free slot; ports keep messages outside the heap, where this column does not see them",
      change: "fewer objects per job",
    },
    {
      of: "queued-1000",
      metric: "rssBytes",
      basis: "measured",
      evidence:
        "`node --expose-gc --no-opt --no-maglev bench/src/children/queued.ts skein 1000 200`, and the same without the two flags after 5000 calls",
      why: "it is not the jobs: V8's optimizing compilers have their turn at the path of a submission during these thousand calls, and what they take is counted with the jobs; with them switched off, or after enough calls, a queued job weighs a sixth",
      change: "less code on that path",
    },
    {
      metric: "rssBytes",
      basis: "code",
      why: "arenas do not shrink, and slots are touched as they are used and stay",
      change: "smaller slots for jobs with small arguments",
    },
  ],
};

function queuedScenario(scale: Scale, count: number): Scenario {
  return {
    name: `queued-${count}`,
    title: `${count} queued jobs, 1 thread`,
    group: "queued",
    at: count,
    metrics,
    regression: count <= 1_000_000,
    ...(count < 1_000_000 ? {} : { roundsAgainst: 1 }),
    warmUps: 0,
    timeoutMs: 120_000,
    contenders: field(scale, count).map((product) =>
      childContender(product, new URL("../children/queued.ts", import.meta.url), {
        args: [product.name, String(count)],
        flags: ["--expose-gc", `--max-old-space-size=${count < ALONE ? HEAP_MB : ALONE_HEAP_MB}`],
        timeoutMs: 110_000,
      }),
    ),
  };
}

function field({ mode }: Scale, count: number): readonly Product[] {
  if (count >= ALONE) return [productNamed("skein")];
  if (mode === "quick" || count >= 1_000_000) return LONGEST.map(productNamed);
  return count >= 100_000 ? LONG.map(productNamed) : best;
}
