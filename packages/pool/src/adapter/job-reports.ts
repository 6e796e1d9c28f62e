/** What the jobs of an engine report while they run, and who listens. */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { JobExtras } from "../submit/job-extras.ts";
import { ProgressListeners } from "../submit/progress-listeners.ts";
import { RunLimit } from "../submit/run-limit.ts";
import { clone } from "../transfer/clone.ts";
import type { EngineJob } from "./engine-job.ts";
import type { JobReport } from "./job-request.ts";

export class JobReports {
  readonly #listeners = new ProgressListeners();

  /**
   * Null: nobody wants to hear what the job reports.
   * @param expired When its `runTimeoutMs` is over.
   * @param lost When what it has reported cannot be read here.
   */
  listenersOf(
    job: EngineJob,
    expired: (job: EngineJob, runTimeoutMs: number) => void,
    lost: (job: EngineJob) => void,
  ): Pick<JobExtras, "progressId" | "runLimit"> | null {
    const { onProgress, runTimeoutMs } = job.options;
    if (onProgress === undefined && runTimeoutMs === undefined) return null;
    const runLimit =
      runTimeoutMs === undefined ? null : new RunLimit(runTimeoutMs, () => expired(job, runTimeoutMs));
    return { progressId: this.#listeners.add(onProgress, () => lost(job), runLimit), runLimit };
  }

  /** For one attempt of the job. Called under the empty context. */
  open(job: EngineJob, isElsewhere: boolean): void {
    if (job.extras.progressId === 0) return;
    if (isElsewhere)
      job.listenByMessage(
        (report) => this.#take(job, report),
        () => this.#listeners.lost(job.extras.progressId),
      );
    else job.listen({ postMessage: (report) => this.#take(job, clone(report, [])) });
  }

  /** The job has its outcome. What it has reported is told before that; what comes now is dropped. The user's code runs here. */
  end(job: EngineJob): void {
    const { port, extras } = job;
    if (port !== null) while (this.#takeNext(job, port));
    job.stopListening();
    if (extras.progressId !== 0) this.#listeners.remove(extras.progressId);
    this.#listeners.deliver();
  }

  /** @returns whether there was one. */
  #takeNext(job: EngineJob, port: MessagePort): boolean {
    let next: ReturnType<typeof receiveMessageOnPort>;
    try {
      next = receiveMessageOnPort(port);
    } catch {
      this.#listeners.lost(job.extras.progressId);
      return true;
    }
    if (next !== undefined) this.#take(job, next.message as JobReport);
    return next !== undefined;
  }

  #take({ extras }: EngineJob, report: JobReport): void {
    if (report.kind === "began") {
      // Not the first time, if it runs again without a word of its carrier.
      extras.runLimit?.again();
      this.#listeners.began(extras.progressId);
    } else if (report.kind === "lost") this.#listeners.lost(extras.progressId);
    else this.#listeners.report(extras.progressId, report.value);
  }
}
