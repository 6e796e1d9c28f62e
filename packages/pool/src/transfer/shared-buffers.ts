/**
 * Users' SharedArrayBuffers by number: posted once to the other threads, then named by payloads.
 *
 * Each thread numbers those that it sends first, holds them weakly, and tells the others when one is collected. Receivers hold a buffer until
 * they hear that, and until they have read the payloads that came before: a result that names the buffer may lie in their inbox.
 * While arguments are under way their sender has to hold what they name: `endMessage` says what that is. A result needs no such care: the
 * news that a buffer was collected is sent in a turn of its own, after the result.
 *
 * A thread passes a buffer on under the number that it came with, and may do so when that is collected where it was numbered, because it has
 * yet to hear of that. So whoever has passed it on keeps the number alive when it hears of it: it announces the buffer again, and is from then on one of
 * those that tell when it is collected. Who meets the number in between waits for that.
 *
 * | the number is  | the buffer is held            | goes on                                                                               |
 * | -------------- | ----------------------------- | ------------------------------------------------------------------------------------- |
 * | OWN            | weakly                        | it is collected: the others are told; another tells so: it is announced again         |
 * | RECEIVED       | strongly                      | to PASSED ON: named by a message; `gone`: to GONE                                     |
 * | PASSED ON      | strongly                      | `gone`: to OWN, and is announced again                                                |
 * | GONE           | until what came before is read | is dropped then; announced again: to RECEIVED                                        |
 */
import { NotArrived } from "../codec/carried.ts";
import type { SharedBufferTable } from "../codec/shared-buffer-table.ts";
import { sharedMemoryDropped } from "./memory-pressure.ts";

/** Numbers of one thread; its serial is above. */
const SERIAL_FACTOR = 2 ** 32;

/** The thread that has numbered it. */
function numberedBy(id: number): number {
  return Math.floor(id / SERIAL_FACTOR);
}

/** The same list, unless the number is in it. */
function without(list: number[], id: number): number[] {
  return list.includes(id) ? list.filter((each) => each !== id) : list;
}

/** What the other threads have to hear. */
export interface SharedBufferAnnouncer {
  announce(id: number, buffer: SharedArrayBuffer): void;
  gone(id: number): void;
}

export class SharedBuffers implements SharedBufferTable {
  readonly #serial: number;
  readonly #takeMessages: () => void;
  readonly #announcer: SharedBufferAnnouncer;
  readonly #finalizer: FinalizationRegistry<number>;
  readonly #ids = new WeakMap<SharedArrayBuffer, number>();
  readonly #received = new Map<number, SharedArrayBuffer>();
  readonly #own = new Map<number, WeakRef<SharedArrayBuffer>>();
  /** Of what was received. */
  readonly #passedOn = new Set<number>();
  /** Received, and gone where they were numbered: since the last drain of the inbox began, and before. */
  #gone: number[] = [];
  #dropped: number[] = [];
  #last = 0;
  /** By the message that is being encoded, if somebody asks. */
  #named: SharedArrayBuffer[] | null = null;
  #messages = 0;

  constructor(serial: number, takeMessages: () => void, announcer: SharedBufferAnnouncer) {
    this.#serial = serial;
    this.#takeMessages = takeMessages;
    this.#announcer = announcer;
    this.#finalizer = new FinalizationRegistry((id) => {
      // It has come back meanwhile, and was passed on.
      if (this.#isOwn(id)) return;
      this.#own.delete(id);
      announcer.gone(id);
    });
  }

  /** Before a message is encoded; `endMessage` must follow, also when encoding fails. @returns what that wants: messages may nest. */
  beginMessage(): SharedArrayBuffer[] | null {
    const outer = this.#named;
    this.#named = null;
    this.#messages++;
    return outer;
  }

  /** @returns the buffers that the message names, to be held until it was read. Null: none. */
  endMessage(outer: SharedArrayBuffer[] | null): readonly SharedArrayBuffer[] | null {
    const named = this.#named;
    this.#named = outer;
    this.#messages--;
    return named;
  }

  idOf(buffer: SharedArrayBuffer): number {
    if (this.#messages > 0) (this.#named ??= []).push(buffer);
    let id = this.#ids.get(buffer);
    if (id === undefined) {
      id = this.#nextId();
      this.#announce(id, buffer);
      // Nobody else will make V8 look: what a job returns is often garbage at once.
      sharedMemoryDropped(buffer);
    } else if (!this.#isOwn(id)) {
      this.#passedOn.add(id);
    }
    return id;
  }

  fromId(id: number): SharedArrayBuffer {
    const buffer = this.#find(id) ?? (this.#takeMessages(), this.#find(id));
    // What a thread has numbered comes through the host: a job that names it may come sooner, through shared memory.
    if (buffer === undefined) throw new NotArrived(-id);
    return buffer;
  }

  has(id: number): boolean {
    return this.#find(id) !== undefined;
  }

  /** From another thread: one that has numbered it, or passed it on. */
  add(id: number, buffer: SharedArrayBuffer): void {
    if (this.#isOwn(id)) return;
    const known = this.#received.get(id) ?? buffer;
    this.#ids.set(known, id);
    this.#received.set(id, known);
    this.#gone = without(this.#gone, id);
    this.#dropped = without(this.#dropped, id);
  }

  /** It is gone where it was numbered, or where it was passed on. Payloads that name it may have come before this news. */
  gone(id: number): void {
    const buffer = this.#find(id);
    if (buffer === undefined) return;
    const isKept = this.#isOwn(id) || this.#passedOn.has(id);
    if (isKept) this.#keep(id, buffer);
    else this.#forgetId(id, buffer);
    if (this.#received.has(id)) this.#gone.push(id);
  }

  /** Everything that has come for this thread is about to be read. */
  beginDrain(): void {
    if (this.#gone.length === 0) return;
    this.#dropped = this.#dropped.concat(this.#gone);
    this.#gone = [];
  }

  /** Everything that had come when `beginDrain` was called was read, items of streams too: what was gone then is dropped. */
  endDrain(): void {
    if (this.#dropped.length === 0) return;
    for (const id of this.#dropped) this.#drop(id);
    this.#dropped = [];
  }

  /** The thread with this serial has ended, and everything that it had sent was read. What others have passed on of it they announce again. */
  dropOf(serial: number): void {
    if (serial !== this.#serial)
      for (const [id, reference] of this.#own) {
        const buffer = numberedBy(id) === serial ? reference.deref() : undefined;
        if (buffer !== undefined) this.#announcer.announce(id, buffer);
      }
    for (const [id, buffer] of this.#received) {
      if (numberedBy(id) !== serial) continue;
      if (this.#passedOn.has(id)) this.#keep(id, buffer);
      this.#drop(id);
    }
  }

  /** What a new thread has to know. */
  *entries(): Iterable<[id: number, buffer: SharedArrayBuffer]> {
    for (const entry of this.#received)
      if (!this.#gone.includes(entry[0]) && !this.#dropped.includes(entry[0])) yield entry;
    for (const [id, reference] of this.#own) {
      const buffer = reference.deref();
      if (buffer !== undefined) yield [id, buffer];
    }
  }

  #find(id: number): SharedArrayBuffer | undefined {
    return this.#received.get(id) ?? this.#own.get(id)?.deref();
  }

  /** Whether this thread says when it is collected. */
  #isOwn(id: number): boolean {
    return this.#own.get(id)?.deref() !== undefined;
  }

  #announce(id: number, buffer: SharedArrayBuffer): void {
    this.#ids.set(buffer, id);
    if (!this.#isOwn(id)) {
      this.#own.set(id, new WeakRef(buffer));
      this.#finalizer.register(buffer, id);
    }
    this.#announcer.announce(id, buffer);
  }

  /** Messages of this thread name it, and are under way perhaps. */
  #keep(id: number, buffer: SharedArrayBuffer): void {
    this.#passedOn.delete(id);
    this.#announce(id, buffer);
  }

  #drop(id: number): void {
    const buffer = this.#received.get(id);
    if (buffer === undefined) return;
    this.#received.delete(id);
    if (!this.#isOwn(id)) this.#forgetId(id, buffer);
    sharedMemoryDropped(buffer);
  }

  /** If this thread still has the buffer and sends it back, it gets a number of its own. */
  #forgetId(id: number, buffer: SharedArrayBuffer): void {
    if (this.#ids.get(buffer) === id) this.#ids.delete(buffer);
  }

  /** Numbers wrap around; those in use are left out. */
  #nextId(): number {
    const first = this.#serial * SERIAL_FACTOR;
    do this.#last = (this.#last + 1) % SERIAL_FACTOR;
    while (this.#own.has(first + this.#last));
    return first + this.#last;
  }
}
