/** The worker's side of the calls that threads make. */
import { ThreadCrashedError, type ThreadPool } from "@skein/pool";
import {
  type CallState,
  type JobModule,
  type JobReceiver,
  JobSender,
  type SentJob,
} from "@skein/pool/engine";
import { CallStates } from "./call-states.ts";
import type { NumberedReport, ThreadAnswer, ThreadReport } from "./thread-call.ts";
import type * as Thread from "./thread.ts";
import { Promise } from "./native-promise.ts";

type SentArguments = Parameters<typeof Thread.runWireJob>;

export class ThreadCalls {
  readonly #sender: JobSender<SentArguments>;
  readonly #states = new CallStates();
  /** Those that may still report. */
  readonly #calls = new Map<number, ThreadCall>();
  #next = 0;

  constructor(pool: ThreadPool, thread: JobModule<typeof Thread>) {
    this.#sender = new JobSender(pool, thread.runWireJob, {
      onProgress: (said) => {
        const { call, report } = said as NumberedReport;
        this.#calls.get(call)?.report(report);
      },
    });
  }

  /** @param onReport Hears what the job reports. */
  begin(about: Thread.WireCall, onReport: (report: ThreadReport) => void): ThreadCall {
    const number = this.#next++;
    const state = this.#states.take();
    const call = new ThreadCall(state, about.isAlone, onReport, (isAnswered) => {
      this.#calls.delete(number);
      if (isAnswered) this.#states.giveBack(state);
    });
    this.#calls.set(number, call);
    try {
      call.sent(this.#sender.send([about, number, state.words], call, undefined, null));
    } catch (error) {
      call.failed(error);
    }
    return call;
  }
}

/**
 * State | SENT  | it lies in a queue of the pool, or a thread has it                                | construction
 *       | TAKEN | it never begins here; a thread that has it lets go of it                          | takeBack, stop
 *       | OVER  | final                                                                             | completed, failed
 */
export class ThreadCall implements JobReceiver {
  /** Null: it never began. Rejects with ThreadCrashedError, and what the pool says. */
  readonly answer: Promise<ThreadAnswer | null>;
  readonly report: (report: ThreadReport) => void;
  readonly #state: CallState;
  readonly #isAlone: boolean;
  readonly #over: (isAnswered: boolean) => void;
  readonly #resolve: (answer: ThreadAnswer | null) => void;
  readonly #reject: (error: unknown) => void;
  /** Null: it could not be sent. */
  #job: SentJob | null = null;

  /** @param over Hears at the end whether the thread has answered: otherwise it may still have the state. */
  constructor(
    state: CallState,
    isAlone: boolean,
    report: (report: ThreadReport) => void,
    over: (isAnswered: boolean) => void,
  ) {
    this.#state = state;
    this.#isAlone = isAlone;
    this.report = report;
    this.#over = over;
    const { promise, resolve, reject } = Promise.withResolvers<ThreadAnswer | null>();
    this.answer = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  sent(job: SentJob): void {
    this.#job = job;
  }

  /** Whether its function has; not asked when it is completed. */
  get hasBegun(): boolean {
    return this.#state.hasBegun;
  }

  /** It is asked to stop, or never begins. */
  stop(): void {
    if (this.#state.giveUp() === "withdrawn") this.#take();
  }

  /** @returns false: it has begun. */
  takeBack(): boolean {
    if (!this.#state.withdraw()) return false;
    this.#take();
    return true;
  }

  #take(): void {
    this.#resolve(null);
    // Perhaps a thread holds it until another one has ended, and counts it among the jobs that it has.
    this.#job?.cancel();
  }

  completed(answer: unknown): void {
    this.#over(true);
    this.#resolve(answer as ThreadAnswer);
  }

  failed(error: unknown): void {
    this.#over(false);
    // It waited on that thread for another one to end.
    if (this.#isAlone && error instanceof ThreadCrashedError && !this.#state.hasBegun) this.#resolve(null);
    else this.#reject(error);
  }
}
