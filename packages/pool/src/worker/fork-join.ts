/**
 * Fork and join: a job splits itself, and its thread works on instead of waiting. What is forked goes to the thread's own deque; `join`
 * takes it back and calls it like any function, unless a thread without work has stolen it. Then this thread helps with
 * other jobs until the result is there.
 */
import type { CarriedScope } from "@skein/context";
import { NotSupportedError } from "../errors.ts";
import type { Decoder } from "../codec/decoder.ts";
import type { Encoder } from "../codec/encoder.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import type { JobFunction } from "../jobs/exported-function.ts";
import { DONE, QUEUED, RUNNING } from "../shared/slot.ts";
import type { TraceMark } from "../shared/trace/thread-trace.ts";
import { DETAIL } from "../shared/trace/trace-code.ts";
import type { ForkedJob, Joiner } from "../submit/forked-job.ts";
import type { FunctionEntry } from "../submit/function-registry.ts";
import { HERE, NO_SLOT, rejectionOf } from "../submit/pending-job.ts";
import { defaultSubmitOptions, type SubmitOptions } from "../submit/submit-options.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import { detach, detachCopied } from "../transfer/detach.ts";
import { forgetMoves, moveListOf } from "../transfer/move.ts";
import type { Submitter } from "../submit/submitter.ts";
import type { Ledger } from "../submit/ledger.ts";
import type { Arrivals } from "./arrivals.ts";
import type { DispatchLoop } from "./dispatch-loop.ts";
import type { FunctionTable } from "./function-table.ts";
import type { JobRunner } from "./job-runner.ts";
import type { KnownFunction } from "./known-functions.ts";
import { waitsForItself } from "./join-errors.ts";
import type { JoinWait } from "./join-wait.ts";
import { isGenerator } from "../jobs/generators.ts";
import { isThenable } from "../jobs/thenable.ts";

export interface ForkJoinParts {
  readonly serial: number;
  readonly memory: PoolMemory;
  readonly submitter: Submitter;
  readonly functions: FunctionTable;
  readonly runner: JobRunner;
  readonly loop: DispatchLoop;
  readonly arrivals: Arrivals;
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  readonly carried: CarriedValues;
  /** Takes in everything that the host has posted. */
  readonly takeMessages: () => void;
}

export class ForkJoin implements Joiner {
  readonly options: SubmitOptions = { ...defaultSubmitOptions, highWaterMark: 0 };
  readonly #parts: ForkJoinParts;
  readonly #memory: PoolMemory;
  readonly #ledger: Ledger;
  readonly #functions: FunctionTable;
  readonly #waiting: JoinWait;
  /** Recursion forks one function. */
  #lastFunction: ((...args: never[]) => unknown) | null = null;
  #lastEntry: FunctionEntry | null = null;

  constructor(parts: ForkJoinParts, waiting: JoinWait) {
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#ledger = parts.submitter.ledger;
    this.#functions = parts.functions;
    this.#waiting = waiting;
  }

  fork(
    fn: (...args: never[]) => unknown,
    args: readonly unknown[],
    below: (...args: never[]) => unknown,
  ): ForkedJob {
    if (fn !== this.#lastFunction) {
      this.#lastEntry = this.#parts.submitter.functions.ofFunction(fn, this.#functions.lookUpExport);
      this.#lastFunction = fn;
    }
    return this.#parts.submitter.jobs.fork(this, this.#lastEntry!, args, below);
  }

  /** Returns when the job is over. */
  join(job: ForkedJob): void {
    const { queues, slots } = this.#memory;
    while (!job.isOver) {
      const { slot } = job;
      if (slot === NO_SLOT) {
        if (job.stage === HERE) throw waitsForItself();
        // Decided, and not told yet; or it waits for a slot.
        this.#ledger.deliverTo(job);
        if (job.isOver) return;
      } else {
        const known = this.#functions.of(slot);
        // What is carried is with the host: such a job goes the way of all others.
        if (!known.needsEventLoop && job.extras.carriedId === 0 && queues.takeBack(slot)) {
          this.#callHere(job, known, known.fn!);
          continue;
        }
        const state = slots.state(slot);
        if (state === QUEUED) {
          if (!known.needsEventLoop && job.extras.carriedId === 0) {
            // Not the newest: its entry stays behind, and is dropped by whoever comes by it.
            if (slots.withdraw(slot)) this.#callHere(job, known, known.fn!);
          } else if (slots.claim(slot, slots.ticket(slot), this.#parts.serial)) {
            this.#parts.loop.help(slot);
          }
          continue;
        } else if (state === DONE) {
          // Linked already, or in the next few instructions of the thread that finished it, unless it died there.
          if (this.#ledger.drain() === 0) this.#parts.takeMessages();
          continue;
        } else if (state === RUNNING && slots.owner(slot) === this.#parts.serial && !this.#isLate(slot)) {
          throw waitsForItself();
        }
      }
      this.#waiting.helpOrWait(job);
    }
  }

  /** The job has come back unstolen: withdrawn, its slot still holding what it needs. */
  #callHere(job: ForkedJob, known: KnownFunction, fn: JobFunction): void {
    const ledger = this.#ledger;
    const { runner } = this.#parts;
    const { slot } = job;
    let isTakenBack = false;
    try {
      const carried = runner.contextOf(slot);
      const args = job.args ?? runner.takeArguments(slot);
      ledger.takeBack(job);
      isTakenBack = true;
      const { mark } = job.extras;
      const returned =
        mark === null
          ? runner.callWithdrawn(known, fn, carried, args)
          : this.#callTraced(mark, job, known, fn, carried, args);
      if (isThenable(returned)) {
        this.#parts.loop.adopt(this.#settleLater(job, known, returned));
        return;
      }
      known.returnsAtOnce = true;
      job.trySetResult(this.#byValue(returned));
      ledger.endHere(job, "completed");
    } catch (error) {
      if (!isTakenBack) ledger.takeBack(job);
      const explained = known.explain(error);
      job.setThrown(explained);
      ledger.endHere(job, "failed", explained);
    }
  }

  #callTraced(
    mark: TraceMark,
    job: ForkedJob,
    known: KnownFunction,
    fn: JobFunction,
    carried: CarriedScope | null,
    args: readonly unknown[],
  ): unknown {
    const { trace } = mark;
    trace.beginHere(mark, job.fn.id);
    let detail = DETAIL.failed;
    try {
      const returned = this.#parts.runner.callWithdrawn(known, fn, carried, args);
      detail = isThenable(returned) ? DETAIL.awaiting : DETAIL.completed;
      return returned;
    } finally {
      trace.end(detail);
    }
  }

  async #settleLater(job: ForkedJob, known: KnownFunction, returned: PromiseLike<unknown>): Promise<void> {
    const ledger = this.#ledger;
    try {
      job.trySetResult(this.#byValue(await this.#parts.runner.whenWithdrawnEnds(known, returned)));
      ledger.endHere(job, "completed");
    } catch (error) {
      const explained = known.explain(error);
      job.trySetError(rejectionOf(explained));
      ledger.endHere(job, "failed", explained);
    }
  }

  /** A result, as it would arrive from any other thread. */
  #byValue(returned: unknown): unknown {
    if (typeof returned !== "object" && typeof returned !== "function" && typeof returned !== "symbol") {
      return returned;
    }
    return this.#copy(returned);
  }

  #copy(result: unknown): unknown {
    if (typeof result === "object" && result !== null && isGenerator(result))
      throw new NotSupportedError("streams", "fork", "a generator");
    const { encoder, decoder } = this.#parts;
    const transfer = moveListOf(result);
    const message = encoder.encode(result, "result", transfer);
    try {
      const { bytes, length, carried, copied } = message;
      const own = carried === null ? null : detach(carried, "result");
      // Not when Node has refused the other.
      if (copied !== null) detachCopied(copied, "result");
      if (own !== null) this.#parts.carried.add(own);
      if (transfer !== null) forgetMoves([result]);
      return decoder.decode(bytes, 0, length);
    } finally {
      message.release();
    }
  }

  /** Whether the job in `slot`, which this thread has claimed, has yet to begin: its carried arguments are on their way. */
  #isLate(slot: number): boolean {
    return this.#parts.runner.isLate(slot) || this.#parts.arrivals.isResumable(slot);
  }
}
