/**
 * Fork and join: a job splits itself, and its thread works on instead of waiting. What is forked goes to the thread's own deque; `join`
 * takes it back and calls it like any function, unless a thread without work has stolen it. Then this thread helps with
 * other jobs until the result is there.
 */
import type { AsyncScope } from "@skein/context";
import type { Decoder } from "../codec/decoder.ts";
import type { Encoder } from "../codec/encoder.ts";
import { defaultSubmitOptions } from "../options.ts";
import { NO_JOB } from "../shared/job-queues.ts";
import type { JoinEdge } from "../shared/join-edges.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { DONE, QUEUED, RUNNING } from "../shared/slot.ts";
import type { ThreadTrace } from "../shared/thread-trace.ts";
import { DETAIL } from "../shared/trace-code.ts";
import type { ForkedJob, Joiner } from "../submit/forked-job.ts";
import type { FunctionEntry } from "../submit/function-registry.ts";
import { nameOf } from "../submit/function-name.ts";
import { NO_SLOT, rejectionOf } from "../submit/pending-job.ts";
import type { SubmitOptions } from "../submit/submit-options.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import { detach } from "../transfer/detach.ts";
import { forgetMoves, moveListOf } from "../transfer/move.ts";
import type { Submitter } from "../submit/submitter.ts";
import type { TracedForkedJob } from "../submit/traced-job.ts";
import type { DispatchLoop } from "./dispatch-loop.ts";
import type { FunctionTable, JobFunction, KnownFunction } from "./function-table.ts";
import type { JobRunner } from "./job-runner.ts";
import { waitsForItself, waitsInCircle } from "./join-errors.ts";
import { Spinner } from "./spinner.ts";
import { isThenable } from "./thenable.ts";

/** How long a thread that waits sleeps before it takes in messages: of threads that died, and of new ones. */
const SLEEP_MS = 5;

export class ForkJoin implements Joiner {
  readonly options: SubmitOptions = defaultSubmitOptions;
  readonly #thread: number;
  readonly #serial: number;
  readonly #memory: PoolMemory;
  readonly #submitter: Submitter;
  readonly #functions: FunctionTable;
  readonly #runner: JobRunner;
  readonly #loop: DispatchLoop;
  readonly #encoder: Encoder;
  readonly #decoder: Decoder;
  readonly #carried: CarriedValues;
  readonly #spinner: Spinner;
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
    this.#carried = carried;
    this.#spinner = new Spinner(
      () => !memory.queues.isEmpty() || memory.parking.hasMail(thread),
      memory.parking,
      spinLimitUs,
    );
    this.#takeMessages = takeMessages;
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
        if (known.fn !== null && !known.awaits && job.carriedId === 0 && queues.takeBack(slot)) {
          this.#callHere(job, known, known.fn);
          continue;
        }
        const state = slots.state(slot);
        if (state === QUEUED) {
          const newest = queues.takeOwn(this.#serial);
          if (newest !== NO_JOB) {
            this.#loop.help(newest);
            continue;
          }
        } else if (state === DONE) {
          // Linked already, or in the next few instructions of the thread that finished it, unless it died there.
          if (this.#submitter.settlement.drain() === 0) this.#takeMessages();
          continue;
        } else if (state === RUNNING && slots.owner(slot) === this.#serial && !this.#isLate(slot)) {
          throw waitsForItself();
        }
      }
      this.#helpOrWait(job);
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
    const { carried } = this.#encoder;
    if (carried !== null) this.#carried.add(detach(carried, "result"));
    if (transfer !== null) forgetMoves([result]);
    return this.#decoder.decode(this.#encoder.bytes, 0, length);
  }

  /** Whether the job in `slot`, which this thread has claimed, has yet to begin: its carried arguments are on their way. */
  #isLate(slot: number): boolean {
    return this.#runner.isLate(slot) || this.#loop.hasArrived(slot);
  }

  /** Runs another job if there is one; otherwise sleeps until there may be, or until a result has come. */
  #helpOrWait(job: ForkedJob): void {
    const { queues, parking, inbox, slots } = this.#memory;
    const { slot } = job;
    if (this.#submitter.settlement.drain() > 0 || this.#loop.helpArrived()) return;
    const other = queues.take(this.#serial);
    if (other !== NO_JOB) {
      this.#loop.help(other);
      return;
    }
    let circle: readonly JoinEdge[] | null = null;
    parking.setSearching(this.#thread);
    if (!this.#spinner.spin()) {
      parking.announceSleep(this.#thread);
      const nothing =
        queues.isEmpty() &&
        inbox.isEmpty() &&
        !parking.hasMail(this.#thread) &&
        (slot === NO_SLOT || slots.state(slot) !== DONE);
      // May block: this is a pool thread, in a call that says so. Its own jobs were looked for above.
      if (nothing) {
        this.#memory.trace?.joining();
        circle = this.#doze(job);
        this.#memory.trace?.end(0);
      }
    }
    parking.setBusy(this.#thread);
    if (!queues.isEmpty()) parking.wakeOne();
    parking.takeMail(this.#thread);
    this.#takeMessages();
    if (circle !== null) throw waitsInCircle(circle, (each) => nameOf(this.#functions.of(each).source));
  }

  /** @returns the circle of threads that wait for each other, if this one has to break it. */
  #doze(job: ForkedJob): readonly JoinEdge[] | null {
    const { parking, joins } = this.#memory;
    // No edge for a job that may still be waiting for its arguments, or for a slot (join-edges.ts I3).
    const hasEdge = job.slot !== NO_SLOT && job.carriedId === 0;
    if (hasEdge) joins.begin(this.#thread, job.slot);
    let circle: readonly JoinEdge[] | null = null;
    if (!parking.doze(this.#thread, SLEEP_MS) && hasEdge) circle = joins.circle(this.#thread);
    if (hasEdge) joins.end(this.#thread);
    // All of them see it; one is enough.
    return circle !== null && circle.every(({ thread }) => thread <= this.#thread) ? circle : null;
  }
}
