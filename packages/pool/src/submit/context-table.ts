/**
 * The contexts of submitted jobs: each distinct one lies in the arena once, as its carrier's text, for as long as jobs name it.
 * A thousand jobs of one request encode it once and carry a number.
 *
 * Nothing here keeps a context alive that no job in flight has: entries hang on contexts weakly, and hold text alone.
 */
import { ExecutionContext } from "@skein/context";
import { copyBytes } from "../shared/copy-bytes.ts";
import type { Payloads } from "../shared/payloads.ts";

/** Texts that no job names any more stay for the next job of the same context, the last so many of them, until `forget`. */
const IDLE_ENTRIES = 64;
/** In the slot. */
const MAX_ID = 2 ** 43 - 1;

export interface ContextEntry {
  /** Never 0, never re-used by this submitter: the same for the same text. */
  readonly id: number;
  readonly carrier: string;
  /** Of the carrier in the arena, in bytes. */
  readonly length: number;
  /** How many jobs name it. */
  users: number;
  /** In the arena; 0: not there now. */
  block: number;
}

export class ContextTable {
  readonly #payloads: Payloads;
  /** Null: nothing of the context flows to a thread. */
  readonly #entries = new WeakMap<ExecutionContext, ContextEntry | null>();
  readonly #idle = new Set<ContextEntry>();
  #nextId = 1;
  #users = 0;
  #bytesInUse = 0;
  /** The last context seen, only while jobs are in flight. */
  #last: ExecutionContext | null = null;
  #lastEntry: ContextEntry | null = null;

  constructor(payloads: Payloads) {
    this.#payloads = payloads;
  }

  /** Of the contexts that jobs name, each counted once. */
  get bytesInUse(): number {
    return this.#bytesInUse;
  }

  /** How much more there would be with one more job of this context. */
  bytesToAdd(entry: ContextEntry | null): number {
    return entry === null || entry.users > 0 ? 0 : entry.length;
  }

  /**
   * The current context; null when nothing of it flows to a thread. Runs codecs of users, before anything has changed: they may
   * submit jobs, or throw.
   *
   * @throws {ContextTooLargeError} and what a codec throws.
   */
  current(): ContextEntry | null {
    const context = ExecutionContext.capture();
    if (context === null) return null;
    const entry = context === this.#last ? this.#lastEntry : this.#entryOf(context);
    if (entry === null || entry.block === 0 || this.#payloads.isCurrent(entry.block)) return entry;
    return this.#moved(context, entry);
  }

  /**
   * One more job names it: `leave` has to follow.
   * @throws SkeinError 'ERR_SKEIN_ARENA_FULL' when there is no room. Nothing has changed then.
   */
  enter(entry: ContextEntry): void {
    if (entry.block === 0) this.#store(entry);
    if (entry.users++ === 0) {
      this.#idle.delete(entry);
      this.#bytesInUse += entry.length;
    }
    this.#users++;
  }

  leave(entry: ContextEntry): void {
    if (--this.#users === 0) this.#last = this.#lastEntry = null;
    if (--entry.users > 0) return;
    this.#bytesInUse -= entry.length;
    this.#idle.add(entry);
    if (this.#idle.size > IDLE_ENTRIES || !this.#payloads.isCurrent(entry.block)) {
      this.#evict(this.#idle.values().next().value!);
    }
  }

  /** The thread has nothing to do: what nobody names goes. */
  forget(): void {
    for (const entry of this.#idle) this.#evict(entry);
  }

  #entryOf(context: ExecutionContext): ContextEntry | null {
    if (!this.#entries.has(context)) {
      const carrier = context.toCarrier("thread");
      // A codec may have submitted a job of this context meanwhile.
      if (!this.#entries.has(context))
        this.#entries.set(context, carrier === null ? null : this.#create(carrier));
    }
    const entry = this.#entries.get(context)!;
    if (this.#users > 0) {
      this.#last = context;
      this.#lastEntry = entry;
    }
    return entry;
  }

  /** Its memory is to go, and would not while there is always a job of this context: jobs from now on have a text of their own. */
  #moved(context: ExecutionContext, entry: ContextEntry): ContextEntry {
    if (entry.users === 0) {
      this.#evict(entry);
      return entry;
    }
    const moved: ContextEntry = { ...entry, users: 0, block: 0 };
    this.#entries.set(context, moved);
    this.#last = this.#lastEntry = null;
    return moved;
  }

  #store(entry: ContextEntry): void {
    const bytes = Buffer.from(entry.carrier, "utf8");
    const block = this.#payloads.allocate(bytes.length);
    copyBytes(bytes, 0, bytes.length, this.#payloads.bytes(block), this.#payloads.offset(block));
    entry.block = block;
  }

  #evict(entry: ContextEntry): void {
    this.#idle.delete(entry);
    this.#payloads.free(entry.block);
    entry.block = 0;
  }

  #create(carrier: string): ContextEntry {
    const id = this.#nextId;
    this.#nextId = id === MAX_ID ? 1 : id + 1;
    return { id, carrier, length: Buffer.byteLength(carrier), users: 0, block: 0 };
  }
}
