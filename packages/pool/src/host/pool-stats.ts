/** What the threads do, read from shared memory: no thread is asked, none is disturbed. */
import type { PoolThread } from "./pool-thread.ts";
import { PRIORITIES } from "../shared/layout.ts";
import { ASLEEP, BUSY, IDLE } from "../shared/parking.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import type { TimeHistogram } from "../shared/time-histogram.ts";
import type { Submitter } from "../submit/submitter.ts";

export interface Distribution {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
  /** All values, ascending, and how often each was met: right to 6 %. Counts never go back. */
  readonly histogram: readonly (readonly [ms: number, count: number])[];
}

/** Counters never go back, and count the jobs that jobs submit as well. */
export interface PoolStats {
  readonly threads: {
    readonly total: number;
    /** Without a job: `parked`, or looking for one. */
    readonly idle: number;
    readonly parked: number;
    readonly running: number;
  };
  /**
   * Jobs that no thread has taken; for a moment also those that were withdrawn. `local`: submitted by jobs. `placed`: with `affinity` or
   * `thread`, of whatever priority, which are in none of the others.
   */
  readonly queued: {
    readonly high: number;
    readonly normal: number;
    readonly low: number;
    readonly local: number;
    readonly placed: number;
  };
  readonly submitted: number;
  readonly completed: number;
  /** With an error of their own, a time limit, or because the pool was closed. */
  readonly failed: number;
  readonly canceled: number;
  readonly crashed: number;
  /** Errors that came when their job had returned: from timers, and promises that nobody awaited. */
  readonly stray: number;
  readonly stolen: number;
  /** Threads that were replaced because of `maxJobsPerThread`, `maxHeapBytesPerThread` or `maxThreadAgeMs`. */
  readonly recycled: number;
  /** From submission to start, in milliseconds. Sampled when there are many jobs. */
  readonly waitMs: Distribution;
  /** From start to outcome, in milliseconds. Sampled when jobs are shorter than 20 microseconds. */
  readonly runMs: Distribution;
  /** For each live thread; what its predecessor in the same place counted is included. */
  readonly perThread: readonly {
    readonly threadId: number;
    readonly executed: number;
    readonly stolen: number;
    readonly busyMs: number;
    readonly parkedMs: number;
  }[];
}

/** A small part of the statistics, for whoever asks often. */
export function readQueued({ queues }: PoolMemory, { ledger }: Submitter): PoolStats["queued"] {
  const [high, normal, low] = PRIORITIES.map((_, i) => queues.sizeOf(i) + ledger.backlogSize(i));
  const { localSize: local } = queues;
  return { high: high!, normal: normal!, low: low!, local, placed: ledger.placedWaiting };
}

export function readStats(
  memory: PoolMemory,
  submitter: Submitter,
  threads: readonly PoolThread[],
  recycled: number,
): PoolStats {
  const { parking, allStatistics: all } = memory;
  const states = threads.map((thread) => parking.state(thread.index));
  const running = states.filter((state) => state === BUSY).length;
  return {
    threads: {
      total: threads.length,
      idle: threads.length - running,
      parked: states.filter((state) => state === ASLEEP || state === IDLE).length,
      running,
    },
    queued: readQueued(memory, submitter),
    submitted: all.total("submitted"),
    completed: all.total("completed"),
    failed: all.total("failed"),
    canceled: all.total("canceled"),
    crashed: all.total("crashed"),
    stray: all.total("stray"),
    stolen: all.total("stolen"),
    recycled,
    waitMs: distributionOf(all.histogram("wait")),
    runMs: distributionOf(all.histogram("run")),
    perThread: threads.map(({ index, threadId }) => ({
      threadId,
      executed: all.of(index + 1, "executed"),
      stolen: all.of(index + 1, "stolen"),
      busyMs: all.timeMs(index + 1, "busy"),
      parkedMs: all.timeMs(index + 1, "parked"),
    })),
  };
}

export function distributionOf(times: TimeHistogram): Distribution {
  return {
    p50: times.percentileMs(50),
    p99: times.percentileMs(99),
    max: times.maxMs,
    mean: times.meanMs,
    histogram: times.entriesMs(),
  };
}
