/**
 * The caller's side of an engine without shared memory: every job from its call to its settlement, and `close`. The engine only carries: it
 * brings a request to a thread that calls `runJob`, and the reply back.
 *
 * Stage      | OPEN      | its outcome is not known. It may wait, run, or be on its way               | submit
 *            | DECIDED   | its outcome is written down; `tell` follows at once                        | arrived, settled, failed, cancel, expire, close
 * Carried    a job is in `#carried` from `carry` to the end of its journey, or until it is withdrawn. DECIDED and carried: its caller gave it
 *            up while a thread has it.
 * Invariants I1 Only an OPEN job is decided, so each settles once.
 *            I2 No code of the user's runs between the end of `encodeValue` and the entry of the job, and none between the decision and
 *               `tell`. Channels, signals, progress listeners, continuations and the carrier find the job whole, and may submit, cancel, close.
 */
import { AsyncScope, ExecutionContext } from "@skein/context";
import { argumentRangeError } from "@skein/context/errors";
import { type Task, TaskCompletionSource } from "@skein/scheduling";
import { trySucceed } from "@skein/scheduling/internal";
import { JobTimeoutError, PoolClosedError, ThreadCrashedError } from "../errors.ts";
import type { MarkedStream } from "../codec/marked-streams.ts";
import { publishJob } from "../jobs/channels.ts";
import type { FunctionSource } from "../jobs/function-source.ts";
import { someoneTracesJobs, type TracedJob, traceSubmission } from "../jobs/job-tracing.ts";
import { clearTimeout, now, setTimeout } from "../shared/timers.ts";
import { CallState } from "../shared/call-state.ts";
import { checkUntaken, letGoAll, takeAll } from "../submit/argument-pumps.ts";
import { type Below, callerOf } from "../submit/caller.ts";
import { cancellationError } from "../submit/cancel-signal.ts";
import { jobExtras } from "../submit/job-extras.ts";
import { JobWatch } from "../submit/job-watch.ts";
import { outcomeNames, tell } from "../submit/outcomes.ts";
import { CANCELED, COMPLETED, CRASHED, FAILED, type OutcomeKind, THREW } from "../submit/pending-job.ts";
import { unreadProgress } from "../submit/progress-listeners.ts";
import type { SubmitOptions } from "../submit/submit-options.ts";
import { continueAsStream } from "../submit/task-job.ts";
import { forgetMoves, moveListOfArguments } from "../transfer/move.ts";
import { decodeValue, dropValue, encodeArguments, encodeValue, type SentValue } from "./encoded-value.ts";
import { EngineJob } from "./engine-job.ts";
import type { JobCarrier } from "./job-carrier.ts";
import { JobReports } from "./job-reports.ts";
import type { GeneratorCalls, JobReply } from "./job-request.ts";
import { argumentsOf } from "./inline-argument.ts";
import { InlineStream } from "./inline-stream.ts";

export class EngineJobs {
  readonly #carrier: JobCarrier;
  /** OPEN. */
  readonly #open = new Set<EngineJob>();
  readonly #carried = new Set<EngineJob>();
  /** How many jobs there were, and how they ended. */
  readonly counts = { submitted: 0, completed: 0, failed: 0, canceled: 0, crashed: 0 };
  readonly #reports = new JobReports();
  readonly #watch = new JobWatch<EngineJob>(
    (job, signal) => this.#giveUp(job, CANCELED, cancellationError(signal, job.fn.source)),
    (job, timeoutMs) => this.#giveUp(job, FAILED, new JobTimeoutError(timeoutMs)),
  );
  readonly #runExpired = (job: EngineJob, runTimeoutMs: number): void =>
    this.#giveUp(job, FAILED, new JobTimeoutError(runTimeoutMs, { limit: "runTimeoutMs" }));
  readonly #reportLost = (job: EngineJob): void => {
    if (!job.isDecided) this.#giveUp(job, FAILED, unreadProgress());
    else if (job.outcome === COMPLETED) {
      // It was heard together with the result, and comes before that.
      job.outcome = FAILED;
      job.value = unreadProgress();
    }
  };
  #closed: TaskCompletionSource<void> | null = null;
  #isDropped = false;
  #deadlineAt = Infinity;
  #deadline: NodeJS.Timeout | null = null;

  constructor(carrier: JobCarrier) {
    this.#carrier = carrier;
  }

  /** Whether `close` was called: no job is taken any more. */
  get isClosed(): boolean {
    return this.#closed !== null;
  }

  /**
   * Takes one job, as `JobTarget.submit`.
   * @throws NotCloneableError, PoolClosedError, and what the codecs of the context throw; nothing was detached then.
   */
  submit(
    fn: { readonly source: FunctionSource },
    args: readonly unknown[],
    options: SubmitOptions,
    below: Below,
  ): Task<unknown> {
    if (!someoneTracesJobs(fn.source)) return this.#submit(fn, args, options, below, null);
    return traceSubmission(fn.source, options.ofMap, (traced) =>
      this.#submit(fn, args, options, below, traced),
    );
  }

  #submit(
    fn: { readonly source: FunctionSource },
    args: readonly unknown[],
    options: SubmitOptions,
    below: Below,
    traced: TracedJob | null,
  ): Task<unknown> {
    const caller = callerOf(below, this.#open.size === 0, traced);
    const { reach = "thread" } = this.#carrier;
    const context = options.flowContext ? (ExecutionContext.capture()?.toCarrier(reach) ?? null) : null;
    const { retries } = options;
    const moved = moveListOfArguments(args, options.transfer);
    let streams: readonly MarkedStream[] | null = null;
    const beforeDetaching = (moves: boolean, found: readonly MarkedStream[] | null = null): void => {
      streams = found;
      if (this.isClosed) throw new PoolClosedError();
      if (moves && retries > 0)
        throw argumentRangeError("retries", "0 for a job whose arguments are moved", retries);
      if (found === null) return;
      checkUntaken(found, args);
      if (retries > 0)
        throw argumentRangeError("retries", "0 for a job that reads a stream of its caller", retries);
    };
    const { isElsewhere, bytesOnly } = this.#carrier;
    let sent: SentValue;
    try {
      sent = isElsewhere
        ? encodeValue(args, "args", { transfer: moved, bytesOnly, beforeDetaching })
        : encodeArguments(args, moved, beforeDetaching);
    } catch (error) {
      if (streams !== null) letGoAll(streams);
      throw error;
    }
    if (moved !== null) forgetMoves(args);
    // A carrier that stops jobs itself has no use for shared memory.
    const state = new CallState(this.#carrier.stop === undefined ? undefined : new Int32Array(1));
    const job = new EngineJob(fn, options, sent, context, state);
    if (streams !== null) job.received = argumentsOf(takeAll(streams, args));
    const listening = this.#reports.listenersOf(job, this.#runExpired, this.#reportLost);
    if (caller !== null || listening !== null) job.extras = jobExtras({ ...caller, ...listening });
    this.#open.add(job);
    this.counts.submitted++;
    // Where the job begins in `carry`, and is a stream, the job has another one afterwards.
    const { task } = job;
    this.#tellOfIt(job);
    this.#carry(job);
    return task;
  }

  #tellOfIt(job: EngineJob): void {
    const { signal, timeoutMs, runTimeoutMs } = job.options;
    const isWatched = signal !== undefined || timeoutMs !== undefined || runTimeoutMs !== undefined;
    // First: watched, the job may be over at once. Who listens may end it as well.
    publishJob("submit", job.fn.source, job);
    try {
      if (isWatched && !job.isDecided) this.#watch.watch(job, signal, timeoutMs);
    } catch (error) {
      // Of a signal that is no AbortSignal. The job was taken.
      this.#giveUp(job, FAILED, error);
    }
  }

  /** One attempt. */
  #carry(job: EngineJob): void {
    if (job.isDecided) return;
    const { state } = job;
    const isCurrent = (): boolean => job.state === state && this.#carried.delete(job);
    this.#carried.add(job);
    AsyncScope.root.run(() => {
      try {
        this.#reports.open(job, this.#carrier.isElsewhere);
        if (!this.#carrier.isElsewhere) job.streams = (calls) => this.#openStream(job, calls);
        this.#carrier.carry(job, {
          arrived: (reply) => {
            if (isCurrent()) this.#arrived(job, reply);
            else dropReply(reply);
          },
          settled: (kind, value) => {
            if (isCurrent()) this.#settle(job, kind === "result" ? COMPLETED : THREW, value);
          },
          failed: (error) => {
            if (isCurrent()) this.#failed(job, error);
          },
        });
      } catch (error) {
        if (isCurrent()) this.#failed(job, error);
      }
    });
  }

  /** The job has returned a generator. */
  #openStream(job: EngineJob, calls: GeneratorCalls): void {
    const stream = new InlineStream(job, calls, (reason) => this.#giveUp(job, CANCELED, reason));
    job.stream = stream;
    if (job.isDecided) stream.stop();
    else trySucceed(continueAsStream(job, job.options), stream.opened);
  }

  #arrived(job: EngineJob, reply: JobReply): void {
    if (reply.kind === "withdrawn") {
      // Only `close` leaves that to the carrier without an outcome of its own.
      this.#settle(job, FAILED, job.isDecided ? undefined : neverRan());
      return;
    }
    let kind: OutcomeKind = reply.kind === "result" ? COMPLETED : THREW;
    let value: unknown;
    try {
      if (job.isDecided) dropReply(reply);
      else value = decodeValue(reply.value);
    } catch (error) {
      kind = FAILED;
      value = error;
    }
    this.#settle(job, kind, value);
  }

  /** Its journey is over. */
  #settle(job: EngineJob, kind: OutcomeKind, value: unknown): void {
    if (job.extras.graceTimer !== null) clearTimeout(job.extras.graceTimer);
    this.#decide(job, kind, value);
    this.#closeWhenQuiet();
  }

  #failed(job: EngineJob, error: unknown): void {
    // Its request may still lie in some queue.
    job.state.giveUp();
    if (job.extras.graceTimer !== null) clearTimeout(job.extras.graceTimer);
    const isCrash = error instanceof ThreadCrashedError;
    const mayRetry = job.retriesLeft > 0 && this.#carrier.retriesThere !== true;
    if (!job.isDecided && isCrash && mayRetry && !this.#isDropped) {
      job.retriesLeft--;
      job.stopListening();
      job.extras.runLimit?.again();
      job.state = new CallState();
      this.#carry(job);
      return;
    }
    dropValue(job.args.value);
    this.#decide(job, isCrash ? CRASHED : FAILED, error);
    this.#closeWhenQuiet();
  }

  /** Settles the job at once, if it is open. What has not begun never does; what runs is asked to stop. */
  #giveUp(job: EngineJob, kind: OutcomeKind, value: unknown): void {
    if (job.isDecided) return;
    if (!this.#stop(job)) this.#terminateLater(job);
    this.#decide(job, kind, value);
    this.#closeWhenQuiet();
  }

  /** @returns whether it will never begin; otherwise it is asked to stop, or its carrier will say. */
  #stop(job: EngineJob): boolean {
    if (this.#carrier.stop !== undefined) {
      AsyncScope.root.run(() => this.#carrier.stop!(job));
      return false;
    }
    if (job.state.giveUp() === "begun") {
      job.stream?.stop();
      return false;
    }
    this.#carried.delete(job);
    dropValue(job.args.value);
    return true;
  }

  /** When the grace period is over. */
  #terminateLater(job: EngineJob): void {
    const { terminateAfterMs } = job.options;
    if (terminateAfterMs === null || !job.state.isRunning) return;
    const graceTimer = AsyncScope.root.run(setTimeout, () => this.#terminate(job), terminateAfterMs);
    graceTimer.unref();
    job.extras = { ...job.extras, graceTimer };
  }

  #terminate(job: EngineJob): void {
    if (this.#carried.has(job) && job.state.isRunning) this.#carrier.terminate?.(job);
  }

  #decide(job: EngineJob, kind: OutcomeKind, value: unknown): void {
    if (job.isDecided) return;
    job.isDecided = true;
    job.outcome = kind;
    job.value = value;
    this.#open.delete(job);
    this.#reports.end(job);
    this.counts[outcomeNames[job.outcome]]++;
    job.endArguments();
    tell(job);
    job.stream?.end();
  }

  /**
   * Takes no more jobs, and ends as `JobEngine.close` says. Every call returns the same task, and a later one can only hurry it.
   *
   * @param drain false: jobs that have not begun reject with PoolClosedError, those that run are asked to stop.
   * @param timeoutMs From now on; then everything that is open rejects with PoolClosedError, and what runs is left behind, or terminated where
   * the engine can.
   * @returns resolves when every job has settled and no job runs any more, or at the deadline.
   */
  close(drain: boolean, timeoutMs: number | undefined): Task<void> {
    this.#closed ??= new TaskCompletionSource<void>();
    if (timeoutMs !== undefined) this.#setDeadline(timeoutMs);
    if (!drain) this.#drop();
    this.#closeWhenQuiet();
    return this.#closed.task;
  }

  #drop(): void {
    this.#isDropped = true;
    for (const job of Array.from(this.#open)) {
      if (job.isDecided) continue;
      // One that is not carried yet: a subscriber of its submission has closed the engine.
      if (this.#stop(job) || !this.#carried.has(job)) this.#decide(job, FAILED, neverRan());
      else job.endArguments();
    }
  }

  #setDeadline(timeoutMs: number): void {
    const at = now() + timeoutMs;
    if (at >= this.#deadlineAt) return;
    this.#deadlineAt = at;
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = AsyncScope.root.run(setTimeout, this.#onDeadline, timeoutMs);
  }

  readonly #onDeadline = (): void => {
    const jobs = Array.from(this.#open);
    for (const job of Array.from(this.#carried)) {
      this.#stop(job);
      this.#terminate(job);
    }
    this.#carried.clear();
    for (const job of jobs)
      this.#decide(job, FAILED, new PoolClosedError("The engine was closed before this job ended"));
    this.#closeWhenQuiet();
  };

  #closeWhenQuiet(): void {
    if (this.#closed === null || this.#open.size > 0 || this.#carried.size > 0) return;
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#closed.trySetResult();
  }
}

function neverRan(): PoolClosedError {
  return new PoolClosedError("The engine was closed before this job could run");
}

/** Nobody waits for it any more. */
function dropReply(reply: JobReply): void {
  if (reply.kind !== "withdrawn") dropValue(reply.value);
}
