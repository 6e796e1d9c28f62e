/**
 * `runTimeoutMs`: how long a job may run, from the moment a thread begins it. The thread reports that moment (a TIMED job, see
 * shared/slot.ts), and the submitter keeps the time, by the timers that were global at the call, as for `timeoutMs`.
 *
 * | state   | means                                                               | moves to                                            |
 * | ------- | ------------------------------------------------------------------- | --------------------------------------------------- |
 * | waiting | no thread has begun the job; or its thread died, and it runs again  | begun: by `begin`; over: by `stop`                  |
 * | begun   | the report has come in; the timer is the next report that is told   | running: by `startTimer`; waiting: by `again`; over: by `stop` |
 * | running | a timer runs                                                        | waiting: by `again`; over: by its timer, or `stop`  |
 * | over    | the job has its outcome                                             | -                                                   |
 *
 * `begin` and `again` are called while entries of the ledger move. The timers may be the user's code: so a timer is set later, and one that
 * `again` leaves behind is forgotten, and cleared later.
 */
import { AsyncScope } from "@skein/context";
import { throwAside } from "./throw-aside.ts";

type Timers = Pick<typeof globalThis, "setTimeout" | "clearTimeout">;
type Timer = ReturnType<typeof globalThis.setTimeout>;

export class RunLimit {
  readonly #ms: number;
  readonly #expired: () => void;
  /** Null: the call that submits the job has not got so far. */
  #timers: Timers | null = null;
  #state: "waiting" | "begun" | "running" | "over" = "waiting";
  #timer: Timer | undefined;

  /** @param expired Called once at most. */
  constructor(ms: number, expired: () => void) {
    this.#ms = ms;
    this.#expired = expired;
  }

  /** The job is accepted. @param timers The user's. */
  watch(timers: Timers): void {
    this.#timers = timers;
    this.startTimer();
  }

  /** A thread has begun the job. */
  begin(): void {
    if (this.#state === "waiting") this.#state = "begun";
  }

  /** The user's code may run. */
  readonly startTimer = (): void => {
    if (this.#state !== "begun" || this.#timers === null) return;
    this.#clear(this.#timers);
    this.#state = "running";
    const { setTimeout } = this.#timers;
    try {
      const timer = AsyncScope.root.run(() => setTimeout(() => this.#onTimeout(timer), this.#ms));
      this.#timer = timer;
    } catch (error) {
      throwAside(error);
    }
  };

  /** The thread that had the job has died, and the job is queued again. */
  again(): void {
    if (this.#state !== "over") this.#state = "waiting";
  }

  /** The job has its outcome. */
  stop(): void {
    this.#state = "over";
    if (this.#timers !== null) this.#clear(this.#timers);
  }

  #onTimeout(timer: Timer): void {
    if (this.#state !== "running" || timer !== this.#timer) return;
    this.#state = "over";
    this.#expired();
  }

  #clear({ clearTimeout }: Timers): void {
    const timer = this.#timer;
    this.#timer = undefined;
    if (timer === undefined) return;
    try {
      clearTimeout(timer);
    } catch (error) {
      throwAside(error);
    }
  }
}
