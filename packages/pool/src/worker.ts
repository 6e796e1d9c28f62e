/**
 * `@skein/pool/worker`: what a job can ask about itself. Every member also works outside a job, on any thread, where nothing
 * is ever cancelled: a job module runs unchanged when it is called directly.
 */
import { threadId } from "node:worker_threads";
import { JobCanceledError } from "./errors.ts";
import { runningJob } from "./worker/current-job.ts";

export { registerError } from "./codec/error-registry.ts";

const neverAborted = new AbortController().signal;

/** The job that is running on this thread. */
export interface JobScope {
  /**
   * Whether the caller cancelled this job or its time is over. Reads shared memory, so a busy loop sees it although the
   * thread's event loop stands still. Costs a few nanoseconds. Valid until the job has returned.
   */
  readonly isCancellationRequested: boolean;
  /**
   * The same as an AbortSignal, for jobs that await. Its event fires when the thread's event loop runs; a job that never
   * awaits must poll `isCancellationRequested`. Made at first use.
   */
  readonly signal: AbortSignal;
  /** @throws {JobCanceledError} when cancellation was requested; the caller's task rejected with the reason already. */
  throwIfCancellationRequested(): void;
  /** `worker_threads.threadId` of this thread. */
  readonly threadId: number;
}

export const job: JobScope = Object.freeze({
  get isCancellationRequested(): boolean {
    return runningJob()?.isCancellationRequested ?? false;
  },

  get signal(): AbortSignal {
    const running = runningJob();
    if (running === null) return neverAborted;
    const { controller } = running;
    if (running.isCancellationRequested) controller.abort(new JobCanceledError());
    return controller.signal;
  },

  throwIfCancellationRequested(): void {
    if (job.isCancellationRequested) throw new JobCanceledError();
  },

  threadId,
});
