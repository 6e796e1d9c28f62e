/**
 * The state of a call that another thread makes: one word that the caller and that thread share, for engines whose jobs have no slot.
 *
 * Words      CALL @ 0 of the words it is given, which are another call's only after `reuse`
 * State      | value       | means                                             | written by |
 *            | 0 WAITING   | nobody has begun it                               | -          |
 *            | 1 RUNNING   | the thread has it                                 | thread     |
 *            | 2 STOPPING  | the same, and it was asked to stop                | caller     |
 *            | 3 WITHDRAWN | the caller gave it up before it began; final      | caller     |
 *            | 4 OVER      | the function has ended; final                     | thread     |
 * Moves      begin WAITING → RUNNING (CAS)          giveUp WAITING → WITHDRAWN (CAS), else RUNNING → STOPPING (CAS), then notify
 *            withdraw WAITING → WITHDRAWN (CAS)     end RUNNING, STOPPING → OVER (store), then notify
 *            reuse OVER, WITHDRAWN → WAITING (store), for another call, when nobody has more to say of this one     anything else is a bug
 * Invariants I1 The function of a withdrawn call is never called.
 *            I2 One thread begins a call, and that thread ends it; its end is the only move after STOPPING.
 *            I3 The thread's CallState looks at the word no more after `end`: it may be another call's.
 * Pairings   [C1] begin, giveUp and withdraw move the same word by CAS: one of them comes first, and the other learns what it found.
 *            [C2] giveUp stores STOPPING, then notifies; whoever waits for a stop compares the word with RUNNING when it begins to wait. It sees
 *                 STOPPING, or is notified. end notifies too, so nobody waits for a call that is over.
 * Liveness   giveUp tries at most two moves, each once: WAITING can only have become RUNNING, and RUNNING only OVER.
 * Sources    ECMA-262, memory model. Model test: test/shared/call-state.model.test.ts
 */
import { cas, load, notify, store, waitAsync } from "./atomics.ts";

export const WAITING = 0;
export const RUNNING = 1;
export const STOPPING = 2;
export const WITHDRAWN = 3;
export const OVER = 4;

export class CallState {
  readonly #words: Int32Array;
  /** On the thread's side: its call has ended. */
  #isOver = false;

  /** @param words Of another thread's CallState, to share it. @default a call that waits */
  constructor(words: Int32Array = new Int32Array(new SharedArrayBuffer(4))) {
    this.#words = words;
  }

  /** For the other thread. */
  get words(): Int32Array {
    return this.#words;
  }

  /** By the thread. @returns false when the call was withdrawn. */
  begin(): boolean {
    if (!cas(this.#words, 0, WAITING, RUNNING)) return false; // [C1]
    this.#isOver = false;
    return true;
  }

  /**
   * By the caller, who does not wait for the outcome any more, or wants it soon. Once it was withdrawn it is nobody's.
   * @returns "withdrawn": it will never begin. "begun": a thread has it and was asked to stop, now or before; or it is over.
   */
  giveUp(): "withdrawn" | "begun" {
    if (cas(this.#words, 0, WAITING, WITHDRAWN)) return "withdrawn"; // [C1]
    if (cas(this.#words, 0, RUNNING, STOPPING)) notify(this.#words, 0); // [C1] [C2]
    return "begun";
  }

  /** By the caller, who wants it back unless it has begun: nothing is asked of it then. @returns whether it will never begin. */
  withdraw(): boolean {
    return cas(this.#words, 0, WAITING, WITHDRAWN); // [C1]
  }

  /** The word is another call's from now on. */
  reuse(): void {
    store(this.#words, 0, WAITING); // [unpaired] the other side hears of the next call after that
  }

  get isStopping(): boolean {
    if (this.#isOver) return false;
    return load(this.#words, 0) === STOPPING; // [unpaired] polled: who sees it late looks again
  }

  /** Whether the function has begun, and not ended. */
  get isRunning(): boolean {
    if (this.#isOver) return false;
    const state = load(this.#words, 0); // [unpaired] a hint whether there is a thread to end
    return state === RUNNING || state === STOPPING;
  }

  /** Whether a thread has begun it; it may be over. */
  get hasBegun(): boolean {
    const state = load(this.#words, 0); // [unpaired] asked when the thread has ended, or could not be reached
    return state !== WAITING && state !== WITHDRAWN;
  }

  /** By the thread: resolves when the call is asked to stop, or is over. Null: it is already. */
  whenStopping(): Promise<unknown> | null {
    return this.#isOver ? null : waitAsync(this.#words, 0, RUNNING); // [C2]
  }

  /** By the thread. */
  end(): void {
    this.#isOver = true;
    store(this.#words, 0, OVER); // [C2]
    notify(this.#words, 0); // [C2]
  }
}
