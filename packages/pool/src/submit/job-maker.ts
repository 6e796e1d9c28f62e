/**
 * How a job is made and accepted, in two phases: first everything that runs code of the user's, then, without a break, the job is encoded, admitted,
 * given memory (job-preparation.ts) and placed (ledger.ts). Channels and signals hear of it afterwards.
 */
import { renameCarried } from "../codec/carried.ts";
import type { EncodedMessage } from "../codec/encoded-message.ts";
import { streamsIn } from "../codec/marked-streams.ts";
import { QueueFullError } from "../errors.ts";
import { publishJob } from "../jobs/channels.ts";
import { someoneTracesJobs, type TracedJob, traceSubmission } from "../jobs/job-tracing.ts";
import { nameOf } from "../jobs/function-name.ts";
import { MAX_NUMBERS } from "../shared/slot-fields.ts";
import type { ThreadTrace } from "../shared/trace/thread-trace.ts";
import { POLICIES } from "../shared/trace/trace-code.ts";
import { timestampUs } from "../shared/clock.ts";
import { letGo } from "./argument-pumps.ts";
import { type Below, type Caller, callerOf } from "./caller.ts";
import { areFramesLeft } from "./caller-frames.ts";
import { ForkedJob, type Joiner } from "./forked-job.ts";
import type { FunctionEntry } from "./function-registry.ts";
import {
  inlineArguments,
  JobPreparation,
  type JobPreparationParts,
  streamsRefused,
} from "./job-preparation.ts";
import type { JobWatch } from "./job-watch.ts";
import { DECIDED, type PendingJob } from "./pending-job.ts";
import { noArguments } from "./slot-filling.ts";
import { TaskJob } from "./task-job.ts";
import type { SubmitOptions } from "./submit-options.ts";

export interface JobMakerParts extends JobPreparationParts {
  readonly watch: JobWatch<PendingJob>;
}

const TIMED_MASK = 15;

export class JobMaker {
  readonly #parts: JobMakerParts;
  readonly #preparation: JobPreparation;
  #untimed = 0;

  constructor(parts: JobMakerParts) {
    this.#parts = parts;
    this.#preparation = new JobPreparation(parts);
  }

  /** @throws what encoding the arguments or the context throws, PoolClosedError, QueueFullError. Nothing was claimed then. */
  submit(fn: FunctionEntry, args: readonly unknown[], options: SubmitOptions, below: Below): TaskJob {
    const job = new TaskJob(fn, options);
    this.send(job, args, below);
    return job;
  }

  /** As `submit`, for a job that is made already. */
  send(job: PendingJob, args: readonly unknown[], below: Below): void {
    if (!someoneTracesJobs(job.fn.source)) this.#send(job, args, below, null);
    else traceSubmission(job.fn.source, job.options.ofMap, (traced) => this.#send(job, args, below, traced));
  }

  #send(job: PendingJob, args: readonly unknown[], below: Below, traced: TracedJob | null): void {
    const { ledger, memory } = this.#parts;
    const startedAt = memory.trace === null ? 0 : memory.trace.beginning();
    const caller = callerOf(below, ledger.outstanding === 0, traced);
    this.#accept(job, this.#preparation.prepare(job, args), caller, startedAt);
  }

  /**
   * A job for each of these threads alone, or for none.
   * @param threads Asked once all user code has run.
   * @param post Tells the thread of the slot of its job.
   * @returns the jobs; none when there are no threads.
   * @throws as `submit`, QueueFullError. Nothing was claimed then.
   */
  assign<T extends { readonly serial: number }>(
    fn: FunctionEntry,
    args: readonly unknown[],
    options: SubmitOptions,
    below: Below,
    threads: () => readonly T[],
    post: (thread: T, slot: number) => void,
  ): TaskJob[] {
    const { ledger, memory } = this.#parts;
    const caller = callerOf(below, ledger.outstanding === 0);
    const first = new TaskJob(fn, options);
    const message = this.#preparation.prepare(first, args, "broadcast");
    const { carried } = message;
    const bytes = inlineArguments(first, message);
    message.release();
    const jobs = [first];
    const targets = threads();
    try {
      ledger.admit(first.argsLength, null, targets.length);
      if (!ledger.hasSlots(targets.length)) throw new QueueFullError("maxQueue", memory.slotCount);
      while (jobs.length < targets.length) jobs.push(this.#preparation.copyOf(first, bytes, carried));
    } catch (error) {
      for (const job of jobs) ledger.giveBack(job);
      throw error;
    }
    if (targets.length === 0) {
      ledger.giveBack(first);
      return [];
    }
    for (const [i, job] of jobs.entries()) {
      remember(job, caller);
      job.submittedAt = timestampUs();
      if (memory.trace !== null) this.#mark(memory.trace, job, 0);
      if (carried !== null && first.block === 0) renameCarried(bytes, bytes.length, job.extras.carriedId);
      ledger.assign(job, bytes, targets[i]!.serial);
      post(targets[i]!, job.slot);
    }
    for (const job of jobs) this.#tell(job);
    for (const job of jobs) this.#watch(job);
    return jobs;
  }

  /** As `submit`, for a job that this thread forks, and will probably take back: no more than it needs then. */
  fork(joiner: Joiner, fn: FunctionEntry, args: readonly unknown[], below: Below): ForkedJob {
    const { memory } = this.#parts;
    const startedAt = memory.trace === null ? 0 : memory.trace.beginning();
    // Not 'first', even if it is: joined at once each would be, and reading the clock costs a tenth of a fork.
    const caller = callerOf(below, false);
    const isNumbers = areNumbers(args);
    const isPrimitive = isNumbers || arePrimitive(args);
    if (!isPrimitive && streamsIn(args).length > 0) {
      letGo(args);
      throw streamsRefused("fork");
    }
    const job = new ForkedJob(joiner, fn, isPrimitive ? args : null, isNumbers);
    const message = isNumbers
      ? this.#preparation.prepareNumbers(job)
      : this.#preparation.prepare(job, args, "fork");
    this.#accept(job, message, caller, startedAt);
    return job;
  }

  #accept(job: PendingJob, message: EncodedMessage, caller: Caller | null, startedAt: number): void {
    const { ledger, memory } = this.#parts;
    remember(job, caller);
    this.#timestamp(job);
    if (memory.trace !== null) this.#mark(memory.trace, job, startedAt);
    try {
      ledger.accept(job, job.block === 0 ? message.bytes : noArguments);
    } finally {
      message.release();
    }
    this.#tell(job);
    this.#watch(job);
  }

  /** The job is accepted, and whole: who listens may do anything. Nobody has heard of it before. */
  #tell(job: PendingJob): void {
    publishJob("submit", job.fn.source, job);
    const { mark } = job.extras;
    if (mark !== null)
      mark.trace.submitted(mark, job.fn.id, policyIndex(job.options), () => nameOf(job.fn.source));
  }

  /** Its signal may have fired, and its caller hears of that here. */
  #watch(job: PendingJob): void {
    const { watch, ledger } = this.#parts;
    const { signal, timeoutMs, runTimeoutMs } = job.options;
    const isWatched = signal !== undefined || timeoutMs !== undefined || runTimeoutMs !== undefined;
    try {
      if (isWatched && job.stage < DECIDED) watch.watch(job, signal, timeoutMs);
    } catch (error) {
      // Of a signal that is no AbortSignal. The job was sent.
      ledger.fail(job, error);
    }
  }

  #mark(trace: ThreadTrace, job: PendingJob, startedAt: number): void {
    const mark = trace.began(job, job.options.priority, startedAt);
    if (mark !== null) job.extras = { ...job.extras, mark };
  }

  /** Every job is timed that is traced, or while there are few, then one in 16: reading the clock costs a tenth of a submission. */
  #timestamp(job: PendingJob): void {
    if (
      job.extras.traced !== null ||
      areFramesLeft() ||
      (this.#untimed = (this.#untimed + 1) & TIMED_MASK) === 0
    )
      job.submittedAt = timestampUs();
  }
}

/** Of POLICIES. */
function policyIndex({ continuations }: SubmitOptions): number {
  if (continuations === undefined) return 0;
  const policy = continuations.continuations;
  return typeof policy === "string" ? POLICIES.indexOf(policy) : POLICIES.indexOf("scheduler");
}

/** Before the job is accepted: it may fail at once, when no thread can start. */
function remember(job: PendingJob, caller: Caller | null): void {
  if (caller !== null) job.extras = { ...job.extras, ...caller };
}

function areNumbers(args: readonly unknown[]): boolean {
  for (let i = 0; i < args.length; i++) if (typeof args[i] !== "number") return false;
  return args.length <= MAX_NUMBERS;
}

function arePrimitive(args: readonly unknown[]): boolean {
  for (let i = 0; i < args.length; i++) {
    const value = args[i];
    if (typeof value === "object" && value !== null) return false;
  }
  return true;
}
