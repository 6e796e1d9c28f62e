/** What is asked twice a second, and only while there are viewers: statistics, memory and CPU of the threads, the event loop of this one. */
import { type EventLoopUtilization, monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { Distribution, PoolStats, ThreadHandle, ThreadPool } from "@skein/pool";
import type { Sample, ThreadSample, Times } from "../wire.ts";

/** Of the event loop, in milliseconds: finer costs more. */
const RESOLUTION_MS = 20;

interface Answers {
  heapUsed: number | null;
  heapLimit: number | null;
  cpuMs: number | null;
  isAsked: boolean;
}

export class Sampler implements Disposable {
  readonly #pool: ThreadPool;
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #answers = new WeakMap<ThreadHandle, Answers>();
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();

  constructor(pool: ThreadPool) {
    this.#pool = pool;
    this.#delay.enable();
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
  }

  take(nowUs: number): Sample {
    const stats = this.#pool.stats();
    const { minThreads, maxThreads } = this.#pool;
    const { submitted, completed, failed, canceled, crashed, stray, stolen } = stats;
    return {
      type: "sample",
      nowUs,
      minThreads,
      maxThreads,
      running: stats.threads.running,
      parked: stats.threads.parked,
      submitted,
      completed,
      failed,
      canceled,
      crashed,
      stray,
      stolen,
      waitMs: timesOf(stats.waitMs),
      runMs: timesOf(stats.runMs),
      threads: this.#pool.threads.map((thread) => this.#sampleOf(thread, stats)),
      main: this.#main(),
    };
  }

  #sampleOf(thread: ThreadHandle, { perThread }: PoolStats): ThreadSample {
    const { threadId, index } = thread;
    const counted = perThread.find((each) => each.threadId === threadId);
    const { heapUsed, heapLimit, cpuMs } = this.#ask(thread);
    const { busyMs = 0, parkedMs = 0, executed = 0, stolen = 0 } = counted ?? {};
    return { threadId, index, heapUsed, heapLimit, cpuMs, busyMs, parkedMs, executed, stolen };
  }

  /** What the thread has answered last; asks it again unless it still has to answer: it may be in a native call for long. */
  #ask(thread: ThreadHandle): Answers {
    let answers = this.#answers.get(thread);
    if (answers === undefined) {
      answers = { heapUsed: null, heapLimit: null, cpuMs: null, isAsked: false };
      this.#answers.set(thread, answers);
    }
    if (!answers.isAsked) void fill(answers, thread);
    return answers;
  }

  #main(): Sample["main"] {
    const { heapUsed, rss } = process.memoryUsage();
    const utilization = performance.eventLoopUtilization();
    const since = performance.eventLoopUtilization(utilization, this.#utilization);
    this.#utilization = utilization;
    // What is measured is the time between two samples; so much of it is meant.
    const delayOf = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    const main = {
      heapUsed,
      rss,
      delayP50Ms: rounded(delayOf(this.#delay.percentile(50))),
      delayMaxMs: rounded(delayOf(this.#delay.max)),
      utilization: rounded(since.utilization),
    };
    this.#delay.reset();
    return main;
  }
}

/** Each is missing in some versions of Node, and a thread may end meanwhile. */
async function fill(answers: Answers, thread: ThreadHandle): Promise<void> {
  answers.isAsked = true;
  const [heap, cpu] = await Promise.allSettled([thread.heapStatistics(), thread.cpuUsage()]);
  if (heap.status === "fulfilled") {
    answers.heapUsed = heap.value.used_heap_size;
    answers.heapLimit = heap.value.heap_size_limit;
  }
  if (cpu.status === "fulfilled") answers.cpuMs = (cpu.value.user + cpu.value.system) / 1000;
  answers.isAsked = false;
}

function timesOf({ p50, p99, max, histogram }: Distribution): Times {
  return { p50, p99, max, histogram };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
