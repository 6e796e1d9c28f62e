import type { AsyncScope } from "@skein/context";
import { JobCanceledError } from "../errors.ts";
import type { CallState } from "../shared/call-state.ts";
import { type JobInProgress, newJobId } from "../worker/current-job.ts";
import type { ReportPort } from "./job-request.ts";
import { AbortController } from "../shared/intrinsics.ts";

/** A job that `runJob` runs, as its own code sees it. */
export class CallInProgress implements JobInProgress {
  readonly #state: CallState;
  readonly #reports: ReportPort | null;
  /** Its context: listeners of its signal hear in it. */
  readonly #scope: AsyncScope;
  #id: string | null = null;
  #controller: AbortController | null = null;

  constructor(state: CallState, reports: ReportPort | null, scope: AsyncScope) {
    this.#state = state;
    this.#reports = reports;
    this.#scope = scope;
  }

  get id(): string {
    return (this.#id ??= newJobId());
  }

  get isCancellationRequested(): boolean {
    return this.#state.isStopping;
  }

  /** Made when it is first asked for: most jobs never do. */
  get controller(): AbortController {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      void this.#abortWhenStopping(this.#controller);
    }
    return this.#controller;
  }

  progress(value: unknown): void {
    if (this.#state.isRunning) this.#reports?.postMessage({ kind: "progress", value });
  }

  async #abortWhenStopping(controller: AbortController): Promise<void> {
    await this.#state.whenStopping();
    if (this.isCancellationRequested) this.#scope.run(() => controller.abort(new JobCanceledError()));
  }
}
