/** Results and errors on their way into the slot: encoded, placed, and reported to the submitting thread. */
import type { Encoder } from "../codec/encoder.ts";
import { toWire } from "../codec/error-wire.ts";
import type { Arena } from "../shared/arena.ts";
import { submitterOf } from "../shared/layout.ts";
import { HOST, type PoolMemory } from "../shared/pool-memory.ts";
import { INLINE_BYTES, OUTCOME_ERROR, OUTCOME_RESULT } from "../shared/slot.ts";

export class OutcomeWriter {
  readonly #memory: PoolMemory;
  readonly #encoder: Encoder;
  readonly #arena: Arena;
  readonly #serial: number;
  readonly #ringHost: () => void;

  /** @param ringHost Posts the bell message. */
  constructor(memory: PoolMemory, encoder: Encoder, arena: Arena, serial: number, ringHost: () => void) {
    this.#memory = memory;
    this.#encoder = encoder;
    this.#arena = arena;
    this.#serial = serial;
    this.#ringHost = ringHost;
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
    const { slots, layout, inboxes, parking, trace } = this.#memory;
    if (trace !== null) trace.finishing(slot, slots.functionId(slot), outcome);
    if (length <= INLINE_BYTES) {
      slots.setInlinePayload(slot, this.#encoder.bytes, length);
    } else {
      slots.setArenaPayload(slot, this.#serial, this.#arena.store(this.#encoder.bytes, length), length);
    }
    slots.setOutcome(slot, outcome);
    slots.finish(slot, this.#serial);
    const submitter = submitterOf(layout, slot);
    const inbox = inboxes[submitter]!;
    inbox.put(slot);
    if (submitter !== HOST) parking.wake(submitter - 1);
    else if (inbox.ring()) this.#ringHost();
    if (trace !== null) trace.finished();
  }
}
