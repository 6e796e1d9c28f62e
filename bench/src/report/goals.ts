/** The goals that were set for the pool, for tasks and for the context before they were built. */
import { absolute, between, type Goal, next, tenfold } from "./goal-table.ts";

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

export const goals: readonly Goal[] = [
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
  ...[1, 8].map((threads) =>
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
  ...primitiveGoals.map(([what, scenario, ours, theirs, limit]) =>
    goal(`${what}, times faster`, "scheduling", between(scenario, "ns", ours, theirs), atLeast(limit)),
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
