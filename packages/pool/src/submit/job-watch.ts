/**
 * The caller's signal and clocks. One listener per signal however many jobs share it: removing one of n listeners from an
 * AbortSignal takes time proportional to n.
 */
import { abortOnce } from "@skein/scheduling/internal";
import { type CancelSignal, ForgetfulSignal } from "./cancel-signal.ts";
import type { DecidedJob } from "./pending-job.ts";

type Cancel<J> = (job: J, signal: CancelSignal) => void;
type Expire<J> = (job: J, timeoutMs: number) => void;

interface Group<J> {
  readonly jobs: Set<J>;
  readonly listener: () => void;
}

export class JobWatch<J extends Pick<DecidedJob, "extras">> {
  /** Not weak, which costs collections much: a group goes with its last job, and a job has its signal. */
  readonly #groups = new Map<CancelSignal, Group<J>>();
  readonly #cancel: Cancel<J>;
  readonly #expire: Expire<J>;

  constructor(cancel: Cancel<J>, expire: Expire<J>) {
    this.#cancel = cancel;
    this.#expire = expire;
  }

  /** @throws what `addEventListener` of the signal throws; the job is not watched then. */
  watch(job: J, signal: CancelSignal | undefined, timeoutMs: number | undefined): void {
    const { runLimit } = job.extras;
    // Time that a caller asks for is steered by the timers that are global at the call: fake ones too.
    const { setTimeout, clearTimeout } = globalThis;
    if (signal !== undefined) this.#join(job, signal);
    const timer = timeoutMs === undefined ? undefined : setTimeout(this.#expire, timeoutMs, job, timeoutMs);
    const stopWatching = (): void => {
      if (timer !== undefined) clearTimeout(timer);
      runLimit?.stop();
      if (signal !== undefined) this.#leave(job, signal);
    };
    job.extras = { ...job.extras, stopWatching };
    runLimit?.watch({ setTimeout, clearTimeout });
    // A getter of the arguments may have fired it.
    if (signal?.aborted === true) this.#cancel(job, signal);
  }

  #join(job: J, signal: CancelSignal): void {
    let group = this.#groups.get(signal);
    if (group === undefined) {
      const jobs = new Set<J>();
      group = {
        jobs,
        listener: () => {
          // Each leaves the group as it settles, and its continuations may submit others.
          for (const each of Array.from(jobs)) this.#cancel(each, signal);
        },
      };
      this.#groups.set(signal, group);
      try {
        signal.addEventListener("abort", group.listener, abortOnce);
      } catch (error) {
        this.#groups.delete(signal);
        throw error;
      }
    } else if (signal instanceof ForgetfulSignal) signal.renew();
    group.jobs.add(job);
  }

  #leave(job: J, signal: CancelSignal): void {
    const group = this.#groups.get(signal)!;
    group.jobs.delete(job);
    if (group.jobs.size > 0) return;
    signal.removeEventListener("abort", group.listener);
    this.#groups.delete(signal);
  }
}
