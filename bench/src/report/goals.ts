/** The goals that were set for the pool, for tasks and for the context. */
import { absolute, between, type Goal, growth, next } from "./goal-table.ts";

type Limit = Pick<Goal, "limit" | "bound">;
const atLeast = (limit: number): Limit => ({ limit, bound: "at least" });
const atMost = (limit: number): Limit => ({ limit, bound: "at most" });

function goal(what: string, section: string, measure: Goal["measure"], { limit, bound }: Limit): Goal {
  return { what, section, measure, limit, bound };
}

function threadsText(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}

const KB = 1024;
const MB = KB * KB;

/** Throughput and round trip of each size, next to the best of anybody. */
const payloadGoals: readonly (readonly [what: string, kind: string, bytes: number, limit: number])[] = [
  ["1 KB object", "object", KB, 2],
  ...[8, KB, 64 * KB, MB, 64 * MB].flatMap((bytes) => [
    [`${sizeText(bytes)} of bytes copied`, "bytes", bytes, bytes === 64 * KB ? 1.3 : 1] as const,
    [`${sizeText(bytes)} moved`, "transfer", bytes, 0.9] as const,
  ]),
  ...[MB, 64 * MB].map((bytes) => [`${sizeText(bytes)} of text`, "string", bytes, 1] as const),
];

/** Of a fresh process: jobs in a burst, then the goals of the first and of later ones. */
const burstGoals = [
  [1000, 1.5, 5],
  [20_000, 4, 8],
] as const;

const QUEUES = [1000, 10_000, 100_000, 1_000_000, 10_000_000];

const speedupGoals = [
  ["Census, warm", "real-work", "census", "mbPerSecond", 1.7],
  ["Census, the command line", "real-work", "census-cold", "ms", 1.5],
  ["fork/join merge sort", "fork-join", "sort", "ms", 1.7],
  ["fork/join n queens", "fork-join", "queens", "ms", 1.7],
] as const;

/** Next to what the platform has: times less time. */
const primitiveGoals = [
  [
    "read a ValueTask that is kept, next to await of an async function",
    "completed",
    "ValueTask, kept",
    "async function",
    8,
  ],
  [
    "await a fresh ValueTask in a generator method, next to the same",
    "completed",
    "generator method",
    "async function",
    2.5,
  ],
  [
    "pending operations on one reused source, next to a promise each",
    "pending",
    "reused source",
    "promise each",
    1.5,
  ],
  [
    "complete a task with an inline awaiter, next to resolve and then",
    "settling",
    "awaiter, inline",
    "promise, then",
    2,
  ],
  ["unsafeRegister, unregister, next to AbortSignal", "registering", "unsafeRegister", "AbortSignal", 5],
  ["register, unregister, next to AbortSignal", "registering", "register", "AbortSignal", 5],
  [
    "token, registration, cancel, next to AbortController",
    "cancelling",
    "CancellationTokenSource",
    "AbortController",
    5,
  ],
] as const;

function sizeText(bytes: number): string {
  if (bytes >= MB) return `${bytes / MB} MB`;
  return bytes >= KB ? `${bytes / KB} KB` : `${bytes} B`;
}

export const goals: readonly Goal[] = [
  ...burstGoals.flatMap(([count, first, later]) => [
    goal(
      `the first burst of ${count} jobs in a process`,
      "fresh-bursts",
      next(`fresh-bursts-${count}`, "first"),
      atLeast(first),
    ),
    goal(`its later bursts`, "fresh-bursts", next(`fresh-bursts-${count}`, "later"), atLeast(later)),
  ]),
  ...[1, 2].flatMap((threads) => {
    const what = `a burst of 100 000 jobs after 20 000, ${threadsText(threads)}`;
    const at = `warm-burst-${threads}`;
    return [
      goal(what, "fresh-bursts", next(at, "perSecond"), atLeast(8)),
      goal(what, "fresh-bursts", next(at, "perSecond", "bare slots"), atLeast(0.5)),
      goal(
        `burst of trivial jobs, ${threadsText(threads)}`,
        "pool-throughput",
        next(`burst-${threads}`, "perSecond", "piscina, default"),
        atLeast(20),
      ),
    ];
  }),
  ...[1, 2].map((count) =>
    goal(
      `burst of trivial jobs, ${count === 1 ? "1 process" : `${count} processes`}`,
      "processes",
      next(`process-burst-${count}`, "perSecond"),
      atLeast(1.5),
    ),
  ),
  ...[1, 2].flatMap((threads) => {
    const at = `class-burst-${threads}`;
    const what = `bursts of the class Piscina, ${threadsText(threads)}`;
    return [
      goal(what, "piscina-class", next(at, "perSecond", "piscina, default"), atLeast(5)),
      goal(what, "piscina-class", next(at, "perSecond"), atLeast(1.5)),
    ];
  }),
  goal("CPU of the caller's thread per job", "fresh-bursts", absolute("caller-cost", "cpuNs"), atMost(800)),
  goal("garbage per job", "fresh-bursts", absolute("caller-cost", "garbageBytes"), atMost(120)),
  goal(
    "sequential round trip p50, times shorter",
    "pool-throughput",
    next("round-trip-1", "p50Us"),
    atLeast(1 / 0.15),
  ),
  goal(
    "a call after 5 ms without any, p50, times shorter",
    "pool-throughput",
    next("after-a-pause", "p50Us"),
    atLeast(1),
  ),
  goal(
    "start of a process to its first result, times shorter",
    "cold-start",
    next("cold-start", "processMs", "piscina"),
    atLeast(1),
  ),
  ...payloadGoals.flatMap(([what, kind, bytes, limit]) => {
    const scenario = `payload-${kind}-${bytes}`;
    return [
      goal(`${what}, throughput`, "payloads", next(scenario, "perSecond"), atLeast(limit)),
      goal(`${what}, round trip`, "payloads", next(scenario, "tripUs"), atLeast(limit)),
    ];
  }),
  ...[0, 1, 2].map((args) =>
    goal(
      `fork + join, not stolen, ${args === 1 ? "1 number" : `${args} numbers`}`,
      "fork-join",
      absolute("fork-cost", `args${args}`),
      atMost(150),
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
  goal(
    "time of a job with a new context of 10 bytes, next to none",
    "context",
    between("context", "perSecond", "skein, no context", "skein, 10 bytes per call"),
    atMost(1.3),
  ),
  goal(
    "time of a job with a new context of 5 x 1 KB, next to none",
    "context",
    between("context", "perSecond", "skein, no context", "skein, 5 x 1 KB per call"),
    atMost(2),
  ),
  ...[1_000_000, 10_000_000].map((count) =>
    goal(`${count} queued jobs, time each, next to 100 000`, "queued", growth(count, 100_000), atMost(1.2)),
  ),
  ...QUEUES.map((count) =>
    goal(`${count} queued jobs, heap each`, "queued", absolute(`queued-${count}`, "heapBytes"), atMost(200)),
  ),
  goal("memory of eight idle threads, times less", "memory", next("memory-8", "rssMb"), atLeast(1)),
  goal(
    "CPU of eight idle threads in a second, times less",
    "memory",
    next("memory-8", "idleMsPerSecond"),
    atLeast(1),
  ),
  ...[1, 8].map((threads) =>
    goal(
      `CPU in an idle second, ${threadsText(threads)}`,
      "memory",
      absolute(`memory-${threads}`, "idleMsPerSecond"),
      atMost(10),
    ),
  ),
  ...speedupGoals.map(([what, section, scenario, key, limit]) =>
    goal(
      `${what}, 2 threads next to 1`,
      section,
      between(scenario, key, "skein, 2 threads", "skein, 1 thread"),
      atLeast(limit),
    ),
  ),
  ...primitiveGoals.map(([what, scenario, ours, theirs, limit]) =>
    goal(`${what}, times faster`, "scheduling", between(scenario, "ns", ours, theirs), atLeast(limit)),
  ),
  goal("await of a settled Task", "scheduling", absolute("settled", "ns", "Task, await"), atMost(80)),
  goal(
    "await of a settled Task, allocated",
    "scheduling",
    absolute("settled", "bytes", "Task, await"),
    atMost(400),
  ),
  goal(
    "read a ValueTask that is kept, allocated",
    "scheduling",
    absolute("completed", "bytes", "ValueTask, kept"),
    atMost(0),
  ),
  goal(
    "await a fresh ValueTask in a generator method, times fewer bytes",
    "scheduling",
    between("completed", "bytes", "generator method", "async function"),
    atLeast(5),
  ),
  goal(
    "pending operation on one reused source, allocated",
    "scheduling",
    absolute("pending", "bytes", "reused source"),
    atMost(16),
  ),
  goal(
    "capture the context and run in it, next to AsyncLocalStorage.snapshot, times faster",
    "context-primitives",
    between("capturing", "ns", "ExecutionContext", "AsyncLocalStorage.snapshot"),
    atLeast(20),
  ),
];
