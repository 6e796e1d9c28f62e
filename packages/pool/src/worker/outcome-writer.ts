/** Results and errors on their way into the slot: encoded, placed, and reported to the submitting thread. */
import type { Encoder } from "../codec/encoder.ts";
import { toWire } from "../codec/error-wire.ts";
import type { Arena } from "../shared/arena.ts";
import type { Inbox } from "../shared/inbox.ts";
import { INLINE_BYTES, OUTCOME_ERROR, OUTCOME_RESULT, type SlotTable } from "../shared/slot.ts";

export class OutcomeWriter {
  readonly #slots: SlotTable;
  readonly #inbox: Inbox;
  readonly #encoder: Encoder;
  readonly #arena: Arena;
  readonly #thread: number;
  readonly #ring: () => void;

  /** @param ring Posts the bell message to the submitting thread. */
  constructor(
    slots: SlotTable,
    inbox: Inbox,
    encoder: Encoder,
    arena: Arena,
    thread: number,
    ring: () => void,
  ) {
    this.#slots = slots;
    this.#inbox = inbox;
    this.#encoder = encoder;
    this.#arena = arena;
    this.#thread = thread;
    this.#ring = ring;
  }

  /** A value that cannot be cloned becomes an error of the job; the thread goes on. */
  result(slot: number, value: unknown): void {
    let length: number;
    try {
      length = this.#encoder.encode(value, "result");
    } catch (error) {
      this.error(slot, error);
      return;
    }
    this.#finish(slot, length, OUTCOME_RESULT);
  }

  error(slot: number, error: unknown): void {
    let length: number;
    try {
      length = this.#encoder.encode(toWire(error), "error");
    } catch (notCloneable) {
      length = this.#encoder.encode(toWire(notCloneable), "error");
    }
    this.#finish(slot, length, OUTCOME_ERROR);
  }

  #finish(slot: number, length: number, outcome: number): void {
    if (length <= INLINE_BYTES) {
      this.#slots.setInlinePayload(slot, this.#encoder.bytes, length);
    } else {
      const block = this.#arena.store(this.#encoder.bytes, length);
      this.#slots.setArenaPayload(slot, block.segment, block.offset, length);
    }
    this.#slots.setOutcome(slot, outcome);
    this.#slots.finish(slot, this.#thread);
    if (this.#inbox.put(slot)) this.#ring();
  }
}
