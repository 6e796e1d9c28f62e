/**
 * The caller's signal and clock. One listener per signal however many jobs share it: removing one of n listeners from an
 * AbortSignal takes time proportional to n.
 */
import type { CancelSignal } from "./cancel-signal.ts";
import type { PendingJob } from "./pending-job.ts";

type Cancel = (job: PendingJob, signal: CancelSignal) => void;
type Expire = (job: PendingJob, timeoutMs: number) => void;

interface Group {
  readonly jobs: Set<PendingJob>;
  readonly listener: () => void;
}

export class JobWatch {
  readonly #groups = new WeakMap<CancelSignal, Group>();
  readonly #cancel: Cancel;
  readonly #expire: Expire;

  constructor(cancel: Cancel, expire: Expire) {
    this.#cancel = cancel;
    this.#expire = expire;
  }

  watch(job: PendingJob, signal: CancelSignal | undefined, timeoutMs: number | undefined): void {
    // Time that a caller asks for is steered by the timers that are global at the call: fake ones too.
    const { setTimeout, clearTimeout } = globalThis;
    const timer = timeoutMs === undefined ? undefined : setTimeout(this.#expire, timeoutMs, job, timeoutMs);
    if (signal !== undefined) this.#join(job, signal);
    const stopWatching = (): void => {
      if (timer !== undefined) clearTimeout(timer);
      if (signal !== undefined) this.#leave(job, signal);
    };
    job.extras = { ...job.extras, stopWatching };
    // A getter of the arguments may have fired it.
    if (signal?.aborted === true) this.#cancel(job, signal);
  }

  #join(job: PendingJob, signal: CancelSignal): void {
    let group = this.#groups.get(signal);
    if (group === undefined) {
      const jobs = new Set<PendingJob>();
      group = {
        jobs,
        listener: () => {
          // Each leaves the group as it settles, and its continuations may submit others.
          for (const each of Array.from(jobs)) this.#cancel(each, signal);
        },
      };
      this.#groups.set(signal, group);
      signal.addEventListener("abort", group.listener, { once: true });
    }
    group.jobs.add(job);
  }

  #leave(job: PendingJob, signal: CancelSignal): void {
    const group = this.#groups.get(signal)!;
    group.jobs.delete(job);
    if (group.jobs.size > 0) return;
    signal.removeEventListener("abort", group.listener);
    this.#groups.delete(signal);
  }
}
