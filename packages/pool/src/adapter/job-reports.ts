/** What the jobs of an engine report while they run, and who listens. */
import { receiveMessageOnPort } from "node:worker_threads";
import type { JobExtras } from "../submit/job-extras.ts";
import { ProgressListeners } from "../submit/progress-listeners.ts";
import { RunLimit } from "../submit/run-limit.ts";
import { clone } from "../transfer/clone.ts";
import type { EngineJob } from "./engine-job.ts";
import type { JobReport } from "./job-request.ts";

export class JobReports {
  readonly #listeners = new ProgressListeners();

  /** Null: nobody wants to hear what the job reports. @param expired When its `runTimeoutMs` is over. */
  listenersOf(
    job: EngineJob,
    expired: (job: EngineJob, runTimeoutMs: number) => void,
  ): Pick<JobExtras, "progressId" | "runLimit"> | null {
    const { onProgress, runTimeoutMs } = job.options;
    if (onProgress === undefined && runTimeoutMs === undefined) return null;
    const runLimit =
      runTimeoutMs === undefined ? null : new RunLimit(runTimeoutMs, () => expired(job, runTimeoutMs));
    return { progressId: this.#listeners.add(onProgress, runLimit), runLimit };
  }

  /** For one attempt of the job. Called under the empty context. */
  open(job: EngineJob, isElsewhere: boolean): void {
    if (job.extras.progressId === 0) return;
    if (isElsewhere) job.listenByMessage((report) => this.#take(job, report));
    else job.listen({ postMessage: (report) => this.#take(job, clone(report, [])) });
  }

  /** The job has its outcome. What it has reported is told before that; what comes now is dropped. The user's code runs here. */
  end(job: EngineJob): void {
    const { port, extras } = job;
    if (port !== null)
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
        this.#take(job, next.message as JobReport);
    job.stopListening();
    if (extras.progressId !== 0) this.#listeners.remove(extras.progressId);
    this.#listeners.deliver();
  }

  #take({ extras }: EngineJob, report: JobReport): void {
    if (report.kind === "began") {
      // Not the first time, if it runs again without a word of its carrier.
      extras.runLimit?.again();
      this.#listeners.began(extras.progressId);
    } else this.#listeners.report(extras.progressId, report.value);
  }
}
