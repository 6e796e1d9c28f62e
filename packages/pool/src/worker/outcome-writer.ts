/** Results and errors on their way into the slot: encoded, placed, and reported to the submitting thread. */
import type { Carried } from "../codec/carried.ts";
import { withoutUncloneable } from "../jobs/chunk-job.ts";
import type { Encoder } from "../codec/encoder.ts";
import { toWire } from "../codec/error-wire.ts";
import type { Arena } from "../shared/arena.ts";
import { submitterOf } from "../shared/layout.ts";
import { HOST, type PoolMemory } from "../shared/pool-memory.ts";
import { INLINE_BYTES, OUTCOME_ERROR, OUTCOME_RESULT } from "../shared/slot.ts";
import { detachCopied, refusal } from "../transfer/detach.ts";
import { forgetMoves, moveListOf } from "../transfer/move.ts";

/** For the host to read results, when 4 GiB of them wait: its event loop may be blocked. */
const PATIENCE_MS = 60_000;

export class OutcomeWriter {
  readonly #memory: PoolMemory;
  readonly #encoder: Encoder;
  readonly #arena: Arena;
  readonly #serial: number;
  readonly #ringHost: () => void;
  readonly #carry: (to: number, carried: Carried) => void;

  /**
   * @param ringHost Posts the bell message.
   * @param carry Posts carried values for the submitter with the serial `to`; throws what Node says when it refuses them.
   */
  constructor(
    memory: PoolMemory,
    encoder: Encoder,
    arena: Arena,
    serial: number,
    ringHost: () => void,
    carry: (to: number, carried: Carried) => void,
  ) {
    this.#carry = carry;
    this.#memory = memory;
    this.#encoder = encoder;
    this.#arena = arena;
    this.#serial = serial;
    this.#ringHost = ringHost;
  }

  /** A value that cannot be cloned becomes an error of the job; the thread goes on. */
  result(slot: number, value: unknown): void {
    try {
      const transfer = moveListOf(value);
      const length = this.#encoder.encode(value, "result", transfer);
      this.#finish(slot, length, OUTCOME_RESULT, "result");
      if (transfer !== null) forgetMoves([value]);
    } catch (error) {
      const shorter = withoutUncloneable(value, error);
      if (shorter !== null) {
        this.result(slot, shorter);
        return;
      }
      this.error(slot, error);
    }
  }

  error(slot: number, error: unknown): void {
    try {
      this.#finish(slot, this.#encoder.encode(toWire(error), "error"), OUTCOME_ERROR, "error");
    } catch (notSent) {
      this.#finish(slot, this.#encoder.encode(toWire(notSent), "error"), OUTCOME_ERROR, "error");
    }
  }

  /** @throws when there is no room, or Node refuses what is carried; nothing has happened to the slot then. */
  #finish(slot: number, length: number, outcome: number, root: "result" | "error"): void {
    const { slots, layout, inboxes, parking, trace } = this.#memory;
    const submitter = submitterOf(layout, slot);
    const block = length <= INLINE_BYTES ? 0 : this.#store(length, submitter);
    const { carried, copied } = this.#encoder;
    if (carried !== null || copied !== null) this.#release(slot, carried, copied, root, block);
    if (trace !== null) trace.finishing(slot, slots.functionId(slot), outcome);
    if (block === 0) slots.setInlinePayload(slot, this.#encoder.bytes, length);
    else slots.setArenaPayload(slot, this.#serial, block, length);
    slots.setOutcome(slot, outcome);
    slots.finish(slot, this.#serial);
    const inbox = inboxes[submitter]!;
    inbox.put(slot);
    if (submitter !== HOST) parking.wake(submitter - 1);
    else if (inbox.ring()) this.#ringHost();
    if (trace !== null) trace.finished();
  }

  /** What is carried is posted before the slot is linked: whoever finds it there finds the values in its port. */
  #release(
    slot: number,
    carried: Carried | null,
    copied: readonly ArrayBuffer[] | null,
    root: "result" | "error",
    block: number,
  ): void {
    try {
      if (copied !== null) detachCopied(copied, root);
      if (carried !== null) this.#post(this.#memory.submitterSerial(slot), carried, root);
    } catch (error) {
      if (block !== 0) this.#arena.free(block);
      throw error;
    }
  }

  #post(to: number, carried: Carried, root: "result" | "error"): void {
    try {
      this.#carry(to, carried);
    } catch (error) {
      throw refusal(error, root);
    }
  }

  /** Full: this thread slows down. Not for another pool thread, which may wait for this one in the same way. */
  #store(length: number, submitter: number): number {
    const block =
      submitter === HOST ? this.#arena.allocatePatiently(length, PATIENCE_MS) : this.#arena.allocate(length);
    this.#encoder.copyTo(this.#arena.bytes, block * 8);
    return block;
  }
}
