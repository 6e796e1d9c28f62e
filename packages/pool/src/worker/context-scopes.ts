/** The contexts of running jobs: decoded once per distinct context and thread, then entered for a few nanoseconds. */
import { AsyncScope, ExecutionContext } from "@skein/context";
import type { SegmentDirectory } from "../shared/segments.ts";
import type { SlotTable } from "../shared/slot.ts";

/** More distinct contexts than a thread meets between two jobs of the same one. */
const CACHED_SCOPES = 256;

export class ContextScopes {
  readonly #slots: SlotTable;
  readonly #segments: SegmentDirectory;
  /** In order of use, oldest first. */
  readonly #scopes = new Map<number, AsyncScope>();
  #lastId = 0;
  #last: AsyncScope = AsyncScope.root;

  constructor(slots: SlotTable, segments: SegmentDirectory) {
    this.#slots = slots;
    this.#segments = segments;
  }

  /** The context in which the job in `slot` was submitted. */
  of(slot: number): AsyncScope {
    const id = this.#slots.contextId(slot);
    if (id === 0) return AsyncScope.root;
    if (id === this.#lastId) return this.#last;
    let scope = this.#scopes.get(id);
    if (scope === undefined) {
      scope = this.#decode(slot);
      if (this.#scopes.size >= CACHED_SCOPES) this.#scopes.delete(this.#scopes.keys().next().value!);
    } else {
      this.#scopes.delete(id);
    }
    this.#scopes.set(id, scope);
    this.#lastId = id;
    this.#last = scope;
    return scope;
  }

  #decode(slot: number): AsyncScope {
    const bytes = this.#segments.bytes(this.#slots.contextSegment(slot));
    const carrier = Buffer.from(
      bytes.buffer,
      this.#slots.contextOffset(slot),
      this.#slots.contextLength(slot),
    );
    return AsyncScope.forContext(ExecutionContext.fromCarrier(carrier.toString("utf8")));
  }
}
