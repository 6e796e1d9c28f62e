/**
 * Jobs that this thread has claimed, and whose arguments are not all here. Carried values are with the host: they are asked for. A
 * SharedArrayBuffer that another thread was the first to send is on its way. The job runs when they have come. The thread waits for them a moment; then it goes on with other jobs, so that a blocked main thread stops nobody.
 */
import { AsyncScope } from "@skein/context";
import { clearTimeout, setTimeout } from "../shared/timers.ts";
import { Promise } from "../shared/intrinsics.ts";
const PATIENCE_MS = 20;
const NONE = 0;
/** Numbers of one thread; its serial is above. */
const SERIAL_FACTOR = 2 ** 32;

interface Waiting {
  readonly slot: number;
  /** Ends the thread's own waiting; null when that is over. */
  done: (() => void) | null;
}

export class LateArguments {
  readonly #ask: (id: number) => void;
  readonly #look: () => boolean;
  readonly #resume: (slot: number, isLate: boolean) => void;
  /** By what they wait for: see NotArrived. */
  readonly #waiting = new Map<number, Waiting[]>();
  readonly #gone = new Set<number>();
  /** While the thread looks on. */
  #asked = NONE;

  /**
   * @param ask Asks the host.
   * @param look Looks on for mail for some microseconds, and takes it in. False: there was none.
   * @param resume The job in this slot can go on. `isLate`: the thread does not wait for it any more.
   */
  constructor(
    ask: (id: number) => void,
    look: () => boolean,
    resume: (slot: number, isLate: boolean) => void,
  ) {
    this.#ask = ask;
    this.#look = look;
    this.#resume = resume;
  }

  /** @returns a promise that resolves when the job can go on, or when the thread has waited long enough; null: it can go on now. */
  wait(id: number, slot: number, isHere: (id: number) => boolean): Promise<void> | null {
    this.#ask(id);
    this.#asked = id;
    const found = this.#look() && (isHere(id) || this.#gone.has(id));
    this.#asked = NONE;
    if (found) return null;
    return new Promise((resolve) => {
      const waiting: Waiting = {
        slot,
        done: () => {
          waiting.done = null;
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = AsyncScope.root.run(setTimeout, () => waiting.done?.(), PATIENCE_MS);
      const others = this.#waiting.get(id);
      if (others === undefined) this.#waiting.set(id, [waiting]);
      else others.push(waiting);
    });
  }

  /** They are here. @returns false when no job of this thread waits for them. */
  arrived(id: number): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return false;
    this.#waiting.delete(id);
    for (const { slot, done } of waiting) {
      this.#resume(slot, done === null);
      done?.();
    }
    return true;
  }

  /** They will never be here. */
  gone(id: number): void {
    if (id !== this.#asked && !this.#waiting.has(id)) return;
    this.#gone.add(id);
    this.arrived(id);
  }

  /** Whether they are buffers of a thread that has ended, and will not come: all that it had sent is here. */
  goneOf(serial: number): void {
    for (const id of Array.from(this.#waiting.keys()))
      if (id < 0 && Math.floor(-id / SERIAL_FACTOR) === serial) this.gone(id);
  }

  /** Whether they were said to be gone; says so once. */
  takeGone(id: number): boolean {
    return this.#gone.delete(id);
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** For how many of them the thread still waits. */
  get holding(): number {
    let count = 0;
    for (const waiting of this.#waiting.values()) for (const { done } of waiting) if (done !== null) count++;
    return count;
  }

  isWaiting(slot: number): boolean {
    return [...this.#waiting.values()].some((waiting) => waiting.some((each) => each.slot === slot));
  }

  /** A message could not be read, perhaps one of these: the host says that it does not have it any more. */
  askAgain(): void {
    for (const id of this.#waiting.keys()) this.#ask(id);
  }
}
