/**
 * Fork and join: a job splits itself, and its thread works on instead of waiting. What is forked goes to the thread's own deque; `join`
 * takes it back and calls it like any function, unless a thread without work has stolen it. Then this thread helps with
 * other jobs until the result is there.
 */
import { InvalidOperationError } from "@skein/context/errors";
import type { Task } from "@skein/scheduling";
import type { Decoder } from "../codec/decoder.ts";
import type { Encoder } from "../codec/encoder.ts";
import { defaultSubmitOptions } from "../options.ts";
import { NO_JOB } from "../shared/job-queues.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { DONE, QUEUED, RUNNING } from "../shared/slot.ts";
import { NO_SLOT, type PendingJob } from "../submit/pending-job.ts";
import type { Submitter } from "../submit/submitter.ts";
import type { DispatchLoop } from "./dispatch-loop.ts";
import type { FunctionTable } from "./function-table.ts";
import { type JobRunner, PendingOutcome } from "./job-runner.ts";
import { Spinner } from "./spinner.ts";

/** How long a thread that waits sleeps before it takes in messages: of threads that died, and of new ones. */
const SLEEP_MS = 5;

export class ForkJoin {
  readonly #thread: number;
  readonly #serial: number;
  readonly #memory: PoolMemory;
  readonly #submitter: Submitter;
  readonly #functions: FunctionTable;
  readonly #runner: JobRunner;
  readonly #loop: DispatchLoop;
  readonly #encoder: Encoder;
  readonly #decoder: Decoder;
  readonly #spinner: Spinner;
  readonly #takeMessages: () => void;

  constructor(
    thread: number,
    serial: number,
    memory: PoolMemory,
    submitter: Submitter,
    functions: FunctionTable,
    runner: JobRunner,
    loop: DispatchLoop,
    encoder: Encoder,
    decoder: Decoder,
    spinLimitUs: number,
    takeMessages: () => void,
  ) {
    this.#thread = thread;
    this.#serial = serial;
    this.#memory = memory;
    this.#submitter = submitter;
    this.#functions = functions;
    this.#runner = runner;
    this.#loop = loop;
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#spinner = new Spinner(memory.queues, memory.parking, spinLimitUs);
    this.#takeMessages = takeMessages;
  }

  fork(
    fn: (...args: never[]) => unknown,
    args: readonly unknown[],
    below: (...args: never[]) => unknown,
  ): PendingJob {
    const entry = this.#submitter.functions.ofFunction(fn, this.#functions.lookUpExport);
    return this.#submitter.submit(entry, args, defaultSubmitOptions, below);
  }

  /** @returns the result. @throws the error of the job. */
  join(job: PendingJob): unknown {
    const { queues, slots } = this.#memory;
    const { task } = job;
    while (!task.isCompleted) {
      const { slot } = job;
      if (slot !== NO_SLOT) {
        const state = slots.state(slot);
        if (state === QUEUED) {
          const newest = queues.takeOwn(this.#serial);
          if (newest === slot) {
            if (this.#runHere(job, slot)) break;
            continue;
          }
          if (newest !== NO_JOB) {
            this.#loop.help(newest);
            continue;
          }
        } else if (state === DONE) {
          // Linked already, or in the next few instructions of the thread that finished it, unless it died there.
          if (this.#submitter.settlement.drain() === 0) this.#takeMessages();
          continue;
        } else if (state === RUNNING && slots.owner(slot) === this.#serial) {
          throw new InvalidOperationError(
            "join() would wait for ever: the job runs on this very thread, and waits for something itself. Await it instead",
          );
        }
      }
      this.#helpOrWait(slot);
    }
    return task.result;
  }

  /** The job has come back unstolen. @returns false when it does not settle yet: its function awaits, or must be loaded. */
  #runHere(job: PendingJob, slot: number): boolean {
    const known = this.#functions.of(slot);
    if (known.fn === null || known.awaits) {
      this.#loop.help(slot);
      return false;
    }
    const { settlement } = this.#submitter;
    let returned: unknown;
    try {
      returned = this.#runner.call(slot, known, known.fn);
      if (returned instanceof PendingOutcome) {
        this.#loop.adopt(returned.written);
        return false;
      }
      if (typeof returned === "object" || typeof returned === "function" || typeof returned === "symbol") {
        // By value, as from any other thread.
        const length = this.#encoder.encode(returned, "result");
        returned = this.#decoder.decode(this.#encoder.bytes, 0, length);
      }
    } catch (error) {
      settlement.completeHere(job, false, known.explain(error));
      return true;
    }
    settlement.completeHere(job, true, returned);
    return true;
  }

  /** Runs another job if there is one; otherwise sleeps until there may be, or until a result has come. */
  #helpOrWait(slot: number): void {
    const { queues, parking, inbox, slots } = this.#memory;
    if (this.#submitter.settlement.drain() > 0) return;
    const other = queues.take(this.#serial);
    if (other !== NO_JOB) {
      this.#loop.help(other);
      return;
    }
    parking.setSearching(this.#thread);
    if (!this.#spinner.spin()) {
      parking.announceSleep(this.#thread);
      const nothing = queues.isEmpty() && inbox.isEmpty() && (slot === NO_SLOT || slots.state(slot) !== DONE);
      // May block: this is a pool thread, in a call that says so. Its own jobs were looked for above.
      if (nothing) parking.doze(this.#thread, SLEEP_MS);
    }
    parking.setBusy(this.#thread);
    if (!queues.isEmpty()) parking.wakeOne();
    this.#takeMessages();
  }
}

/** A job that was forked: the thread that forked it waits with `join`, or with `await`. */
export class ForkedTask<T> implements PromiseLike<T> {
  readonly #job: PendingJob | null;
  readonly #forkJoin: ForkJoin | null;
  readonly #task: Task<T>;

  /** @param forkJoin Null outside a pool: the task has completed. */
  constructor(task: Task<T>, job: PendingJob | null, forkJoin: ForkJoin | null) {
    this.#task = task;
    this.#job = job;
    this.#forkJoin = forkJoin;
  }

  /**
   * The result. If nobody has stolen the job, this thread runs it now; otherwise it helps with other jobs until the result
   * is there. Blocks the thread, not its other jobs' results; its event loop stands still meanwhile.
   *
   * @throws the error of the job.
   * @throws InvalidOperationError when the job could only go on if this call returned: it awaits something on this very thread.
   */
  join(): T {
    return (this.#forkJoin === null ? this.#task.result : this.#forkJoin.join(this.#job!)) as T;
  }

  /** Waits without blocking; as Task.then. */
  // oxlint-disable-next-line unicorn/no-thenable -- it is awaited
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Task<A | B> {
    return this.#task.then(onFulfilled, onRejected);
  }
}
