/**
 * Users' SharedArrayBuffers by number: posted once to the other threads, then named by payloads.
 *
 * Each thread numbers those that it sends first, holds them weakly, and tells the others when one is collected. Receivers hold a buffer until
 * they hear that, and until they have read the payloads that came before: a result that names the buffer may lie in their inbox.
 * While arguments are under way their sender has to hold what they name: `endMessage` says what that is. A result needs no such care: the
 * news that a buffer was collected is sent in a turn of its own, after the result.
 */
import { NotArrived } from "../codec/carried.ts";
import type { SharedBufferTable } from "../codec/shared-buffer-table.ts";
import { sharedMemoryDropped } from "./memory-pressure.ts";

/** Numbers of one thread; its serial is above. */
const SERIAL_FACTOR = 2 ** 32;

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
      this.#ids.set(buffer, id);
      this.#own.set(id, new WeakRef(buffer));
      this.#finalizer.register(buffer, id);
      this.#announcer.announce(id, buffer);
      // Nobody else will make V8 look: what a job returns is often garbage at once.
      sharedMemoryDropped(buffer);
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

  /** From another thread. */
  add(id: number, buffer: SharedArrayBuffer): void {
    this.#ids.set(buffer, id);
    this.#received.set(id, buffer);
  }

  /** It is gone where it was numbered. Payloads that name it may have come before this news. */
  gone(id: number): void {
    this.#gone.push(id);
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

  /** The thread with this serial has ended, and everything that it had sent was read. */
  dropOf(serial: number): void {
    for (const id of this.#received.keys()) if (Math.floor(id / SERIAL_FACTOR) === serial) this.#drop(id);
  }

  /** What a new thread has to know. */
  *entries(): Iterable<[id: number, buffer: SharedArrayBuffer]> {
    yield* this.#received;
    for (const [id, reference] of this.#own) {
      const buffer = reference.deref();
      if (buffer !== undefined) yield [id, buffer];
    }
  }

  #find(id: number): SharedArrayBuffer | undefined {
    return this.#received.get(id) ?? this.#own.get(id)?.deref();
  }

  /** If this thread still has it and sends it back, it gets a number of its own. */
  #drop(id: number): void {
    const buffer = this.#received.get(id);
    if (buffer === undefined) return;
    this.#received.delete(id);
    this.#ids.delete(buffer);
    sharedMemoryDropped(buffer);
  }

  /** Numbers wrap around; those in use are left out. */
  #nextId(): number {
    const first = this.#serial * SERIAL_FACTOR;
    do this.#last = (this.#last + 1) % SERIAL_FACTOR;
    while (this.#own.has(first + this.#last));
    return first + this.#last;
  }
}
