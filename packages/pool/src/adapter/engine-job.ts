import { TaskCompletionSource } from "@skein/scheduling";
import { MessageChannel, type MessagePort, type Transferable } from "node:worker_threads";
import type { FunctionSource } from "../jobs/function-source.ts";
import type { CallState } from "../shared/call-state.ts";
import { type JobExtras, noExtras } from "../submit/job-extras.ts";
import { COMPLETED, type DecidedJob, type OutcomeKind } from "../submit/pending-job.ts";
import type { SubmitOptions } from "../submit/submit-options.ts";
import { jobsElsewhere } from "../worker/current-job.ts";
import type { SentValue } from "./encoded-value.ts";
import type { InlineArgument } from "./inline-argument.ts";
import type { InlineStream } from "./inline-stream.ts";
import type { JobReport, JobRequest, ReportPort } from "./job-request.ts";

/** A job as its engine carries it. */
export interface CarriedJob {
  /** For the thread; see `runJob`. */
  readonly request: JobRequest;
  /** What has to be listed when the request is posted. */
  readonly transfer: readonly Transferable[];
  readonly options: SubmitOptions;
  /** Whether a job that runs on this thread, and may wait for it, has submitted it. */
  readonly isNested: boolean;
  /** Whether a thread has begun it: if it has no reply, that thread has died with it. */
  readonly hasBegun: boolean;
  /** Whether its caller has its outcome already. One that has not begun need not be carried on. */
  readonly isDecided: boolean;
  /** How often it may still run again after its thread died. */
  readonly retriesLeft: number;
  /** What its caller has: as channels name it. */
  readonly task: object;
}

/** A job on the thread that calls, from the call to its settlement. Its moves: see engine-jobs.ts. */
export class EngineJob extends TaskCompletionSource<unknown> implements DecidedJob, CarriedJob {
  readonly fn: { readonly source: FunctionSource };
  readonly options: SubmitOptions;
  readonly args: SentValue;
  readonly isNested: boolean = jobsElsewhere().getStore() !== undefined;
  extras: JobExtras = noExtras;
  outcome: OutcomeKind = COMPLETED;
  value: unknown = undefined;
  isDecided = false;
  retriesLeft: number;
  /** Of the attempt that is under way. */
  state: CallState;
  /** Where reports of that attempt arrive; null: nobody listens, or they come without messages. */
  port: MessagePort | null = null;
  #reports: ReportPort | null = null;
  readonly #context: string | null;
  /** Null: it gives its result in one piece, as far as is known. */
  stream: InlineStream | null = null;
  /** Arguments that come piece by piece, by their numbers; null: none. */
  received: ReadonlyMap<number, InlineArgument> | null = null;
  /** Opens it; undefined: the job runs on another thread, where it cannot. */
  streams: JobRequest["streams"] = undefined;

  constructor(
    fn: { readonly source: FunctionSource },
    options: SubmitOptions,
    args: SentValue,
    context: string | null,
    state: CallState,
  ) {
    super(options.continuations);
    this.fn = fn;
    this.options = options;
    this.args = args;
    this.retriesLeft = options.retries;
    this.#context = context;
    this.state = state;
  }

  /** No item comes any more: whoever waits for one in the job is told that it is to stop. May be called again. Code of the user's runs here. */
  endArguments(): void {
    if (this.received !== null) for (const argument of this.received.values()) argument.end();
  }

  get isOver(): boolean {
    return this.task.isCompleted;
  }

  get hasBegun(): boolean {
    return this.state.hasBegun;
  }

  get request(): JobRequest {
    return {
      fn: this.fn.source,
      args: this.args.value,
      context: this.#context,
      state: this.state.words,
      attempt: this.options.retries - this.retriesLeft + 1,
      reports: this.#reports,
      ...(this.streams !== undefined && { streams: this.streams }),
      ...(this.received !== null && { received: this.received }),
    };
  }

  get transfer(): readonly Transferable[] {
    const { transfer } = this.args;
    return this.port === null ? transfer : [...transfer, this.#reports as MessagePort];
  }

  /** The job will be on this thread. */
  listen(port: ReportPort): void {
    this.#reports = port;
  }

  /**
   * The job will be on another thread: what it reports comes as a message. Called under the empty context, and so are the listeners.
   * @param lost When one cannot be read here.
   */
  listenByMessage(listener: (report: JobReport) => void, lost: () => void): void {
    const { port1, port2 } = new MessageChannel();
    port1.on("messageerror", lost);
    port1.on("message", listener);
    // It is its job that keeps the process alive.
    port1.unref();
    this.port = port1;
    this.#reports = port2;
  }

  stopListening(): void {
    this.port?.close();
    this.port = null;
  }
}
