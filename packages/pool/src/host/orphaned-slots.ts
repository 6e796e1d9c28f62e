/**
 * The slots of a thread that died: its queued jobs never run, because nobody waits for them any more; those that others run or have
 * finished are waited for. When all are free, the next thread may have them.
 */
import type { PoolMemory } from "../shared/pool-memory.ts";
import { firstSlot, slotCount } from "../shared/layout.ts";
import { DONE, FREE } from "../shared/slot.ts";

export class OrphanedSlots {
  readonly #memory: PoolMemory;
  /** Thread indices whose slots are not all free. */
  readonly #waiting = new Set<number>();
  readonly #finished: Int32Array;

  constructor(memory: PoolMemory) {
    this.#memory = memory;
    this.#finished = new Int32Array(memory.layout.threadSlots);
  }

  /** Thread `index` has died. */
  adopt(index: number): void {
    this.#waiting.add(index);
    this.isFree(index);
  }

  /**
   * What thread `serial` had finished and could not link into its inbox before it died: nobody will.
   * To be called after the thread's own exit.
   */
  finisherDied(serial: number): void {
    const { slots } = this.#memory;
    for (const index of this.#waiting) {
      for (const slot of this.#slotsOf(index)) {
        if (slots.state(slot) !== FREE && slots.owner(slot) === serial) slots.release(slot);
      }
    }
  }

  /** Whether the slots of thread `index` may be given to another thread. */
  isFree(index: number): boolean {
    if (!this.#waiting.has(index)) return true;
    const { slots, inboxes } = this.#memory;
    // Linked means done, and that the thread that finished it has let go of the inbox.
    const count = inboxes[index + 1]!.takeAll(this.#finished);
    for (let i = 0; i < count; i++) slots.release(this.#finished[i]!);
    let free = true;
    for (const slot of this.#slotsOf(index)) {
      const state = slots.state(slot);
      if (state !== FREE && (state >= DONE || !slots.withdraw(slot))) free = false;
    }
    if (free) this.#waiting.delete(index);
    return free;
  }

  *#slotsOf(index: number): Iterable<number> {
    const { layout } = this.#memory;
    const first = firstSlot(layout, index + 1);
    const end = first + slotCount(layout, index + 1);
    for (let slot = first; slot < end; slot++) yield slot;
  }
}
