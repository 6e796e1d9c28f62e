/**
 * Which job the code that asks belongs to. Kept on `globalThis` under a registered symbol, so that a job module that resolves
 * `@skein/pool/worker` to another copy of this package still sees it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { threadId } from "node:worker_threads";
import { AsyncScope, setThreadFields } from "@skein/context";
import { JobCanceledError } from "../errors.ts";
import { OnGlobal } from "../shared/on-global.ts";
import type { SlotTable } from "../shared/slot.ts";
import { AbortController } from "../shared/intrinsics.ts";

let identified = 0;

/** For log lines: no other job of the process has it. */
export function newJobId(): string {
  return `${threadId}-${++identified}`;
}

/** What the code of a job can ask of it, on whatever engine. */
export interface JobInProgress {
  /** For log lines: no other job of the process has it. */
  readonly id: string;
  readonly isCancellationRequested: boolean;
  readonly controller: AbortController;
  /** Reaches the listener before the job settles. */
  progress(value: unknown): void;
}

/** One job, from its start to its outcome. */
export class RunningJob implements JobInProgress {
  readonly #slots: SlotTable;
  readonly #current: CurrentJob;
  readonly slot: number;
  /** As it is shown; null until its function is known. */
  name: string | null = null;
  #scope: AsyncScope = AsyncScope.root;
  #id: string | null = null;
  #isOver = false;
  #controller: AbortController | null = null;

  constructor(slots: SlotTable, current: CurrentJob, slot: number) {
    this.#slots = slots;
    this.#current = current;
    this.slot = slot;
  }

  /** Its context: listeners of its signal hear in it. */
  entering(scope: AsyncScope): void {
    this.#scope = scope;
  }

  /** Given when it is first asked for. Calls without a slot share one. */
  get id(): string {
    return (this.#id ??= newJobId());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isCancellationRequested(): boolean {
    return !this.#isOver && this.#slots.isCancelRequested(this.slot);
  }

  /** Made when it is first asked for: most jobs never do. */
  get controller(): AbortController {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (!this.#isOver) this.#current.withSignal.set(this.slot, this);
    }
    return this.#controller;
  }

  /** Tells the listeners of its signal. */
  abort(): void {
    const controller = this.#controller;
    if (controller !== null) this.#scope.run(() => controller.abort(new JobCanceledError()));
  }

  progress(value: unknown): void {
    if (!this.#isOver) this.#current.report(this.slot, value);
  }

  /** The slot may be another job's from now on. */
  end(): void {
    this.#isOver = true;
    this.#current.lastName = this.name;
    if (this.#controller !== null) this.#current.withSignal.delete(this.slot);
  }
}

export class CurrentJob {
  /** Posts what the job in a slot reports, if anybody listens. */
  readonly report: (slot: number, value: unknown) => void;
  /** The job whose synchronous part runs now: faster than a storage, and enough for jobs that do not await. */
  synchronous: RunningJob | null = null;
  /** Where the parts of a job after its first await find it. */
  readonly storage: AsyncLocalStorage<RunningJob> = new AsyncLocalStorage<RunningJob>();
  /** Jobs that turned out to await, of functions that had always returned at once: found only while there is no doubt. */
  readonly surprising: Set<RunningJob> = new Set<RunningJob>();
  /** The name of the job that ended last: what it has left behind may still throw. */
  lastName: string | null = null;
  /** By slot: jobs that listen to their signal. */
  readonly withSignal: Map<number, RunningJob> = new Map<number, RunningJob>();

  constructor(report: (slot: number, value: unknown) => void) {
    this.report = report;
  }

  get #onlySurprising(): RunningJob | null {
    return this.surprising.size === 1 ? [...this.surprising][0]! : null;
  }

  get job(): RunningJob | null {
    return this.storage.getStore() ?? this.synchronous ?? this.#onlySurprising;
  }
}

const installed = new OnGlobal<CurrentJob>("skein.pool.current-job");
/** Of jobs of other engines, for all of their parts. */
const elsewhere = new OnGlobal<AsyncLocalStorage<JobInProgress>>("skein.pool.current-job-elsewhere");

/** The job that the caller belongs to; null outside a job. */
export function runningJob(): JobInProgress | null {
  return elsewhere.value?.getStore() ?? installed.value?.job ?? null;
}

export function installCurrentJob(report: (slot: number, value: unknown) => void): CurrentJob {
  const current = installed.put(new CurrentJob(report));
  setThreadFields(() => {
    const job = runningJob();
    return job === null ? { threadId } : { threadId, jobId: job.id };
  });
  return current;
}

/** Where jobs of other engines that run on this thread find themselves. Made once. */
export function jobsElsewhere(): AsyncLocalStorage<JobInProgress> {
  let storage = elsewhere.value;
  if (storage === undefined) {
    storage = elsewhere.put(new AsyncLocalStorage<JobInProgress>());
    if (installed.value === undefined) {
      setThreadFields(() => {
        const job = runningJob();
        return job === null ? undefined : { threadId, jobId: job.id };
      });
    }
  }
  return storage;
}
