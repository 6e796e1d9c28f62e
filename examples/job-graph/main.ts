/**
 * A build: steps that need each other's results. Each runs once, as soon as its inputs are ready, in parallel where possible. When threads
 * are scarce, the steps with the longest chain behind them go first.
 */
import { type Priority, ThreadPool } from "@skein/pool";
import { CancellationTokenSource, Task, TaskCompletionSource } from "@skein/scheduling";
import type * as Jobs from "./build.jobs.ts";

/** What each step needs. The pages need nothing and are many; the chain from parse to publish decides when all is done. */
const graph: Readonly<Record<string, readonly string[]>> = {
  page1: [],
  page2: [],
  page3: [],
  page4: [],
  parse: [],
  check: ["parse"],
  bundle: ["check"],
  publish: ["page1", "page2", "page3", "page4", "bundle"],
};

// One thread, so that the steps have to queue.
const pool = new ThreadPool({ maxThreads: 1 });
const jobs = pool.module<typeof Jobs>(new URL("./build.jobs.ts", import.meta.url));

/** The length of the longest chain of steps that wait for this one. */
function chainBehind(name: string): number {
  const behind = Object.keys(graph).filter((other) => graph[other]!.includes(name));
  return Math.max(0, ...behind.map((other) => 1 + chainBehind(other)));
}

function priorityOf(name: string): Priority {
  const length = chainBehind(name);
  return length > 1 ? "high" : length === 1 ? "normal" : "low";
}

const finished: string[] = [];
const made = new Map<string, Task<string>>();

/** The result of a step: the first to ask starts it, the others share its task. */
function resultOf(name: string): Task<string> {
  let task = made.get(name);
  if (task === undefined) made.set(name, (task = runStep(name)));
  return task;
}

// A step that fails faults all steps behind it, and only those.
const runStep = Task.async(function* (name: string) {
  const inputs = yield* Task.whenAll(graph[name]!.map(resultOf));
  const result = yield* pool.run(jobs.make, [name, inputs], { priority: priorityOf(name) });
  finished.push(name);
  return result;
});

// The thread is busy with something else when the build begins, so parse, the last of five, waits behind the pages.
const tidying = new CancellationTokenSource();
const begun = new TaskCompletionSource<void>();
const tidyingUp = pool.run(jobs.tidyUp, [], {
  signal: tidying.token,
  priority: "low",
  onProgress: () => void begun.trySetResult(),
});
await begun.task;
const published = resultOf("publish");
tidying.cancel();
await tidyingUp.configureAwait({ suppressThrowing: true });

console.log(await published);
console.log("steps:", finished.length);
console.log(
  "each after what it needs:",
  finished.every((name, i) => graph[name]!.every((need) => finished.indexOf(need) < i)),
);
// Not always the very first: now and then a lower priority gets its turn, so that none waits for ever.
console.log("parse was among the first two:", finished.indexOf("parse") < 2);
await pool.close();
