/**
 * Jobs that this thread has claimed, and whose arguments are not all here. Carried values are with the host: they are asked for. A
 * SharedArrayBuffer that another thread was the first to send is on its way. The job runs when they have come. The thread waits for them a moment; then it goes on with other jobs, so that a blocked main thread stops nobody.
 */
import { AsyncScope } from "@skein/context";
import { clearTimeout, setTimeout } from "../shared/timers.ts";
import { Promise } from "../shared/intrinsics.ts";
const PATIENCE_MS = 20;
const NONE = 0;

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
  /** By slot, what its job has waited for in vain. */
  readonly #gone = new Map<number, number>();
  /** While the thread looks on, and for which job. */
  #asked = NONE;
  #askedFor = NONE;

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
    this.#askedFor = slot;
    const found = this.#look() && (isHere(id) || this.#gone.get(slot) === id);
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
    for (const each of waiting) this.#goOn(each);
    return true;
  }

  #goOn({ slot, done }: Waiting): void {
    this.#resume(slot, done === null);
    done?.();
  }

  /** They will never be here. */
  gone(id: number): void {
    if (id === this.#asked) this.#gone.set(this.#askedFor, id);
    for (const { slot } of this.#waiting.get(id) ?? []) this.#gone.set(slot, id);
    this.arrived(id);
  }

  /**
   * Whoever has submitted the jobs in these slots has ended: nobody announces again the memory that they name. What it has announced itself
   * is here.
   */
  goneOf(isSubmitted: (slot: number) => boolean): void {
    for (const [id, waiting] of this.#waiting) {
      if (id > 0) continue;
      const inVain = waiting.filter(({ slot }) => isSubmitted(slot));
      if (inVain.length === 0) continue;
      if (inVain.length === waiting.length) this.#waiting.delete(id);
      else
        this.#waiting.set(
          id,
          waiting.filter((each) => !inVain.includes(each)),
        );
      for (const each of inVain) {
        this.#gone.set(each.slot, id);
        this.#goOn(each);
      }
    }
  }

  /** Whether the job in this slot has waited for this in vain; says so once. */
  takeGone(slot: number, id: number): boolean {
    const isGone = this.#gone.get(slot) === id;
    this.#gone.delete(slot);
    return isGone;
  }

  /** The job in this slot is over, and was not begun. */
  forget(slot: number): void {
    this.#gone.delete(slot);
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
