/** The queues from which every thread takes: one ring per priority, and the claim that makes an entry a job. */
import { type Layout, PRIORITIES, ringBase } from "./layout.ts";
import { EMPTY, Ring } from "./ring.ts";
import type { SlotTable } from "./slot.ts";

/** Nothing to take. */
export const NO_JOB = -1;

/** Every 8th look begins with 'normal', every 64th with 'low': a flood of high priority starves nobody (A3.7). */
const NORMAL_FIRST_EVERY = 8;
const LOW_FIRST_EVERY = 64;

export class JobQueues {
  readonly #rings: readonly Ring[];
  readonly #slots: SlotTable;
  #looks = 0;

  constructor(control: Int32Array, layout: Layout, slots: SlotTable) {
    this.#slots = slots;
    this.#rings = PRIORITIES.map(
      (_, i) => new Ring(control, ringBase(layout.ringCells, i), layout.ringCells),
    );
  }

  /** Before any other thread sees the memory. */
  initialize(start = 0): void {
    for (const ring of this.#rings) ring.initialize(start);
  }

  /**
   * Queues a published slot.
   * @returns false when the ring is full, with entries of withdrawn jobs. The caller must take the slot back with `withdraw`, not
   * `release`: a thread that holds a former entry of the same slot may have claimed it already (slot.ts I4).
   */
  push(priority: number, slot: number): boolean {
    return this.#rings[priority]!.push(slot, this.#slots.words, this.#slots.ticketWord(slot));
  }

  /** Takes the next job for `thread` and claims it: the slot is RUNNING when this returns it. */
  take(thread: number): number {
    const look = (this.#looks = (this.#looks + 1) | 0);
    if (look % NORMAL_FIRST_EVERY === 0) {
      const slot = this.#takeFrom(look % LOW_FIRST_EVERY === 0 ? 2 : 1, thread);
      if (slot !== NO_JOB) return slot;
    }
    for (let priority = 0; priority < this.#rings.length; priority++) {
      const slot = this.#takeFrom(priority, thread);
      if (slot !== NO_JOB) return slot;
    }
    return NO_JOB;
  }

  isEmpty(): boolean {
    return this.#rings.every((ring) => ring.isEmpty());
  }

  /** Whether a queued slot can still be found by a thread; for recovery, by the only producer. */
  holds(priority: number, slot: number): boolean {
    return this.#rings[priority]!.holds(slot, this.#slots.ticket(slot));
  }

  #takeFrom(priority: number, thread: number): number {
    const ring = this.#rings[priority]!;
    for (;;) {
      const slot = ring.pop();
      if (slot === EMPTY) return NO_JOB;
      if (this.#slots.claim(slot, ring.poppedPosition, thread)) return slot;
      // Withdrawn, or the entry of a former job of this slot: look on.
    }
  }
}
