/** A thread as this side knows it, and as load balancers and listeners of `workerCreate` and `workerDestroy` see it. */
import type { Worker } from "node:worker_threads";
import { type PiscinaHistogramSummary, Times } from "./histogram.ts";

/** A task that a thread was given. */
export interface GivenTask {
  readonly isAbortable: boolean;
  reject(error: unknown): void;
}

/** A thread of the pool; what it says of it is always up to date. */
export interface PiscinaWorker {
  /** The `threadId`. */
  readonly id: number;
  /** How many tasks it was given that have not ended; Infinity while it has one that can be aborted. 0 if the pool chooses the threads. */
  readonly currentUsage: number;
  readonly isRunningAbortableTask: boolean;
  /** Of the times of its tasks, in milliseconds; null without `workerHistogram`. */
  readonly histogram: PiscinaHistogramSummary | null;
  readonly terminating: boolean;
  readonly destroyed: boolean;
}

const records = new WeakMap<object, WorkerRecord>();

/** The record of what a load balancer has returned; undefined for anything else. */
export function recordOf(worker: unknown): WorkerRecord | undefined {
  return typeof worker === "object" && worker !== null ? records.get(worker) : undefined;
}

export class WorkerRecord {
  readonly worker: Worker;
  readonly id: number;
  /** Those that were given to it by this side. */
  readonly tasks: Set<GivenTask> = new Set();
  readonly times: Times | null;
  readonly view: PiscinaWorker;
  /** Has started, or counts as one that has. */
  isReady = false;
  hasStarted = false;
  /** A task was aborted that it may have begun: it ends in a moment then, and is chosen for no other. */
  mayEnd = false;
  /** With what it has ended: what its tasks reject with that it had not begun. */
  failure: Error | null = null;
  isDestroyed = false;

  constructor(worker: Worker, id: number, hasHistogram: boolean) {
    this.worker = worker;
    this.id = id;
    this.times = hasHistogram ? new Times() : null;
    this.view = viewOf(this);
    records.set(this.view, this);
  }

  get isRunningAbortableTask(): boolean {
    if (this.tasks.size !== 1) return false;
    const [task] = this.tasks;
    return task!.isAbortable;
  }

  get currentUsage(): number {
    return this.isRunningAbortableTask ? Infinity : this.tasks.size;
  }
}

function viewOf(record: WorkerRecord): PiscinaWorker {
  return Object.freeze({
    id: record.id,
    get currentUsage() {
      return record.currentUsage;
    },
    get isRunningAbortableTask() {
      return record.isRunningAbortableTask;
    },
    get histogram() {
      return record.times?.summary() ?? null;
    },
    terminating: false,
    get destroyed() {
      return record.isDestroyed;
    },
  });
}
