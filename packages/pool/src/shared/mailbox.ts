/**
 * Mailbox: jobs of the host that one thread alone may run, because of `affinity` or `thread`. No other thread looks here.
 *
 * Words      the ring @ mailboxBase(layout, w), see ring.ts; what is in it are slots
 *            STATE of each slot, see slot.ts: whom its job is for, whether that is exclusive, and its priority
 * State      of an entry:
 *            | entry     | means                                                              | made by              |
 *            | in ring   | pushed, and thread w has not looked                                | host                 |
 *            | in a list | thread w has seen it, where it lay, and the state word of the slot | thread w, for itself |
 *            | gone      | thread w has claimed the job, or found that the entry is stale     | thread w             |
 * Moves      push: into the ring, after publishPlaced, by the host
 *            sort: in ring → in the list of its priority, or gone when the slot waits for somebody else by now, by thread w
 *            take: in a list → gone, with claimPlaced
 * Invariants I1 An entry is a hint: the state word decides, as a whole. A job that was withdrawn, or is another one by now, is not
 *               claimed through it, unless that is for the same thread, of the same kind and priority. The ticket of the slot keeps
 *               such a job from coming sooner than its turn (slot.ts I4).
 *            I2 Every job that waits for the thread in place w has an entry in the ring or in a list of that thread, once its push is over.
 *            I3 Only the host pushes, only the thread in place w takes. So the lists need no atomics, and exclusive jobs, which
 *               the thread may not begin now, hold up none that are behind them.
 *            I4 Entries for a thread that has ended stay in the ring; the next one there drops them, since serials differ.
 * Pairings   none of its own: push is R1 and R2 of ring.ts, the last search of the thread is P1 of parking.ts, and the host then wakes
 *            thread w and no other
 * Liveness   push finds the ring full when the thread has not looked for long: then the job waits with the host (submit/placed-jobs.ts).
 *            With a thread its lists are gone; the host finds its jobs by their state words.
 * Sources    an actor's mailbox.   Model test: test/shared/mailbox.model.test.ts
 */
import { type Layout, mailboxBase, PRIORITIES } from "./layout.ts";
import { ALL, type Reach } from "./reach.ts";
import { type Accepts, EMPTY, Ring } from "./ring.ts";
import { isExclusivePlaced, isPlacedFor, priorityOfPlaced, type SlotTable } from "./slot.ts";

/** Nothing that may be taken. */
export const NO_MAIL = -1;

interface Entry {
  readonly slot: number;
  readonly position: number;
  readonly word: number;
}

/** The ring, for the host and for the thread. */
export function mailboxRing(control: Int32Array, layout: Layout, thread: number): Ring {
  return new Ring(control, mailboxBase(layout, thread), layout.mailboxCells);
}

/** The thread's side. */
export class Mailbox {
  readonly #ring: Ring;
  readonly #slots: SlotTable;
  /** By priority, oldest first. */
  readonly #lists: readonly Entry[][] = PRIORITIES.map(() => []);
  #count = 0;
  #exclusive = 0;

  constructor(control: Int32Array, layout: Layout, slots: SlotTable, thread: number) {
    this.#ring = mailboxRing(control, layout, thread);
    this.#slots = slots;
  }

  /** Whether there is nothing within `reach`. False also for entries that turn out to be stale. */
  isEmpty(reach: Reach): boolean {
    return this.#ring.isEmpty() && this.#count === (reach === ALL ? 0 : this.#exclusive);
  }

  /** Whether an exclusive job was seen here, and waits until the thread has no other. */
  get hasExclusive(): boolean {
    return this.#exclusive > 0;
  }

  /**
   * The oldest job within `reach`, claimed for the thread with this serial.
   * @param first The priority to begin with; then high to low.
   * @param accepts As Ring.pop.
   */
  take(serial: number, reach: Reach, first: number, accepts: Accepts | null): number {
    this.#sort(serial);
    if (this.#count === 0) return NO_MAIL;
    const slot = this.#takeFrom(this.#lists[first]!, serial, reach, accepts);
    if (slot !== NO_MAIL) return slot;
    for (const list of this.#lists) {
      const next = this.#takeFrom(list, serial, reach, accepts);
      if (next !== NO_MAIL) return next;
    }
    return NO_MAIL;
  }

  #sort(serial: number): void {
    for (let slot = this.#ring.pop(); slot !== EMPTY; slot = this.#ring.pop()) {
      const position = this.#ring.poppedPosition;
      const word = this.#slots.stateWord(slot);
      if (!isPlacedFor(word, serial) || !this.#slots.isTicket(slot, position)) continue;
      this.#lists[priorityOfPlaced(word)]!.push({ slot, position, word });
      this.#count++;
      if (isExclusivePlaced(word)) this.#exclusive++;
    }
  }

  #takeFrom(list: Entry[], serial: number, reach: Reach, accepts: Accepts | null): number {
    for (let i = 0; i < list.length;) {
      const { slot, position, word } = list[i]!;
      if (this.#slots.stateWord(slot) !== word || !this.#slots.isTicket(slot, position)) {
        this.#remove(list, i);
      } else if (reach !== ALL && isExclusivePlaced(word)) {
        i++;
      } else {
        if (accepts !== null && !accepts(slot)) return NO_MAIL;
        this.#remove(list, i);
        if (this.#slots.claimPlaced(slot, word, serial)) return slot;
      }
    }
    return NO_MAIL;
  }

  #remove(list: Entry[], index: number): void {
    const [entry] = list.splice(index, 1);
    this.#count--;
    if (isExclusivePlaced(entry!.word)) this.#exclusive--;
  }
}
