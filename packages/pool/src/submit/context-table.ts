/**
 * The contexts of submitted jobs: each distinct one lies in the arena once, as its carrier's text, for as long as jobs name it.
 * A thousand jobs of one request encode it once and carry a number.
 */
import { ExecutionContext } from "@skein/context";
import type { Arena } from "../shared/arena.ts";

/** Contexts that no job names any more keep their bytes for the next job, the last so many of them. */
const IDLE_ENTRIES = 64;

export interface ContextEntry {
  /** Never 0, never re-used by this submitter. */
  readonly id: number;
  readonly carrier: string;
  /** How many jobs name it. */
  users: number;
  /** In the arena; 0: not there now. */
  block: number;
  length: number;
}

export class ContextTable {
  readonly #arena: Arena;
  readonly #entries = new WeakMap<ExecutionContext, ContextEntry | null>();
  readonly #idle = new Set<ContextEntry>();
  #nextId = 1;
  #bytesInUse = 0;
  #last: ExecutionContext | null = null;
  #lastEntry: ContextEntry | null = null;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /**
   * The current context, with one more user; null when nothing of it flows to a thread.
   * @throws {ContextTooLargeError} and what a codec throws.
   */
  enter(): ContextEntry | null {
    const context = ExecutionContext.capture();
    if (context === null) return null;
    let entry: ContextEntry | null | undefined = this.#lastEntry;
    if (context !== this.#last) {
      entry = this.#entries.get(context);
      if (entry === undefined) {
        const carrier = context.toCarrier("thread");
        entry = carrier === null ? null : { id: this.#nextId++, carrier, users: 0, block: 0, length: 0 };
        this.#entries.set(context, entry);
      }
      this.#last = context;
      this.#lastEntry = entry;
    }
    if (entry === null) return null;
    if (entry.users++ === 0) this.#use(entry);
    return entry;
  }

  /** One more user of an entry that is in use. */
  useAgain(entry: ContextEntry): void {
    entry.users++;
  }

  /** What the contexts of jobs in flight take in the arena. */
  get bytesInUse(): number {
    return this.#bytesInUse;
  }

  leave(entry: ContextEntry): void {
    if (--entry.users > 0) return;
    this.#bytesInUse -= entry.length;
    this.#idle.add(entry);
    if (this.#idle.size <= IDLE_ENTRIES) return;
    const oldest = this.#idle.values().next().value!;
    this.#idle.delete(oldest);
    this.#arena.free(oldest.block);
    oldest.block = 0;
    // The last context seen must not stay reachable through a table that nobody uses.
    this.#last = this.#lastEntry = null;
  }

  #use(entry: ContextEntry): void {
    this.#idle.delete(entry);
    if (entry.block === 0) {
      const bytes = Buffer.from(entry.carrier, "utf8");
      entry.block = this.#arena.store(bytes, bytes.length);
      entry.length = bytes.length;
    }
    this.#bytesInUse += entry.length;
  }
}
