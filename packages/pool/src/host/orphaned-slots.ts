/**
 * The slots of a thread that died: its queued jobs never run, because nobody waits for them any more; those that other threads run or
 * have finished are waited for. When all are free, the next thread may have them.
 *
 * A slot is free for the next owner when nobody can link it into the inbox any more: it was never claimed, or it was linked and has
 * been taken out here, or the thread that had claimed it is dead too. A job that is DONE and not in the inbox is about to be linked, or the dead
 * thread itself had taken it out. Its runner knows which: once that has answered, the link is over.
 *
 * A thread that was given up in a native call counts as dead for those who wait, but its slots, and those of jobs that it has, stay as they
 * are until it has ended: it might still touch them.
 */
import { firstSlot, slotCount } from "../shared/layout.ts";
import type { PoolMemory } from "../shared/pool-memory.ts";
import { INLINE } from "../shared/slot-fields.ts";
import { DONE, FREE, QUEUED, queuedWord } from "../shared/slot.ts";

export class OrphanedSlots {
  readonly #memory: PoolMemory;
  readonly #isLive: (serial: number) => boolean;
  readonly #giveBack: (arena: number, block: number) => void;
  readonly #dropItems: (slot: number) => void;
  readonly #isLost: (serial: number) => boolean;
  readonly #terminate: (serial: number) => void;
  readonly #askForLinks: (serial: number, id: number) => void;
  /** Thread indices whose slots are not all free. */
  readonly #waiting = new Set<number>();
  readonly #finished: Int32Array;
  /** Slots of jobs that are DONE and were not in the inbox, by the question whether they are linked. */
  readonly #asked = new Map<number, number>();
  readonly #linked = new Set<number>();
  #questions = 0;

  /**
   * @param isLive Whether the thread with this serial has not ended.
   * @param giveBack Frees the block of an outcome that nobody reads, if its arena is still there.
   * @param isLost Whether a live thread was given up.
   * @param terminate Ends a thread, if it is not being ended already.
   * @param dropItems Frees what the unread items of a stream hold, if its arena is still there; the ring is given back afterwards.
   * @param askForLinks Asks the thread with this serial whether what it has finished is linked; `linked` follows, or its end.
   */
  constructor(
    memory: PoolMemory,
    isLive: (serial: number) => boolean,
    giveBack: (arena: number, block: number) => void,
    isLost: (serial: number) => boolean = () => false,
    terminate: (serial: number) => void = () => {},
    dropItems: (slot: number) => void = () => {},
    askForLinks: (serial: number, id: number) => void = () => {},
  ) {
    this.#askForLinks = askForLinks;
    this.#dropItems = dropItems;
    this.#terminate = terminate;
    this.#giveBack = giveBack;
    this.#isLost = isLost;
    this.#memory = memory;
    this.#isLive = isLive;
    this.#finished = new Int32Array(memory.layout.threadSlots);
  }

  /** Thread `index` has ended, or was given up. Its queued jobs are withdrawn here and now. */
  adopt(index: number): void {
    this.#waiting.add(index);
    this.isFree(index);
  }

  /** Whether nobody is at a job of a dead thread any more, whom one could wait for. */
  areFree(): boolean {
    for (const index of this.#waiting) if (this.#look(index) === "busy") return false;
    return true;
  }

  /** Whether the slots of thread `index` may be given to another thread. */
  isFree(index: number): boolean {
    return !this.#waiting.has(index) || this.#look(index) === "free";
  }

  /** The answer to a question of `askForLinks`. */
  linked(id: number): void {
    for (const [slot, asked] of this.#asked) if (asked === id) this.#linked.add(slot);
  }

  /** 'lost': only threads that were given up have jobs of it. */
  #look(index: number): "free" | "lost" | "busy" {
    const { slots, inboxes, layout } = this.#memory;
    const count = inboxes[index + 1]!.takeAll(this.#finished);
    for (let i = 0; i < count; i++) {
      const slot = this.#finished[i]!;
      if (slots.isStream(slot)) {
        if (!slots.takeLink(slot)) continue;
        this.#dropItems(slot);
        this.#giveBack(slots.ringArena(slot), slots.ringBlock(slot));
      }
      const arena = slots.payloadArena(slot);
      if (arena !== INLINE) this.#giveBack(arena, slots.payloadBlock(slot));
      this.#release(slot);
    }
    const first = firstSlot(layout, index + 1);
    const end = first + slotCount(layout, index + 1);
    let seen: "free" | "lost" | "busy" = "free";
    for (let slot = first; slot < end; slot++) {
      const state = slots.state(slot);
      if (state === FREE) continue;
      if (state === QUEUED && slots.withdraw(slot, queuedWord(slots.isExclusive(slot)))) continue;
      const owner = slots.owner(slot);
      // What the outcome of such a job holds stays as it is: the dead one may have given it back.
      if (!this.#isLive(owner) || this.#linked.has(slot)) {
        this.#release(slot);
        continue;
      }
      if (state === DONE && !this.#asked.has(slot)) {
        this.#asked.set(slot, ++this.#questions);
        this.#askForLinks(owner, this.#questions);
      }
      // It waits for that, and the submitter may have died before it could say so.
      if (slots.isDoomed(slot)) this.#terminate(owner);
      if (!this.#isLost(owner)) seen = "busy";
      else if (seen === "free") seen = "lost";
    }
    if (seen === "free") this.#waiting.delete(index);
    return seen;
  }

  #release(slot: number): void {
    this.#memory.slots.release(slot);
    this.#asked.delete(slot);
    this.#linked.delete(slot);
  }
}
