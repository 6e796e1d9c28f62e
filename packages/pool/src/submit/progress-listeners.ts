/**
 * Who listens to what which job reports, by number: its progress, and that a thread has begun it. Jobs that nobody listens to have number 0
 * and post nothing.
 */
import { AsyncScope } from "@skein/context";
import { NotCloneableError } from "../errors.ts";
import { queueMicrotask } from "../shared/timers.ts";
import type { RunLimit } from "./run-limit.ts";
import { throwAside } from "./throw-aside.ts";

interface Listeners {
  readonly progress: (value: unknown) => void;
  readonly lost: () => void;
  /** Of a job with a `runTimeoutMs`. */
  readonly runLimit: RunLimit | null;
}

interface Report {
  readonly listener: (value: unknown) => void;
  readonly value: unknown;
}

const ignore = (): void => {};
const silent: Listeners = { progress: ignore, lost: ignore, runLimit: null };

export class ProgressListeners {
  readonly #listeners = new Map<number, Listeners>();
  /** Reported, and not yet told from `#told` on: a message may be taken in while entries of the ledger move. */
  #reports: Report[] = [];
  #told = 0;
  #next = 1;

  /**
   * @param onProgress Called in the context of the call of this. What it throws becomes an uncaught exception.
   * @param lost Called when a value that was reported could not be read.
   * @returns the number of a new listener, never 0.
   */
  add(
    onProgress: ((value: unknown) => void) | undefined,
    lost: () => void,
    runLimit: RunLimit | null = null,
  ): number {
    let id = this.#next;
    while (id === 0 || this.#listeners.has(id)) id = (id + 1) & 0x7fff_ffff;
    this.#next = (id + 1) & 0x7fff_ffff;
    this.#listeners.set(id, {
      progress: onProgress === undefined ? ignore : guarded(onProgress),
      lost,
      runLimit,
    });
    return id;
  }

  remove(id: number): void {
    this.#listeners.delete(id);
  }

  /** The caller has the outcome, and a thread may still be at the job: what comes late is dropped, and the number stays the job's. */
  silence(id: number): void {
    if (this.#listeners.has(id)) this.#listeners.set(id, silent);
  }

  /** A job that is over has no listener any more: what comes late is dropped. The listener is called by the next `deliver`. */
  report(id: number, value: unknown): void {
    this.#add(this.#listeners.get(id)?.progress, value);
  }

  /** The same, when what was reported could not be read. */
  lost(id: number): void {
    this.#add(this.#listeners.get(id)?.lost, undefined);
  }

  /** A thread has begun the job. Its timer is set by the next `deliver`. */
  began(id: number): void {
    const runLimit = this.#listeners.get(id)?.runLimit ?? null;
    if (runLimit === null) return;
    runLimit.begin();
    this.#add(runLimit.startTimer, undefined);
  }

  #add(listener: Report["listener"] | undefined, value: unknown): void {
    if (listener === undefined) return;
    if (this.#reports.push({ listener, value }) === 1) AsyncScope.root.run(queueMicrotask, this.deliver);
  }

  get isEmpty(): boolean {
    return this.#reports.length === 0;
  }

  /** User code runs here, and may come back here: what is left is delivered then. */
  readonly deliver = (): void => {
    while (this.#told < this.#reports.length) {
      const { listener, value } = this.#reports[this.#told++]!;
      if (this.#told === this.#reports.length) {
        this.#reports = [];
        this.#told = 0;
      }
      listener(value);
    }
  };
}

/** For the job. */
export function unreadProgress(): NotCloneableError {
  return new NotCloneableError(
    "progress",
    "could not be read on the thread that has called the job: it is nested too deeply for the stack there; flatten it, for example into an array with indices for links",
  );
}

function guarded(onProgress: (value: unknown) => void): (value: unknown) => void {
  const scope = AsyncScope.capture();
  return (value) => {
    try {
      scope.run(onProgress, value);
    } catch (error) {
      throwAside(error);
    }
  };
}
