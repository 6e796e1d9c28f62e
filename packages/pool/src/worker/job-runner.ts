/** Runs one claimed job: its context entered, its function called, everything cleared again, its outcome written. */
import type { AsyncScope, CarriedScope } from "@skein/context";
import { publishJob } from "../jobs/channels.ts";
import type { JobFunction } from "../jobs/exported-function.ts";
import { someoneTracesRuns, traceRun } from "../jobs/run-tracing.ts";
import { type AnyGenerator, isGenerator } from "../jobs/generators.ts";
import { isThenable } from "../jobs/thenable.ts";
import { NotArrived } from "../codec/carried.ts";
import type { Decoder } from "../codec/decoder.ts";
import { JobCanceledError, NotCloneableError } from "../errors.ts";
import type { Arenas } from "../shared/arenas.ts";
import { elapsedUs } from "../shared/clock.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { INLINE, NUMBERS } from "../shared/slot-fields.ts";
import { COUNTERS } from "../shared/statistics.ts";
import type { ThreadTrace } from "../shared/trace/thread-trace.ts";
import { DETAIL, KIND } from "../shared/trace/trace-code.ts";
import { NO_SLOT } from "../submit/pending-job.ts";
import type { ArgumentReaders } from "./argument-readers.ts";
import type { ContextScopes } from "./context-scopes.ts";
import { type CurrentJob, newJobId, RunningJob } from "./current-job.ts";
import type { FunctionTable } from "./function-table.ts";
import type { KnownFunction } from "./known-functions.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import { carriedInSlot } from "../transfer/carried-in-slot.ts";
import type { LateArguments } from "./late-arguments.ts";
import type { OutcomeWriter } from "./outcome-writer.ts";
import type { StreamJobs } from "./stream-jobs.ts";
import {
  apply,
  leaveCurrent,
  nothingCurrent,
  publishStart,
  restoreCurrent,
  scopeFrom,
} from "./surroundings.ts";

export interface JobRunnerParts {
  readonly memory: PoolMemory;
  readonly arenas: Arenas;
  readonly decoder: Decoder;
  readonly functions: FunctionTable;
  readonly scopes: ContextScopes;
  readonly outcomes: OutcomeWriter;
  readonly current: CurrentJob;
  readonly carried: CarriedValues;
  readonly sharedBuffers: SharedBuffers;
  readonly late: LateArguments;
  /** Tells the submitter that its job in `slot` begins. */
  readonly begins: (slot: number) => void;
  readonly streams: StreamJobs;
  readonly inputs: ArgumentReaders;
}

export class JobRunner {
  readonly #memory: PoolMemory;
  readonly #arenas: Arenas;
  readonly #decoder: Decoder;
  readonly #functions: FunctionTable;
  readonly #scopes: ContextScopes;
  readonly #outcomes: OutcomeWriter;
  readonly #current: CurrentJob;
  /** Stands for each job that was called without a slot. */
  readonly #withdrawn: RunningJob;
  readonly #carried: CarriedValues;
  readonly #sharedBuffers: SharedBuffers;
  readonly #late: LateArguments;
  readonly #begins: (slot: number) => void;
  readonly #streams: StreamJobs;
  readonly #inputs: ArgumentReaders;

  constructor(parts: JobRunnerParts) {
    const { memory, current } = parts;
    this.#memory = memory;
    this.#arenas = parts.arenas;
    this.#decoder = parts.decoder;
    this.#functions = parts.functions;
    this.#scopes = parts.scopes;
    this.#outcomes = parts.outcomes;
    this.#current = current;
    this.#carried = parts.carried;
    this.#sharedBuffers = parts.sharedBuffers;
    this.#late = parts.late;
    this.#begins = parts.begins;
    this.#streams = parts.streams;
    this.#inputs = parts.inputs;
    this.#withdrawn = new RunningJob(memory.slots, current, NO_SLOT);
    this.#withdrawn.end();
  }

  /**
   * Runs the job in `slot`, which this thread has claimed. May be called while another job is on the stack: that job waits in `join`.
   * @returns null when it is finished; otherwise a promise that resolves, never rejects, when it is: the function awaits something, or
   * its module has to be loaded first. When its carried values are not here, the promise resolves when the thread need not wait
   * for them any longer; `resume` follows when they have come.
   */
  run(slot: number): Promise<void> | null {
    const trace = this.#traceOf(slot);
    return trace === null ? this.#run(slot) : this.#runTraced(trace, KIND.run, slot);
  }

  /**
   * A job that came past the queues, or waited for its carried values: nobody has begun it.
   * @returns false when its caller has given it up meanwhile. It is over then.
   */
  mayBegin(slot: number): boolean {
    const { slots } = this.#memory;
    if (slots.begin(slot)) return true;
    this.#late.forget(slot);
    const id = carriedInSlot(slots, this.#arenas, slot);
    if (id !== 0) this.#carried.dropWhenHere(id);
    this.#outcomes.error(slot, new JobCanceledError(undefined, "The job was asked to stop before it began"));
    return false;
  }

  /** Runs a job that was begun before its carried values were here. */
  resume(slot: number): Promise<void> | null {
    const trace = this.#traceOf(slot);
    return trace === null ? this.#run(slot) : this.#runTraced(trace, KIND.resume, slot);
  }

  /** Null: the job is not recorded. */
  #traceOf(slot: number): ThreadTrace | null {
    const { trace } = this.#memory;
    return trace !== null && trace.records(slot) ? trace : null;
  }

  #runTraced(
    trace: ThreadTrace,
    kind: typeof KIND.run | typeof KIND.resume,
    slot: number,
  ): Promise<void> | null {
    trace.begin(kind, slot, this.#memory.slots.functionId(slot));
    const pending = this.#run(slot);
    if (pending === null) trace.end();
    else trace.end(DETAIL.awaiting);
    return pending;
  }

  #run(slot: number): Promise<void> | null {
    const outer = this.#current.synchronous;
    const outside = leaveCurrent();
    const job = new RunningJob(this.#memory.slots, this.#current, slot);
    this.#current.synchronous = job;
    let known: KnownFunction | null = null;
    try {
      known = this.#functions.of(slot);
      job.name = known.name;
      const args = this.takeArguments(slot);
      const carried = this.#scopes.of(slot);
      const { slots } = this.#memory;
      if (slots.progressId(slot) !== 0 && slots.isTimed(slot)) this.#begins(slot);
      // Its module may register a flow: what came for that is entered only afterwards.
      if (known.fn === null) return this.#loadAndRun(job, known, carried, args);
      const scope = scopeFrom(carried);
      job.entering(scope);
      const returned = this.#call(job, known, known.fn, scope, args);
      if ((typeof returned === "object" && returned !== null) || typeof returned === "function") {
        if (isThenable(returned)) return this.#settleLater(job, known, scope, returned);
        if (isGenerator(returned)) return this.#beginStream(job, known, scope, returned);
      }
      known.returnsAtOnce = true;
      this.#outcomes.result(slot, returned);
    } catch (error) {
      if (error instanceof NotArrived) {
        if (!this.#late.takeGone(slot, error.id)) {
          this.#memory.slots.notBegun(slot);
          const pending = this.#late.wait(error.id, slot, this.#isHere);
          return pending !== null || !this.mayBegin(slot) ? pending : this.#run(slot);
        }
        this.#outcomes.error(slot, new NotCloneableError("args", "could not be received by the thread"));
      } else {
        this.#outcomes.error(slot, known === null ? error : known.explain(error));
      }
    } finally {
      this.#current.synchronous = outer;
      restoreCurrent(outside);
    }
    job.end();
    return null;
  }

  /** Whether outcomes are held back until what their jobs have printed has arrived: the thread takes no job then. */
  get hasHeldOutcomes(): boolean {
    return this.#outcomes.hasHeld;
  }

  /** For a thread whose event loop stands still. */
  releaseOutcomes(): void {
    this.#outcomes.release();
  }

  /** Whether jobs of this thread wait for their carried values. */
  get hasLate(): boolean {
    return this.#late.size > 0;
  }

  /** How many of them the thread still waits for: `run` has returned a promise, and nothing of the job was begun. */
  get lateHolding(): number {
    return this.#late.holding;
  }

  readonly #isHere = (id: number): boolean => (id < 0 ? this.#sharedBuffers.has(-id) : this.#carried.has(id));

  /** Whether the job in `slot` is one of them. */
  isLate(slot: number): boolean {
    return this.#late.isWaiting(slot);
  }

  /**
   * Calls the function of a job that this thread submitted and has withdrawn. It has no slot any more: nobody can cancel it, and
   * what it reports goes nowhere.
   * @returns what the function returned.
   * @throws what the function threw.
   */
  callWithdrawn(
    known: KnownFunction,
    fn: JobFunction,
    carried: CarriedScope | null,
    args: readonly unknown[],
  ): unknown {
    const outer = this.#current.synchronous;
    const outside = leaveCurrent();
    this.#current.synchronous = this.#withdrawn;
    this.#memory.statistics.count(COUNTERS.executed);
    try {
      const scope = scopeFrom(carried);
      publishStart(known.source, scope);
      if (someoneTracesRuns(known.source)) {
        const about = { id: newJobId(), attempt: 1, waitMs: null, isRemote: false };
        return scope.run(() => traceRun(known.source, about, () => apply(fn, args)));
      }
      switch (args.length) {
        case 0:
          return scope.run(fn);
        case 1:
          return scope.run(fn, args[0]);
        case 2:
          return scope.run(fn, args[0], args[1]);
        default:
          return scope.run(fn, ...args);
      }
    } finally {
      this.#current.synchronous = outer;
      restoreCurrent(outside);
    }
  }

  /** A withdrawn job has returned a promise. @returns what it resolves to; rejects with its error. */
  async whenWithdrawnEnds(known: KnownFunction, returned: PromiseLike<unknown>): Promise<unknown> {
    this.#turnsOutToAwait(known, this.#withdrawn);
    try {
      return await returned;
    } finally {
      this.#current.surprising.delete(this.#withdrawn);
    }
  }

  async #loadAndRun(
    job: RunningJob,
    known: KnownFunction,
    carried: CarriedScope | null,
    args: unknown[],
  ): Promise<void> {
    const { slot } = job;
    try {
      const fn = await this.#functions.load(known);
      this.#current.synchronous = job;
      const outside = leaveCurrent();
      const trace = this.#traceOf(slot);
      if (trace !== null) trace.begin(KIND.resume, slot, this.#memory.slots.functionId(slot));
      let returned: unknown;
      let scope: AsyncScope;
      try {
        scope = scopeFrom(carried);
        job.entering(scope);
        returned = this.#call(job, known, fn, scope, args);
      } finally {
        this.#current.synchronous = null;
        restoreCurrent(outside);
        if (trace !== null) trace.end(DETAIL.awaiting);
      }
      if (isThenable(returned)) known.awaits = true;
      else known.returnsAtOnce = true;
      const result = await returned;
      restoreCurrent(nothingCurrent);
      if (await this.#isStreamed(job, known, scope, result)) return;
      this.#outcomes.result(slot, result);
    } catch (error) {
      restoreCurrent(nothingCurrent);
      this.#outcomes.error(slot, known.explain(error));
    }
    job.end();
  }

  async #settleLater(
    job: RunningJob,
    known: KnownFunction,
    scope: AsyncScope,
    returned: PromiseLike<unknown>,
  ): Promise<void> {
    this.#turnsOutToAwait(known, job);
    try {
      const result = await returned;
      restoreCurrent(nothingCurrent);
      if (await this.#isStreamed(job, known, scope, result)) return;
      this.#outcomes.result(job.slot, result);
    } catch (error) {
      restoreCurrent(nothingCurrent);
      this.#outcomes.error(job.slot, known.explain(error));
    }
    this.#current.surprising.delete(job);
    job.end();
  }

  #beginStream(
    job: RunningJob,
    known: KnownFunction,
    scope: AsyncScope,
    generator: AnyGenerator,
  ): Promise<void> | null {
    known.awaits = true;
    return this.#streams.begin(job, known, scope, generator);
  }

  /** What a promise gives may be a generator, too. @returns whether it is: then the job goes on as a stream. */
  async #isStreamed(
    job: RunningJob,
    known: KnownFunction,
    scope: AsyncScope,
    result: unknown,
  ): Promise<boolean> {
    if (typeof result !== "object" || result === null || !isGenerator(result)) return false;
    this.#current.surprising.delete(job);
    await this.#beginStream(job, known, scope, result);
    return true;
  }

  /** Whether the thread has streams: it is not idle then. */
  get hasStreams(): boolean {
    return !this.#streams.isEmpty;
  }

  /** Whether any of them may be waiting for its event loop. */
  get hasAsyncStreams(): boolean {
    return this.#streams.asyncCount > 0;
  }

  get hasReadyStream(): boolean {
    return this.#streams.hasReady;
  }

  /** Goes on with the first one that is ready. @returns as `run`. */
  resumeStream(): Promise<void> | null {
    const { trace } = this.#memory;
    if (trace === null) return this.#streams.resume();
    const slot = this.#streams.nextSlot;
    if (!trace.records(slot)) return this.#streams.resume();
    trace.begin(KIND.resume, slot, this.#memory.slots.functionId(slot));
    const pending = this.#streams.resume();
    if (pending === null) trace.end();
    else trace.end(DETAIL.awaiting);
    return pending;
  }

  #turnsOutToAwait(known: KnownFunction, job: RunningJob): void {
    if (known.returnsAtOnce && !known.awaits) this.#current.surprising.add(job);
    known.awaits = true;
  }

  #call(job: RunningJob, known: KnownFunction, fn: JobFunction, scope: AsyncScope, args: unknown[]): unknown {
    publishStart(known.source, scope);
    if (someoneTracesRuns(known.source)) {
      const call = (): unknown => runAwaiting(this.#current, job, fn, args);
      return scope.run(() => traceRun(known.source, this.#describe(job), call));
    }
    // A function that awaits must find its job afterwards. Entering a storage costs as much as the rest of a small job: it is spared to
    // functions that were seen to return at once, and to those that make a generator which does not await.
    return known.isSyncGenerator || (known.returnsAtOnce && !known.awaits)
      ? scope.run(apply, fn, args)
      : scope.run(runAwaiting, this.#current, job, fn, args);
  }

  #describe({ id, slot }: RunningJob): Parameters<typeof traceRun>[1] {
    const { slots } = this.#memory;
    const submittedAt = slots.submittedAt(slot);
    const waitMs = submittedAt === 0 ? null : elapsedUs(submittedAt) / 1000;
    return { id, attempt: slots.deaths(slot) + 1, waitMs, isRemote: false };
  }

  /** The job in `slot` was taken from another thread's deque. */
  reportSteal(slot: number): void {
    const { slots, trace } = this.#memory;
    if (trace !== null) trace.stolen(slot, slots.functionId(slot));
    publishJob("steal", this.#functions.of(slot).source, null);
  }

  /** The context in which the job in `slot` was submitted; null: nothing of it came along. Runs no code of the user's. */
  contextOf(slot: number): CarriedScope | null {
    return this.#scopes.of(slot);
  }

  takeArguments(slot: number): unknown[] {
    const { slots } = this.#memory;
    this.#inputs.slot = slot;
    const length = slots.payloadLength(slot);
    const arena = slots.payloadArena(slot);
    if (arena === INLINE)
      return this.#decoder.decode(slots.bytes, slots.inlineOffset(slot), length) as unknown[];
    if (arena === NUMBERS) return slots.numbers(slot);
    const block = slots.payloadBlock(slot);
    return this.#decoder.decode(this.#arenas.bytes(arena, block, length), block * 8, length) as unknown[];
  }
}

function runAwaiting(current: CurrentJob, job: RunningJob, fn: JobFunction, args: unknown[]): unknown {
  return current.storage.run(job, apply, fn, args);
}
