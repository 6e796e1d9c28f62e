/** A job whose outcome is called back: nothing is made for it but this object. */
import { withJob } from "../codec/job-of-error.ts";
import { JobCanceledError } from "../errors.ts";
import { labelOf } from "../jobs/function-name.ts";
import { type FunctionEntry, noFunction } from "./function-registry.ts";
import { PendingJob } from "./pending-job.ts";
import { defaultSubmitOptions, type SubmitOptions } from "./submit-options.ts";

/**
 * Who hears how a job has ended: one of the two is called, once, on the thread that sent it and in no particular context. It may send jobs and
 * cancel them; what it throws is an uncaught exception.
 */
export interface JobReceiver {
  completed(result: unknown): void;
  /** @param error What `run` would reject with. */
  failed(error: unknown): void;
}

type Cancel = (job: CallbackJob, reason: Error) => void;

const ignore = (): void => {};

export class CallbackJob extends PendingJob {
  /** See TaskJob. */
  static readonly kept: CallbackJob = new CallbackJob(
    noFunction,
    defaultSubmitOptions,
    { completed: ignore, failed: ignore },
    ignore,
  );

  readonly options: SubmitOptions;
  readonly #receiver: JobReceiver;
  readonly #cancel: Cancel;
  isOver = false;
  contextBeside: number | null = null;

  /** @param cancel As Ledger.cancel; one for all jobs. */
  constructor(fn: FunctionEntry, options: SubmitOptions, receiver: JobReceiver, cancel: Cancel) {
    super(fn);
    this.options = options;
    this.#receiver = receiver;
    this.#cancel = cancel;
  }

  cancel(reason?: unknown): void {
    if (!this.isOver) this.#cancel(this, withJob(new JobCanceledError(reason), labelOf(this.fn.source)));
  }

  get task(): object {
    return this;
  }

  get args(): null {
    return null;
  }

  get isNumbers(): boolean {
    return false;
  }

  trySetResult(result: unknown): void {
    this.isOver = true;
    this.#receiver.completed(result);
  }

  /** @param error In a list, if it is one itself: see `rejectionOf`. */
  trySetError(error: unknown): void {
    this.isOver = true;
    this.#receiver.failed(Array.isArray(error) ? error[0] : error);
  }

  trySetCanceled(reason: Error): void {
    this.isOver = true;
    this.#receiver.failed(reason);
  }
}
