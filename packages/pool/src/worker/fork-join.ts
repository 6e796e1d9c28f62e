/**
 * Fork and join: a job splits itself, and its thread works on instead of waiting. What is forked goes to the thread's own deque; `join`
 * takes it back and calls it like any function, unless a thread without work has stolen it. Then this thread helps with
 * other jobs until the result is there.
 */
import type { AsyncScope } from "@skein/context";
import type { Decoder } from "../codec/decoder.ts";
import type { Encoder } from "../codec/encoder.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { DONE, QUEUED, RUNNING } from "../shared/slot.ts";
import type { ThreadTrace } from "../shared/trace/thread-trace.ts";
import { DETAIL } from "../shared/trace/trace-code.ts";
import type { ForkedJob, Joiner } from "../submit/forked-job.ts";
import type { FunctionEntry } from "../submit/function-registry.ts";
import { NO_SLOT, rejectionOf } from "../submit/pending-job.ts";
import { defaultSubmitOptions, type SubmitOptions } from "../submit/submit-options.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import { detach, detachCopied } from "../transfer/detach.ts";
import { forgetMoves, moveListOf } from "../transfer/move.ts";
import type { Submitter } from "../submit/submitter.ts";
import type { TracedForkedJob } from "../submit/traced-job.ts";
import type { DispatchLoop } from "./dispatch-loop.ts";
import type { FunctionTable, JobFunction, KnownFunction } from "./function-table.ts";
import type { JobRunner } from "./job-runner.ts";
import { waitsForItself } from "./join-errors.ts";
import { JoinWait } from "./join-wait.ts";
import { isThenable } from "./thenable.ts";

export class ForkJoin implements Joiner {
  readonly options: SubmitOptions = defaultSubmitOptions;
  readonly #serial: number;
  readonly #memory: PoolMemory;
  readonly #submitter: Submitter;
  readonly #functions: FunctionTable;
  readonly #runner: JobRunner;
  readonly #loop: DispatchLoop;
  readonly #encoder: Encoder;
  readonly #decoder: Decoder;
  readonly #carried: CarriedValues;
  readonly #waiting: JoinWait;
  readonly #takeMessages: () => void;
  /** Recursion forks one function. */
  #lastFunction: ((...args: never[]) => unknown) | null = null;
  #lastEntry: FunctionEntry | null = null;

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
    carried: CarriedValues,
    spinLimitUs: number,
    takeMessages: () => void,
    wantThread: () => void,
  ) {
    this.#serial = serial;
    this.#memory = memory;
    this.#submitter = submitter;
    this.#functions = functions;
    this.#runner = runner;
    this.#loop = loop;
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#carried = carried;
    this.#takeMessages = takeMessages;
    const { settlement } = submitter;
    this.#waiting = new JoinWait(
      thread,
      serial,
      memory,
      settlement,
      functions,
      loop,
      spinLimitUs,
      takeMessages,
      wantThread,
    );
  }

  fork(
    fn: (...args: never[]) => unknown,
    args: readonly unknown[],
    below: (...args: never[]) => unknown,
  ): ForkedJob {
    if (fn !== this.#lastFunction) {
      this.#lastEntry = this.#submitter.functions.ofFunction(fn, this.#functions.lookUpExport);
      this.#lastFunction = fn;
    }
    return this.#submitter.fork(this, this.#lastEntry!, args, below);
  }

  /** Returns when the job is over. */
  join(job: ForkedJob): void {
    const { queues, slots } = this.#memory;
    while (!job.isOver) {
      const { slot } = job;
      if (slot === NO_SLOT) {
        if (job.isHere) throw waitsForItself();
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
          } else if (slots.claim(slot, slots.ticket(slot), this.#serial)) {
            this.#loop.help(slot);
          }
          continue;
        } else if (state === DONE) {
          // Linked already, or in the next few instructions of the thread that finished it, unless it died there.
          if (this.#submitter.settlement.drain() === 0) this.#takeMessages();
          continue;
        } else if (state === RUNNING && slots.owner(slot) === this.#serial && !this.#isLate(slot)) {
          throw waitsForItself();
        }
      }
      this.#waiting.helpOrWait(job);
    }
  }

  /** The job has come back unstolen: withdrawn, its slot still holding what it needs. */
  #callHere(job: ForkedJob, known: KnownFunction, fn: JobFunction): void {
    const { settlement } = this.#submitter;
    const { slot } = job;
    let isTakenBack = false;
    try {
      const scope = this.#runner.scopeOf(slot);
      const args = job.args ?? this.#runner.takeArguments(slot);
      settlement.takeBack(job);
      isTakenBack = true;
      const returned =
        this.#memory.trace === null
          ? this.#runner.callWithdrawn(known, fn, scope, args)
          : this.#callTraced(this.#memory.trace, job, known, fn, scope, args);
      if (isThenable(returned)) {
        job.isHere = true;
        this.#loop.adopt(this.#settleLater(job, known, returned));
        return;
      }
      known.returnsAtOnce = true;
      const result = this.#byValue(returned);
      settlement.overHere(job, "completed");
      job.trySetResult(result);
    } catch (error) {
      if (!isTakenBack) settlement.takeBack(job);
      const explained = known.explain(error);
      settlement.overHere(job, "failed", explained);
      job.setThrown(explained);
    }
  }

  #callTraced(
    trace: ThreadTrace,
    job: ForkedJob,
    known: KnownFunction,
    fn: JobFunction,
    scope: AsyncScope,
    args: readonly unknown[],
  ): unknown {
    const { key, startedAt } = job as TracedForkedJob;
    trace.beginHere(key, startedAt, job.fn.id);
    let detail = DETAIL.failed;
    try {
      const returned = this.#runner.callWithdrawn(known, fn, scope, args);
      detail = isThenable(returned) ? DETAIL.awaiting : DETAIL.completed;
      return returned;
    } finally {
      trace.end(detail);
    }
  }

  async #settleLater(job: ForkedJob, known: KnownFunction, returned: PromiseLike<unknown>): Promise<void> {
    const { settlement } = this.#submitter;
    try {
      const result = this.#byValue(await this.#runner.whenWithdrawnEnds(known, returned));
      settlement.overHere(job, "completed");
      job.trySetResult(result);
    } catch (error) {
      const explained = known.explain(error);
      settlement.overHere(job, "failed", explained);
      job.trySetError(rejectionOf(explained));
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
    const transfer = moveListOf(result);
    const length = this.#encoder.encode(result, "result", transfer);
    const { carried, copied, bytes } = this.#encoder;
    if (copied !== null) detachCopied(copied, "result");
    if (carried !== null) this.#carried.add(detach(carried, "result"));
    if (transfer !== null) forgetMoves([result]);
    return this.#decoder.decode(bytes, 0, length);
  }

  /** Whether the job in `slot`, which this thread has claimed, has yet to begin: its carried arguments are on their way. */
  #isLate(slot: number): boolean {
    return this.#runner.isLate(slot) || this.#loop.hasArrived(slot);
  }
}
