/** Every order of calls, ends and aborts that is drawn, on a pool that is played: its threads take tasks as those of `@skein/pool` do. */
import * as fc from "fast-check";
import { JobCanceledError } from "@skein/pool";
import type { SentJob } from "@skein/pool/engine";
import { describe, expect, it } from "vitest";
import { Places } from "../src/places.ts";
import { TaskFlow } from "../src/task-flow.ts";
import { type QueuedTask, TaskInfo } from "../src/task-info.ts";
import { ArrayTaskQueue } from "../src/task-queues.ts";
import type { WorkerRecord } from "../src/worker-record.ts";

const MAX_THREADS = 2;
const MAX_QUEUE = 5;

/**
 * Has two queues, which take turns at being first: of tasks that can be aborted, each begun only on a thread without any, and none beside
 * it; and of the others.
 */
class PlayedPool {
  threads = 0;
  /** It tells nobody which thread is which, so any may take any task. */
  readonly records: readonly WorkerRecord[] = [];
  readonly begun: TaskInfo[] = [];
  readonly running: { readonly info: TaskInfo; readonly thread: number }[] = [];
  readonly #alone: TaskInfo[] = [];
  readonly #sharing: TaskInfo[] = [];
  readonly #places: Places;

  constructor(places: Places) {
    this.#places = places;
  }

  add(): boolean {
    if (this.threads === MAX_THREADS) return false;
    this.#places.threads = ++this.threads;
    return true;
  }

  run(info: TaskInfo): SentJob {
    (info.isAbortable ? this.#alone : this.#sharing).push(info);
    this.step();
    return { cancel: () => this.#cancel(info) };
  }

  #cancel(info: TaskInfo): void {
    const waiting = [this.#alone, this.#sharing].find((queue) => queue.includes(info));
    const at = this.running.findIndex((each) => each.info === info);
    if (waiting !== undefined) waiting.splice(waiting.indexOf(info), 1);
    else if (at >= 0) this.running.splice(at, 1);
    else return;
    this.step();
    info.failed(new JobCanceledError());
  }

  /** The `n`th of the running tasks ends. */
  end(n: number, isFailure: boolean): void {
    const [ended] = this.running.splice(n % this.running.length, 1);
    if (ended === undefined) return;
    const { info } = ended;
    this.step();
    if (isFailure) info.failed(new Error("failed"));
    else info.completed("done");
  }

  step(): void {
    for (let looks = 0, failed = 0; failed < 2; looks++) {
      const queue = looks % 2 === 0 ? this.#alone : this.#sharing;
      const thread = queue.length === 0 ? undefined : this.#threadFor(queue[0]!);
      if (thread === undefined) failed++;
      else {
        const info = queue.shift()!;
        failed = 0;
        this.running.push({ info, thread });
        this.begun.push(info);
      }
    }
  }

  #threadFor(info: TaskInfo): number | undefined {
    return Array.from({ length: this.threads }, (_, i) => i).find((thread) => {
      const there = this.running.filter((each) => each.thread === thread);
      if (there.length === 0) return true;
      if (info.isAbortable || there.some((each) => each.info.isAbortable)) return false;
      return there.length < this.#places.perThread;
    });
  }
}

type Step =
  | { readonly call: boolean }
  | { readonly end: number; readonly isFailure: boolean }
  | { readonly abort: number }
  | "settle"
  | "force"
  | "destroy";

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ call: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ end: fc.nat(3), isFailure: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ abort: fc.nat(10) }) },
    { weight: 6, arbitrary: fc.constant<Step>("settle") },
    { weight: 1, arbitrary: fc.constant<Step>("force") },
    { weight: 1, arbitrary: fc.constant<Step>("destroy") },
  ),
  { maxLength: 60 },
);

interface Played {
  readonly calls: number;
  readonly settled: number;
  readonly begun: readonly TaskInfo[];
  readonly most: number;
  readonly left: object;
}

/** Plays the steps, and ends whatever runs until nothing does. */
async function play(perThread: number, hasQueue: boolean, given: readonly Step[]): Promise<Played> {
  const places = new Places(perThread);
  const pool = new PlayedPool(places);
  const flow = new TaskFlow({
    threads: pool,
    places,
    taskQueue: hasQueue ? new ArrayTaskQueue() : null,
    maxQueue: MAX_QUEUE,
    runTimes: null,
    waitTimes: null,
    changed: () => {},
  });
  let ended = 0;
  const count = (): void => void ended++;
  const targets: (EventTarget | null)[] = [];
  let most = 0;
  for (const step of given) {
    if (step === "settle") await settled();
    else if (step === "force") flow.rejectWaiting(() => new Error("forced"));
    else if (step === "destroy") flow.rejectAll(() => new Error("destroyed"));
    else if ("end" in step) pool.end(step.end, step.isFailure);
    else if ("abort" in step) targets[step.abort % targets.length]?.dispatchEvent(new Event("abort"));
    else {
      const target = step.call ? new EventTarget() : null;
      const what = { task: null, filename: "x", name: "x", transfer: undefined };
      const info = new TaskInfo({ ...what, isAbortable: step.call }, { triggerAsyncId: 1 }) as QueuedTask;
      info.promise.then(count, count);
      targets.push(target);
      flow.submit(info, target);
    }
    most = Math.max(most, flow.waiting);
  }
  await settled();
  while (pool.running.length > 0) {
    pool.end(0, false);
    await settled();
  }
  return {
    calls: targets.length,
    settled: ended,
    begun: pool.begun,
    most,
    left: {
      waiting: flow.waiting,
      usage: places.usage,
      busy: pool.threads - places.idleThreads,
      isEmpty: await flow.whenEmpty(0),
    },
  };
}

function settled(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(resolve, undefined));
}

describe.each([
  [1, false],
  [1, true],
  [2, false],
  [2, true],
] as const)("a flow with %i tasks a thread, own queue: %s", (perThread, hasQueue) => {
  it("settles every task, gives all places back, and keeps to maxQueue", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const { calls, settled: ended, most, left } = await play(perThread, hasQueue, given);
        expect(ended).toBe(calls);
        expect(most).toBeLessThanOrEqual(MAX_QUEUE);
        expect(left).toEqual({ waiting: 0, usage: 0, busy: 0, isEmpty: true });
      }),
    );
  });

  it("begins tasks of a kind in the order of their calls, and all of them where tasks are held", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const { begun } = await play(perThread, hasQueue, given);
        const kinds =
          hasQueue || perThread > 1
            ? [begun]
            : [true, false].map((kind) => begun.filter((info) => info.isAbortable === kind));
        for (const kind of kinds) {
          const ids = kind.map(({ taskId }) => taskId);
          expect(ids).toEqual(ids.toSorted((a, b) => a - b));
        }
      }),
    );
  });
});
