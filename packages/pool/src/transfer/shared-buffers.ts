/**
 * Users' SharedArrayBuffers by number: posted once to the other threads, then named by payloads. Receivers keep theirs until
 * they hear that the buffer is gone from the thread that numbered it.
 */
import { SkeinError } from "@skein/context/errors";
import type { SharedBufferTable } from "../codec/shared-buffer-table.ts";

/** The rest of 32 bits is the serial: 4 096 threads in the life of a pool. */
const INDEX_BITS = 20;

/** What the other threads have to hear. */
export interface SharedBufferAnnouncer {
  announce(id: number, buffer: SharedArrayBuffer): void;
  /** Null: numbered buffers are kept for the life of this thread, because their receiver may not have read them yet. */
  readonly gone: ((id: number) => void) | null;
}

export class SharedBuffers implements SharedBufferTable {
  readonly #serial: number;
  readonly #takeMessages: () => void;
  readonly #announcer: SharedBufferAnnouncer;
  readonly #finalizer: FinalizationRegistry<number> | null;
  readonly #ids = new WeakMap<SharedArrayBuffer, number>();
  readonly #kept = new Map<number, SharedArrayBuffer>();
  readonly #own = new Map<number, WeakRef<SharedArrayBuffer>>();
  #next = 0;
  /** Set by `idOf`: what was encoded names a buffer, which must stay reachable until the receiver has decoded it. */
  named = false;

  constructor(serial: number, takeMessages: () => void, announcer: SharedBufferAnnouncer) {
    this.#serial = serial;
    this.#takeMessages = takeMessages;
    this.#announcer = announcer;
    const { gone } = announcer;
    this.#finalizer =
      gone === null
        ? null
        : new FinalizationRegistry((id) => {
            this.#own.delete(id);
            gone(id);
          });
  }

  idOf(buffer: SharedArrayBuffer): number {
    this.named = true;
    let id = this.#ids.get(buffer);
    if (id === undefined) {
      if (this.#next >= 1 << INDEX_BITS) {
        throw new SkeinError(
          "ERR_SKEIN_TOO_MANY_SHARED_BUFFERS",
          `One thread can send ${1 << INDEX_BITS} different SharedArrayBuffers; re-use them instead of making one per job`,
        );
      }
      // Unsigned, as it comes out of a payload.
      id = ((this.#serial << INDEX_BITS) | this.#next++) >>> 0;
      this.#ids.set(buffer, id);
      if (this.#finalizer === null) this.#kept.set(id, buffer);
      else {
        this.#own.set(id, new WeakRef(buffer));
        this.#finalizer.register(buffer, id);
      }
      this.#announcer.announce(id, buffer);
    }
    return id;
  }

  fromId(id: number): SharedArrayBuffer {
    if (!this.#kept.has(id) && !this.#own.has(id)) this.#takeMessages();
    const buffer = this.#kept.get(id) ?? this.#own.get(id)?.deref();
    if (buffer === undefined)
      throw new Error(`Assertion: shared buffer ${id} was never announced to this thread`);
    return buffer;
  }

  /** From another thread. */
  add(id: number, buffer: SharedArrayBuffer): void {
    this.#ids.set(buffer, id);
    this.#kept.set(id, buffer);
  }

  /** Its thread has forgotten the buffer: if this thread still has it and sends it back, it gets a number of its own. */
  drop(id: number): void {
    const buffer = this.#kept.get(id);
    if (buffer === undefined) return;
    this.#kept.delete(id);
    this.#ids.delete(buffer);
  }

  /** What a new thread has to know. */
  *entries(): Iterable<[id: number, buffer: SharedArrayBuffer]> {
    yield* this.#kept;
    for (const [id, reference] of this.#own) {
      const buffer = reference.deref();
      if (buffer !== undefined) yield [id, buffer];
    }
  }
}
