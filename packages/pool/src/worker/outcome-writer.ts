/** Results and errors on their way into the slot: encoded, placed, and reported to the submitting thread. */
import type { Carried } from "../codec/carried.ts";
import type { EncodedMessage } from "../codec/encoded-message.ts";
import { forgetMovesOf, withoutUncloneable } from "../jobs/chunk-job.ts";
import type { Encoder } from "../codec/encoder.ts";
import { toWire } from "../codec/error-wire.ts";
import type { LargeValues } from "./large-values.ts";
import type { Payloads } from "../shared/payloads.ts";
import { submitterOf } from "../shared/layout.ts";
import { HOST, type PoolMemory } from "../shared/pool-memory.ts";
import { INLINE_BYTES } from "../shared/layout.ts";
import { OUTCOME_AHEAD, OUTCOME_ERROR, OUTCOME_RESULT, OUTCOME_STOPPED } from "../shared/slot-fields.ts";
import { detachCopied, refusal } from "../transfer/detach.ts";
import { moveListOf } from "../transfer/move.ts";
import { outputPending, whenOutputFlushed } from "./console-output.ts";
import { process } from "../shared/intrinsics.ts";

/** For the host to read results, when 4 GiB of them wait: its event loop may be blocked. */
const PATIENCE_MS = 60_000;
/**
 * From here on the host gets bytes as a copy that is moved to it: copied once, by this thread, instead of twice. Below, the message costs
 * what the copy would.
 */
const APART_FROM = 128 << 10;
/** Copies that wait for the host are in nobody's account: so much at most, until it has taken everything in. */
const MAX_APART_BYTES = 256 << 20;

export interface OutcomeWriterParts {
  readonly memory: PoolMemory;
  readonly encoder: Encoder;
  readonly payloads: Payloads;
  readonly serial: number;
  /** Posts the bell message. */
  readonly ringHost: () => void;
  /** Takes in what the host has posted, without waiting. */
  readonly takeMessages: () => void;
  readonly large: LargeValues;
  /** Posts carried values for the submitter with the serial `to`; throws what Node says when it refuses them. */
  readonly carry: (to: number, carried: Carried) => void;
  /** The outcome of the job in `slot` is about to be written: from then on its memory may be somebody else's. */
  readonly ending: (slot: number) => void;
  /** No outcome is held back any more: the thread may take jobs again. */
  readonly released: () => void;
}

export class OutcomeWriter {
  readonly #parts: OutcomeWriterParts;
  readonly #memory: PoolMemory;
  readonly #encoder: Encoder;
  /** Written, and not linked: what these jobs have printed is still on its way. Until then they are RUNNING to everybody else. */
  #held: number[] = [];
  /** The main thread does not take output in: nothing is held back until it does again. */
  #isMainBusy = false;
  /** Since the host was last seen to have taken everything in. */
  #apartBytes = 0;

  constructor(parts: OutcomeWriterParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#encoder = parts.encoder;
    // The thread ends: output that is on its way arrives, or does not, whatever is waited for.
    process.on("exit", () => this.release());
  }

  /**
   * Whether outcomes wait for output. The event loop has to run then, and the thread takes no job: who waits for these outcomes must
   * not wait for the next job, and if that ends the thread, theirs have ended before.
   */
  get hasHeld(): boolean {
    return this.#held.length > 0;
  }

  /** Links what is held back, here and now: the event loop will stand still. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const slot of held) this.#link(slot, submitterOf(this.#memory.layout, slot));
  }

  /** A value that cannot be cloned becomes an error of the job; the thread goes on. */
  result(slot: number, value: unknown, outcome: number = OUTCOME_RESULT): void {
    try {
      const transfer = moveListOf(value);
      const message = this.#encoder.encode(value, "result", transfer, this.#apartFrom(slot));
      this.#finish(slot, message, outcome, "result");
      if (transfer !== null) forgetMovesOf(value);
    } catch (error) {
      const shorter = withoutUncloneable(value, error);
      if (shorter !== null) {
        this.result(slot, shorter);
        return;
      }
      const isAhead = outcome === OUTCOME_RESULT && this.#memory.slots.isStream(slot);
      this.error(slot, error, isAhead ? OUTCOME_AHEAD : OUTCOME_ERROR);
    }
  }

  /** Of a stream whose generator was ended before its end. */
  stopped(slot: number, value: unknown): void {
    this.result(slot, value, OUTCOME_STOPPED);
  }

  error(slot: number, error: unknown, outcome: number = OUTCOME_ERROR): void {
    try {
      this.#finish(slot, this.#encoder.encode(toWire(error), "error"), outcome, "error");
    } catch (notSent) {
      this.#finish(slot, this.#encoder.encode(toWire(notSent), "error"), outcome, "error");
    }
  }

  /** Of a stream that has run ahead of its reader. */
  errorAhead(slot: number, error: unknown): void {
    this.error(slot, error, OUTCOME_AHEAD);
  }

  /** @throws when there is no room, or Node refuses what is carried; nothing has happened to the slot then. */
  #finish(slot: number, message: EncodedMessage, outcome: number, root: "result" | "error"): void {
    const { layout, trace } = this.#memory;
    const submitter = submitterOf(layout, slot);
    this.#parts.ending(slot);
    try {
      this.#write(slot, message, outcome, root, submitter);
    } finally {
      message.release();
    }
    // A job that this thread has submitted itself is part of another one here, whose outcome waits.
    if (submitter !== this.#memory.submitter && this.#isOutputAwaited()) this.#hold(slot);
    else this.#link(slot, submitter);
    if (trace !== null) trace.finished();
  }

  #write(
    slot: number,
    message: EncodedMessage,
    outcome: number,
    root: "result" | "error",
    submitter: number,
  ): void {
    const { slots, trace } = this.#memory;
    const { payloads, large } = this.#parts;
    const { length, carried, copied, apartBytes } = message;
    const block = length <= INLINE_BYTES ? 0 : this.#store(message, submitter);
    if (carried !== null || copied !== null) this.#sendCarried(slot, carried, copied, root, block);
    if (apartBytes > 0) {
      this.#apartBytes += apartBytes;
      large.add(apartBytes);
    }
    if (trace !== null)
      trace.finishing(slot, slots.functionId(slot), outcome === OUTCOME_AHEAD ? OUTCOME_ERROR : outcome);
    if (block === 0) slots.setInlinePayload(slot, message.bytes, length);
    else slots.setArenaPayload(slot, payloads.arenaOf(block), payloads.blockOf(block), length);
    slots.setOutcome(slot, outcome);
  }

  /** How large bytes have to be to leave as a copy of their own. What goes to a thread would pass through the host. */
  #apartFrom(slot: number): number {
    const { layout, inboxes } = this.#memory;
    if (submitterOf(layout, slot) !== HOST) return Infinity;
    if (this.#apartBytes >= MAX_APART_BYTES) {
      if (!inboxes[HOST]!.isEmpty()) return Infinity;
      this.#apartBytes = 0;
    }
    return APART_FROM;
  }

  #isOutputAwaited(): boolean {
    if (!outputPending()) {
      this.#isMainBusy = false;
      return false;
    }
    return !this.#isMainBusy;
  }

  /** The outcome is told when the output is there. */
  #hold(slot: number): void {
    if (this.#held.push(slot) > 1) return;
    whenOutputFlushed((hasArrived) => {
      this.#isMainBusy = !hasArrived;
      this.release();
      this.#parts.released();
    });
  }

  #link(slot: number, submitter: number): void {
    const { slots } = this.#memory;
    if (slots.isExclusive(slot) && !slots.end(slot)) slots.awaitTermination();
    slots.finish(slot, this.#parts.serial);
    if (!slots.isStream(slot) || slots.wantLink(slot, true)) this.put(slot, submitter);
  }

  /** Puts the slot into the inbox of its submitter, and wakes that. */
  put(slot: number, submitter: number): void {
    const { inboxes, parking } = this.#memory;
    const inbox = inboxes[submitter]!;
    inbox.put(slot);
    if (submitter !== HOST) parking.wake(submitter - 1);
    else if (inbox.ring()) this.#parts.ringHost();
  }

  /** What is carried is posted before the slot is linked: whoever finds it there finds the values in its port. */
  #sendCarried(
    slot: number,
    carried: Carried | null,
    copied: readonly ArrayBuffer[] | null,
    root: "result" | "error",
    block: number,
  ): void {
    try {
      if (carried !== null) this.#post(this.#memory.submitterSerial(slot), carried, root);
      // Not when Node has refused the other.
      if (copied !== null) detachCopied(copied, root);
    } catch (error) {
      if (block !== 0) this.#parts.payloads.free(block);
      throw error;
    }
  }

  #post(to: number, carried: Carried, root: "result" | "error"): void {
    try {
      this.#parts.carry(to, carried);
    } catch (error) {
      throw refusal(error, root);
    }
  }

  /** Full: this thread slows down. Not for another pool thread, which may wait for this one in the same way. */
  #store(message: EncodedMessage, submitter: number): number {
    const { payloads, large, takeMessages } = this.#parts;
    const { length } = message;
    large.add(length);
    const block =
      submitter === HOST
        ? payloads.allocatePatiently(length, PATIENCE_MS, takeMessages)
        : payloads.allocate(length);
    try {
      message.copyTo(payloads.bytes(block), payloads.offset(block));
    } catch (error) {
      // Listeners of other jobs may have run while this one waited for room.
      payloads.free(block);
      throw error;
    }
    return block;
  }
}
