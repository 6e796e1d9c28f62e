/**
 * The queues from which a thread takes, and the claim that makes an entry a job: the thread's own deque, newest first; its mailbox
 * (mailbox.ts); two rings per priority; the deques of others, oldest first (A3.9). What of it a thread may take: reach.ts.
 */
import { CONTENDED, Deque } from "./deque.ts";
import { dequeBase, type Layout, PRIORITIES, ringBase } from "./layout.ts";
import { Mailbox, mailboxRing, NO_MAIL } from "./mailbox.ts";
import { Places } from "./places.ts";
import { ALL, OWN, type Reach } from "./reach.ts";
import { type Accepts, EMPTY, Ring } from "./ring.ts";
import { queuedWord, type SlotTable } from "./slot.ts";

/** Nothing to take. */
export const NO_JOB = -1;
/** `self` of the host, which has no deque. */
export const NO_THREAD = -1;

/** Every 8th look begins with 'normal', every 64th with 'low': a flood of high priority starves nobody (A3.7). */
export const NORMAL_FIRST_EVERY = 8;
export const LOW_FIRST_EVERY = 64;
/** Every 61st look begins with the rings: jobs that submit themselves again do not keep the others out (A3.17). */
const RINGS_FIRST_EVERY = 61;
/** Every 8th look into what is the thread's own begins with the mailbox: nor do they keep out what no other thread may run. */
const MAILBOX_FIRST_EVERY = 8;
/** What a job in a ring shows while it waits there. */
const SHARED_WORD = queuedWord(false);
const EXCLUSIVE_WORD = queuedWord(true);

export class JobQueues {
  readonly #rings: readonly Ring[];
  readonly #exclusive: readonly Ring[];
  readonly #deques: readonly Deque[];
  readonly #own: Deque | null;
  /** Of this thread; null: this is the host. */
  readonly #mailbox: Mailbox | null;
  /** The host's side of all mailboxes. */
  readonly #mailboxes: readonly Ring[];
  readonly #self: number;
  readonly #places: Places;
  readonly #slots: SlotTable;
  #looks = 0;
  #random = 0x9e3779b9;
  /** How many jobs `take` of this object took from other threads' deques. */
  stolen = 0;
  /** Whether the last `takeAccepted` left a job that it found. */
  refused = false;
  #accepts: Accepts | null = null;
  /** What the thread may take at present, and so what it looks for. The host's is ALL. */
  reach: Reach = ALL;

  /** @param self The thread that takes, or NO_THREAD. */
  constructor(control: Int32Array, layout: Layout, slots: SlotTable, self: number) {
    this.#places = new Places(control, layout);
    this.#slots = slots;
    this.#self = self;
    this.#rings = PRIORITIES.map((_, i) => new Ring(control, ringBase(layout, i), layout.ringCells));
    this.#exclusive = PRIORITIES.map(
      (_, i) => new Ring(control, ringBase(layout, i, true), layout.ringCells),
    );
    this.#deques = Array.from(
      { length: layout.places },
      (_, w) => new Deque(control, dequeBase(layout, w), layout.dequeCells),
    );
    const isHost = self === NO_THREAD;
    this.#own = isHost ? null : this.#deques[self]!;
    this.#mailbox = isHost ? null : new Mailbox(control, layout, slots, self);
    this.#mailboxes = isHost
      ? Array.from({ length: layout.places }, (_, w) => mailboxRing(control, layout, w))
      : [];
    this.#random ^= self + 1;
  }

  /** As Ring.initialize. */
  initialize(start = 0): void {
    for (const ring of [...this.#rings, ...this.#exclusive]) ring.initialize(start);
  }

  /** Before a thread starts: drops its predecessor's entries, whose slots are free. */
  prepareDeque(thread: number): void {
    this.#deques[thread]!.restart();
  }

  /** By the host while there is no thread, and no job waits: drops the entries of those that were withdrawn. */
  clear(): void {
    for (const ring of [...this.#rings, ...this.#exclusive]) while (ring.pop() !== EMPTY);
    for (let w = 0; w < this.#places.used; w++) this.prepareDeque(w);
  }

  /**
   * Queues a published slot for all threads.
   * @returns false when the ring is full, with entries of withdrawn jobs. The caller must take the slot back with `withdraw`, not
   * `release`: a thread that holds a former entry of the same slot may have claimed it already (slot.ts I4).
   */
  push(priority: number, slot: number, isExclusive = false): boolean {
    if (isExclusive) this.#places.useExclusive();
    const rings = isExclusive ? this.#exclusive : this.#rings;
    return rings[priority]!.push(slot, this.#slots.words, this.#slots.ticketWord(slot));
  }

  /** Queues a slot for the thread in this place alone; by the host, after publishPlaced. @returns as `push`. */
  pushPlaced(place: number, slot: number): boolean {
    this.#places.usePlaced();
    return this.#mailboxes[place]!.push(slot, this.#slots.words, this.#slots.ticketWord(slot));
  }

  /** Queues a published slot with its own thread. The same as `push` otherwise. */
  pushLocal(slot: number): boolean {
    if (this.#pushOwn(slot)) return true;
    this.#compact();
    return this.#pushOwn(slot);
  }

  #pushOwn(slot: number): boolean {
    return this.#own!.push(slot, this.#slots.words, this.#slots.ticketWord(slot));
  }

  /** The own deque is full, and yet there was a slot: most entries are of jobs that were withdrawn. The others stay, in their order. */
  #compact(): void {
    const own = this.#own!;
    const waiting: number[] = [];
    for (let slot = own.pop(); slot !== EMPTY; slot = own.pop()) {
      if (this.#slots.isQueuedAt(slot, own.takenPosition)) waiting.push(slot);
    }
    for (const slot of waiting.toReversed()) this.#pushOwn(slot);
  }

  /** Takes the next job and claims it for the thread with this serial: the slot is RUNNING when this returns it. */
  take(serial: number): number {
    this.#accepts = null;
    return this.#take(serial);
  }

  /** The same for a thread that may not take every job. `refused` says whether it left one. */
  takeAccepted(serial: number, accepts: Accepts): number {
    this.refused = false;
    this.#accepts = (slot) => {
      const isAccepted = accepts(slot);
      if (!isAccepted) this.refused = true;
      return isAccepted;
    };
    return this.#take(serial);
  }

  /**
   * For the host: the oldest job of the only queue that is not empty, claimed for the thread with this serial, if `accepts` says yes. It
   * may be asked of entries of former jobs. While jobs wait in several queues it is for the threads to choose.
   */
  takeFromOnly(serial: number, accepts: Accepts): number {
    let only: Ring | null = null;
    for (const ring of this.#rings) {
      if (ring.isEmpty()) continue;
      if (only !== null) return NO_JOB;
      only = ring;
    }
    if (only === null || !this.#areDequesEmpty()) return NO_JOB;
    this.#accepts = accepts;
    return this.#takeFrom(only, serial, SHARED_WORD);
  }

  #take(serial: number): number {
    if (this.reach === OWN) return this.#takeOwn(serial);
    const look = (this.#looks = (this.#looks + 1) | 0);
    if (look % RINGS_FIRST_EVERY !== 0) {
      const slot = this.#takeHere(serial);
      if (slot !== NO_JOB) return slot;
    }
    if (look % NORMAL_FIRST_EVERY === 0) {
      const slot = this.#takePriority(look % LOW_FIRST_EVERY === 0 ? 2 : 1, serial);
      if (slot !== NO_JOB) return slot;
    }
    for (let i = 0; i < this.#rings.length; i++) {
      const slot = this.#takePriority(i, serial);
      if (slot !== NO_JOB) return slot;
    }
    const slot = look % RINGS_FIRST_EVERY === 0 ? this.#takeHere(serial) : NO_JOB;
    return slot === NO_JOB ? this.#steal(serial) : slot;
  }

  /** What comes to this thread first, or to no other. */
  #takeHere(serial: number): number {
    if (!this.#places.hasPlaced) return this.#takeOwn(serial);
    const isMailFirst = this.#looks % MAILBOX_FIRST_EVERY === 0;
    const slot = isMailFirst ? this.#takePlaced(serial) : this.#takeOwn(serial);
    if (slot !== NO_JOB) return slot;
    return isMailFirst ? this.#takeOwn(serial) : this.#takePlaced(serial);
  }

  #takePlaced(serial: number): number {
    const look = this.#looks;
    const first = look % NORMAL_FIRST_EVERY !== 0 ? 0 : look % LOW_FIRST_EVERY === 0 ? 2 : 1;
    const slot = this.#mailbox!.take(serial, this.reach, first, this.#accepts);
    return slot === NO_MAIL ? NO_JOB : slot;
  }

  /** Of a priority, exclusive jobs and others take turns at being first. */
  #takePriority(priority: number, serial: number): number {
    const shared = this.#rings[priority]!;
    if (this.reach !== ALL || !this.#places.hasExclusive) return this.#takeFrom(shared, serial, SHARED_WORD);
    const exclusive = this.#exclusive[priority]!;
    if ((this.#looks & 1) === 0) {
      const slot = this.#takeFrom(exclusive, serial, EXCLUSIVE_WORD);
      return slot === NO_JOB ? this.#takeFrom(shared, serial, SHARED_WORD) : slot;
    }
    const slot = this.#takeFrom(shared, serial, SHARED_WORD);
    return slot === NO_JOB ? this.#takeFrom(exclusive, serial, EXCLUSIVE_WORD) : slot;
  }

  /** The newest job of the own deque, claimed. */
  takeOwn(serial: number): number {
    this.#accepts = null;
    return this.#takeOwn(serial);
  }

  #takeOwn(serial: number): number {
    const own = this.#own!;
    for (;;) {
      const slot = own.pop(this.#accepts);
      if (slot === EMPTY) return NO_JOB;
      if (this.#slots.claim(slot, own.takenPosition, serial)) return slot;
    }
  }

  /**
   * Withdraws the newest job of the own deque if it is `slot`: the slot is FREE then, and in no queue.
   * @returns false when the job is somebody else's, or not the newest.
   */
  takeBack(slot: number): boolean {
    return this.#own!.popIf(slot) && this.#slots.withdraw(slot);
  }

  /** Whether there is nothing within `reach`. */
  isEmpty(): boolean {
    if (this.reach === OWN) return this.#own!.isEmpty();
    return this.isSharedEmpty() && (this.reach !== ALL || this.isExclusiveEmpty()) && this.#isMailboxEmpty();
  }

  #isMailboxEmpty(): boolean {
    return this.#mailbox === null || !this.#places.hasPlaced || this.#mailbox.isEmpty(this.reach);
  }

  /** Whether an exclusive job waits that only this thread may run. */
  get hasExclusiveHere(): boolean {
    return this.#mailbox!.hasExclusive;
  }

  /** Whether no job waits that every thread may take. */
  isSharedEmpty(): boolean {
    return areEmpty(this.#rings) && this.#areDequesEmpty();
  }

  isExclusiveEmpty(): boolean {
    return !this.#places.hasExclusive || areEmpty(this.#exclusive);
  }

  #areDequesEmpty(): boolean {
    const threads = this.#places.used;
    for (let w = 0; w < threads; w++) {
      if (!this.#deques[w]!.isEmpty()) return false;
    }
    return true;
  }

  /** How many entries wait in the ring of a priority, those of withdrawn jobs included. */
  sizeOf(priority: number): number {
    return this.#rings[priority]!.size + this.#exclusive[priority]!.size;
  }

  /** The same of all deques. */
  get localSize(): number {
    return this.#deques.reduce((sum, deque) => sum + deque.size, 0);
  }

  /** Whether a queued slot of this submitter can still be found by a thread; for recovery. */
  holds(priority: number, slot: number, isExclusive = false): boolean {
    const position = this.#slots.ticket(slot);
    if (isExclusive) return this.#exclusive[priority]!.holds(slot, position);
    return this.#rings[priority]!.holds(slot, position) || (this.#own?.holds(slot, position) ?? false);
  }

  #takeFrom(ring: Ring, serial: number, word: number): number {
    for (;;) {
      const slot = ring.pop(this.#accepts);
      if (slot === EMPTY) return NO_JOB;
      if (this.#slots.claim(slot, ring.poppedPosition, serial, word)) return slot;
      // Withdrawn, or the entry of a former job of this slot: look on.
    }
  }

  /** The oldest job of somebody else, beginning with a random victim. */
  #steal(serial: number): number {
    const victims = this.#places.used;
    if (victims <= 1) return NO_JOB;
    const first = this.#nextRandom() % victims;
    for (let i = 0; i < victims; i++) {
      const victim = (first + i) % victims;
      if (victim === this.#self) continue;
      const deque = this.#deques[victim]!;
      for (;;) {
        const slot = deque.steal(this.#accepts);
        if (slot === EMPTY) break;
        if (slot !== CONTENDED && this.#slots.claim(slot, deque.takenPosition, serial)) {
          this.stolen++;
          return slot;
        }
      }
    }
    return NO_JOB;
  }

  /** Marsaglia's xorshift: no need for better. */
  #nextRandom(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return x >>> 0;
  }
}

function areEmpty(rings: readonly Ring[]): boolean {
  for (let i = 0; i < rings.length; i++) if (!rings[i]!.isEmpty()) return false;
  return true;
}
