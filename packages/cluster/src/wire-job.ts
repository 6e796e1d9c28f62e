/**
 * One job that this worker has taken, from what the store says of it to its outcome.
 *
 * | comes to        | when                                                                                                  |
 * | an outcome      | it has run, or cannot run anywhere: it is given to the store, as the value of a completed job           |
 * | DelayedError    | it is not for this process, or not now: it was given back to the store, and does not count as begun      |
 * | AttemptError    | it threw, and has attempts left: the store gives it out again, after its wait                           |
 */
import { JobTimeoutError, PoolClosedError, QueueFullError, ThreadCrashedError } from "@skein/pool";
import { toWire } from "@skein/pool/engine";
import { DelayedError, type Job } from "bullmq";
import { encodeText } from "./codec/text.ts";
import { isConnectionError } from "./connection.ts";
import { VersionSkewError } from "./errors.ts";
import type { LookAhead } from "./look-ahead.ts";
import { Promise } from "./native-promise.ts";
import { ReportSender } from "./report-sender.ts";
import type { Solitude } from "./solitude.ts";
import type { ThreadAnswer, ThreadOutcome, ThreadReport } from "./thread-call.ts";
import type { ThreadCall, ThreadCalls } from "./thread-calls.ts";
import { clearTimeout, now, setTimeout } from "./timers.ts";
import { checkSize, readOutcome, readRequest, type WireOutcome, type WireRequest } from "./wire.ts";

export type StoredJob = Job<unknown, WireOutcome>;

/** How long a job stays away that is given back while another one runs alone, or because the pool takes none. */
const BUSY_MS = 200;
/** How long one stays away that was ahead, and whose turn does not come. */
const LATE_MS = 10;
/** How long one stays away that another version may be able to run. */
const SKEW_MS = 2000;
/** Until the store is asked again, after the connection has broken. */
const AGAIN_MS = 500;
/** So many losses make a job run alone, if it has more retries. */
const SUSPICIOUS = 2;

/** What its worker has for each of its jobs. */
export interface JobSurroundings {
  /** The module. */
  readonly url: string;
  readonly maxPayloadBytes: number;
  readonly skewMs: number;
  readonly solitude: Solitude;
  readonly lookAhead: LookAhead;
  readonly calls: ThreadCalls;
  readonly onError: (error: Error) => void;
  /** The store cannot be asked any more. */
  readonly isDisconnected: () => boolean;
  /** The job waits for jobs of the cluster that it has submitted, or does not wait any more. */
  waits(job: WireJob, isWaiting: boolean): void;
}

class AttemptError extends Error {
  override readonly name = "AttemptError";
  /** The store would keep the stack of each attempt, and carry all of them along with the job. */
  override readonly stack = "";
}

export class WireJob {
  readonly #stored: StoredJob;
  readonly #around: JobSurroundings;
  /** The one that is under way. */
  #call: ThreadCall | null = null;
  #isStopping = false;
  #isWaiting = false;
  /** Its time was over while it ran: that is its outcome, whatever it did then. */
  #expired: JobTimeoutError | null = null;
  #limit: NodeJS.Timeout | undefined;

  constructor(stored: StoredJob, around: JobSurroundings) {
    this.#stored = stored;
    this.#around = around;
  }

  /** It is asked to stop, or never begins. */
  stop(): void {
    this.#isStopping = true;
    this.#call?.stop();
  }

  /** @throws DelayedError, AttemptError: see above. */
  async run(): Promise<WireOutcome> {
    let request: WireRequest;
    try {
      request = readRequest(this.#stored.data, this.#around.maxPayloadBytes);
    } catch (error) {
      if (error instanceof VersionSkewError) await this.#leaveToOthers();
      return errorOutcome(error);
    }
    const { stalledCounter } = this.#stored;
    if (stalledCounter > request.lostRetries) return { kind: "lost", starts: stalledCounter };
    const { solitude, lookAhead } = this.#around;
    const isOnce = request.lostRetries === 0;
    // It may be what the worker was lost for, or what would be lost for good: nothing that need not be here is to go with it.
    if (stalledCounter > 0 || isOnce) lookAhead.reset();
    if (isOnce && !lookAhead.hasRoom) await solitude.turnAway(() => this.#giveBack(LATE_MS));
    const isSuspect = stalledCounter > 0 && stalledCounter >= Math.min(SUSPICIOUS, request.lostRetries);
    const isAdmitted = isSuspect ? await solitude.enterAlone(this) : solitude.enter();
    if (!isAdmitted) await solitude.turnAway(() => this.#giveBack(BUSY_MS));
    try {
      return await this.#runAdmitted(request);
    } finally {
      if (this.#isWaiting) this.#wait(false);
      solitude.leave(this);
    }
  }

  async #runAdmitted(request: WireRequest): Promise<WireOutcome> {
    const children = await this.#childResults(request);
    if (children !== null && "kind" in children) return children;
    const reports = request.reports
      ? new ReportSender((texts) => this.#stored.updateProgress({ texts }).catch(this.#around.onError))
      : null;
    this.#setLimit(request, now() + (request.leftMs ?? Infinity));
    let outcome: ThreadOutcome;
    try {
      outcome = await this.#callUntilOver(request, children, reports);
    } finally {
      clearTimeout(this.#limit);
    }
    if (reports !== null) await reports.end();
    if (this.#expired !== null) return errorOutcome(this.#expired);
    if (outcome.kind === "unknown") {
      await this.#leaveToOthers();
      return { kind: "error", text: outcome.text };
    }
    const { attemptsMade, opts } = this.#stored;
    if (outcome.kind === "error" && !this.#isStopping && attemptsMade + 1 < (opts.attempts ?? 1))
      throw new AttemptError("The job threw, and runs again");
    return outcome;
  }

  /** Null: it has none. An outcome: one of them has failed, and so does this job, which does not run. */
  async #childResults({ children }: WireRequest): Promise<readonly string[] | WireOutcome | null> {
    if (children === null) return null;
    const values = Object.entries(await this.#ask(() => this.#stored.getChildrenValues<unknown>()));
    const byId = new Map(values.map(([key, value]) => [key.slice(key.lastIndexOf(":") + 1), value]));
    const texts: string[] = [];
    for (const id of children) {
      let outcome: WireOutcome;
      try {
        outcome = readOutcome(byId.get(id), this.#around.maxPayloadBytes);
      } catch (error) {
        return errorOutcome(error);
      }
      if (outcome.kind !== "result") return outcome;
      texts.push(outcome.text);
    }
    return texts;
  }

  async #callUntilOver(
    request: WireRequest,
    children: readonly string[] | null,
    reports: ReportSender | null,
  ): Promise<ThreadOutcome> {
    const onReport = (report: ThreadReport): void => {
      if (typeof report === "string") this.#wait(report === "waits");
      else reports?.add(report.text);
    };
    for (let crashes = 0; ;) {
      if (this.#isStopping) return { kind: "withdrawn" };
      try {
        const answer = await this.#callOnce(request, children, crashes, onReport);
        if (answer !== null) return answer.outcome;
      } catch (error) {
        if (this.#isWaiting) this.#wait(false);
        if (error instanceof DelayedError) throw error;
        if (!(error instanceof ThreadCrashedError)) return errorOutcome(error);
        if (crashes >= request.threadRetries || this.#isStopping)
          return crashOutcome(error, this.#around.maxPayloadBytes);
        crashes++;
        continue;
      }
      // Its turn did not come.
      if (!this.#isStopping && !this.#around.lookAhead.hasRoom) await this.#giveBack(LATE_MS);
    }
  }

  /** @returns null: it never began. @throws DelayedError, ThreadCrashedError, and what the pool says. */
  async #callOnce(
    request: WireRequest,
    children: readonly string[] | null,
    crashes: number,
    onReport: (report: ThreadReport) => void,
  ): Promise<ThreadAnswer | null> {
    const { url, maxPayloadBytes, lookAhead, calls } = this.#around;
    const { attemptsMade, stalledCounter } = this.#stored;
    const attempt = attemptsMade + stalledCounter + crashes + 1;
    const { isAlone } = lookAhead;
    const { v, from, fn, each, args, context, reports } = request;
    const call = calls.begin(
      { v, from, fn, each, args, context, reports, url, attempt, isAlone, children, maxPayloadBytes },
      onReport,
    );
    this.#call = call;
    lookAhead.sent(call, isAlone);
    let isAtOnce = false;
    try {
      const answer = await call.answer;
      isAtOnce = answer?.isAtOnce ?? false;
      return answer;
    } catch (error) {
      const isRefused = error instanceof PoolClosedError || error instanceof QueueFullError;
      if (isRefused && !this.#isStopping && !call.hasBegun) {
        // That is not the job's fault, and the pool of another worker may take it.
        this.#around.onError(error);
        await this.#giveBack(BUSY_MS);
      }
      throw error;
    } finally {
      this.#call = null;
      lookAhead.ended(call, isAtOnce);
    }
  }

  /** For when its caller is not there to stop it, or hears later that it has begun. @param endsAt When its caller's time is over; by `now()`. */
  #setLimit(request: WireRequest, endsAt: number): void {
    const { leftMs, runTimeoutMs } = request;
    const isOfRun = runTimeoutMs !== null && runTimeoutMs < endsAt - now();
    const ms = isOfRun ? runTimeoutMs : leftMs;
    if (ms === null) return;
    this.#limit = setTimeout(
      () => {
        if (isOfRun && this.#call?.hasBegun !== true) {
          this.#setLimit(request, endsAt);
          return;
        }
        this.#expired = new JobTimeoutError(ms, { limit: isOfRun ? "runTimeoutMs" : "timeoutMs" });
        this.stop();
      },
      isOfRun ? ms : endsAt - now(),
    );
    this.#limit.unref();
  }

  #wait(isWaiting: boolean): void {
    if (isWaiting === this.#isWaiting) return;
    this.#isWaiting = isWaiting;
    if (isWaiting) this.#around.solitude.wait(this);
    else this.#around.solitude.proceed();
    this.#around.waits(this, isWaiting);
  }

  /** Another worker may be of another version. Returns when none was, for long enough. */
  async #leaveToOthers(): Promise<void> {
    const { skewMs } = this.#around;
    if (this.#isStopping) return;
    // Each time it was given out counts as a start, and nothing else tells for how long that goes on: clocks may differ.
    const { attemptsStarted, attemptsMade, stalledCounter } = this.#stored;
    const leftMs = skewMs - (attemptsStarted - attemptsMade - stalledCounter - 1) * SKEW_MS;
    if (leftMs > 0) await this.#giveBack(Math.min(SKEW_MS, leftMs));
  }

  async #giveBack(pauseMs: number): Promise<never> {
    let isAgain = false;
    await this.#ask(async () => {
      try {
        // By the clock that BullMQ reads there: a fake one is years away from the real one.
        await this.#stored.moveToDelayed(Date.now() + pauseMs, this.#stored.token);
      } catch (error) {
        // It was given back the time before, and the answer was lost: now it is not this worker's.
        if (!isAgain || isConnectionError(error)) throw error;
      } finally {
        isAgain = true;
      }
    });
    throw new DelayedError();
  }

  /** Again until the store answers: what rejects here, BullMQ takes for the end of the job. On Redis the connection itself does that. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await question();
      } catch (error) {
        if (!isConnectionError(error) || this.#around.isDisconnected()) throw error;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }
}

function crashOutcome(error: ThreadCrashedError, maxPayloadBytes: number): WireOutcome {
  const exitCode = error.exitCode ?? null;
  try {
    // Without the name of what brought the job to its thread.
    const text = encodeText(toWire(error.forOneJob()), "error");
    checkSize("error", text, maxPayloadBytes);
    return { kind: "crashed", exitCode, text };
  } catch {
    // Its cause is too large, or has something that only memory can carry.
    return { kind: "crashed", exitCode };
  }
}

export function errorOutcome(error: unknown): WireOutcome {
  return { kind: "error", text: encodeText(toWire(error), "error") };
}
