/**
 * Join edges: for which job each thread stands still in `join`, so that threads that wait for each other in a circle are found.
 *
 * Words      JOIN[w] @ layout.parkWord + 16 w + 3, on the line of w's parking word
 * State      | value            | means                                                        | written by                   |
 *            | 0                | thread w runs, looks, or rests                               | thread w; host after its end |
 *            | (turn, slot + 1) | w does nothing until the job in `slot` is over, or it is     | thread w                     |
 *            |                  | woken                                                        |                              |
 *            | (turn, 0)        | the same, but no edge: see I3                                | thread w                     |
 * Moves      begin 0 → (turn + 1, …) (store)     end any → 0 (store)     anything else is a bug
 * Invariants I1 Between begin and end thread w runs no job and finishes none: its stack stands still.
 *            I2 Two begins of a thread write different words, unless 2^14 − 2 others lie between them. So a thread whose word is read
 *               twice with the same value has stood still in between.
 *            I3 A job that is RUNNING on w, and has begun, lies on w's stack or awaits w's event loop: it cannot end before the join on
 *               top of that stack returns. Jobs that may not have begun, because their arguments are still to come, get no edge.
 * Pairings   [J1] begin stores JOIN[w], then `circle` loads the others'. Of a circle's threads the last to begin sees them all.
 *            [J2] `circle` reads JOIN and STATE of the whole circle twice. If nothing differs, all of it held at once, between the two
 *                 readings, by I1 and I2; then by I3 no job of the circle can end: it holds for ever. STATE is written by the
 *                 thread that finishes the job, which stands still, or by the submitter after that (slot.ts).
 * Liveness   A thread looks whenever its wait was in vain for some milliseconds. Between two waits its word is 0 for some microseconds,
 *            when others overlook the circle; they look again. A thread that has ended leaves its word until the host
 *            clears it: who waits for its jobs may be told of a circle instead of the crash.
 * Sources    Wait-for graphs with one edge per node; double collect, Afek et al., "Atomic snapshots of shared memory", 1993.
 *            Model test: test/shared/join-edges.model.test.ts
 */
import { load, store } from "./atomics.ts";
import { type Layout, LINE_WORDS } from "./layout.ts";
import type { Places } from "./places.ts";
import { RUNNING, type SlotTable, STATE_BITS, STATE_MASK } from "./slot.ts";

const JOIN = 3;
const SLOT_BITS = 17;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const MAX_TURN = (1 << 14) - 1;
/** It waits, but nobody can say for which thread. */
export const NO_EDGE = -1;

/** Thread `thread` stands still until the job in `slot` is over. */
export interface JoinEdge {
  readonly thread: number;
  readonly slot: number;
  /** The words as they were read. */
  readonly join: number;
  readonly state: number;
}

export class JoinEdges {
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #places: Places;
  readonly #slots: SlotTable;
  readonly #threadOf: (serial: number) => number;
  #turn = 0;

  /** @param threadOf The place of the thread with this serial; negative when it has ended. */
  constructor(
    control: Int32Array,
    layout: Layout,
    places: Places,
    slots: SlotTable,
    threadOf: (serial: number) => number,
  ) {
    this.#words = control;
    this.#base = layout.parkWord + JOIN;
    this.#places = places;
    this.#slots = slots;
    this.#threadOf = threadOf;
  }

  /** @param slot Or NO_EDGE. */
  begin(thread: number, slot: number): void {
    this.#turn = (this.#turn % MAX_TURN) + 1;
    store(this.#words, this.#word(thread), (this.#turn << SLOT_BITS) | (slot + 1)); // [J1]
  }

  /** By the thread; by the host, when it has ended. */
  end(thread: number): void {
    store(this.#words, this.#word(thread), 0); // [J2]
  }

  isWaiting(thread: number): boolean {
    return load(this.#words, this.#word(thread)) !== 0; // [unpaired] a hint whom to wake
  }

  /** After `begin`: the circle of at least two threads of which this thread is one, beginning with it; null when there is none. */
  circle(thread: number): readonly JoinEdge[] | null {
    const first = this.walk(thread);
    if (first === null) return null;
    const second = this.walk(thread);
    const isSame =
      second !== null &&
      first.length === second.length &&
      first.every(({ join, state }, i) => join === second[i]!.join && state === second[i]!.state);
    return isSame ? first : null;
  }

  /** One reading: edges that need not have held at the same time. */
  walk(from: number): JoinEdge[] | null {
    const edges: JoinEdge[] = [];
    let thread = from;
    do {
      const join = load(this.#words, this.#word(thread)); // [J1] [J2]
      const slot = (join & SLOT_MASK) - 1;
      if (slot < 0) return null;
      const state = this.#slots.stateWord(slot);
      if ((state & STATE_MASK) !== RUNNING) return null;
      edges.push({ thread, slot, join, state });
      thread = this.#threadOf(state >> STATE_BITS);
      // More edges than threads: they lead into a circle of others.
      if (thread < 0 || edges.length > this.#places.used) return null;
    } while (thread !== from);
    return edges.length === 1 ? null : edges;
  }

  #word(thread: number): number {
    return this.#base + thread * LINE_WORDS;
  }
}
