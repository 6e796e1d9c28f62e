/** The items of one stream on their way into its ring. */
import { isArrayBuffer } from "../codec/brand-checks.ts";
import type { Carried } from "../codec/carried.ts";
import type { EncodedMessage } from "../codec/encoded-message.ts";
import type { Encoder } from "../codec/encoder.ts";
import { byteLengthOf } from "../shared/intrinsics.ts";
import type { Payloads } from "../shared/payloads.ts";
import { STREAM_SHAPE, type StreamWriter } from "../shared/stream-ring.ts";
import { detachCopied, refusal } from "../transfer/detach.ts";
import { forgetMoves, moveListOf } from "../transfer/move.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";

export interface ItemWriterParts {
  readonly encoder: Encoder;
  readonly payloads: Payloads;
  readonly sharedBuffers: SharedBuffers;
  /** Posts carried values for the reader; throws what Node says when it refuses them. */
  readonly carry: (carried: Carried) => void;
}

/** What an item names but does not contain is held until it was read. */
interface Held {
  readonly frame: number;
  readonly buffers: readonly SharedArrayBuffer[];
}

export class ItemWriter {
  readonly ring: StreamWriter;
  readonly #parts: ItemWriterParts;
  readonly #bytes: Uint8Array;
  readonly #offset: number;
  #held: Held[] = [];

  /** @param offset Where the ring's block begins in `buffer`. */
  constructor(parts: ItemWriterParts, ring: StreamWriter, buffer: SharedArrayBuffer, offset: number) {
    this.#parts = parts;
    this.ring = ring;
    this.#bytes = new Uint8Array(buffer);
    this.#offset = offset;
  }

  /**
   * After `ring.canWrite`. What encoding calls of the user's runs before anything is written.
   * @returns whether the reader waits, and has to be told.
   * @throws what encoding throws, NotCloneableError, or when there is no room; nothing was written then.
   */
  write(value: unknown): boolean {
    if (typeof value === "number") return this.ring.writeNumber(value);
    const { encoder, sharedBuffers } = this.#parts;
    const transfer = moveListOf(value);
    const outer = sharedBuffers.beginMessage();
    let message: EncodedMessage;
    let named: readonly SharedArrayBuffer[] | null;
    try {
      message = encoder.encode(value, "item", transfer);
    } finally {
      named = sharedBuffers.endMessage(outer);
    }
    let isAwaited: boolean;
    try {
      isAwaited =
        message.length <= STREAM_SHAPE.maxBytes ? this.#writeHere(message) : this.#writeApart(message);
    } finally {
      message.release();
    }
    if (transfer !== null) forgetMoves([value]);
    if (named !== null || this.#held.length > 0) this.#hold(named);
    return isAwaited;
  }

  #writeHere(message: EncodedMessage): boolean {
    const moved = movedBytes(message);
    this.#send(message);
    message.copyTo(this.#bytes, this.#offset + this.ring.reserve(message.length, moved));
    return this.ring.write();
  }

  #writeApart(message: EncodedMessage): boolean {
    const { payloads } = this.#parts;
    const { length } = message;
    const moved = movedBytes(message);
    const block = payloads.allocate(length);
    message.copyTo(payloads.bytes(block), payloads.offset(block));
    try {
      this.#send(message);
    } catch (error) {
      payloads.free(block);
      throw error;
    }
    return this.ring.writeApart(payloads.arenaOf(block), payloads.blockOf(block), length, moved);
  }

  /** What is carried is posted before the frame is there. */
  #send({ copied, carried }: EncodedMessage): void {
    if (copied !== null) detachCopied(copied, "item");
    if (carried === null) return;
    try {
      this.#parts.carry(carried);
    } catch (error) {
      throw refusal(error, "item");
    }
  }

  #hold(buffers: readonly SharedArrayBuffer[] | null): void {
    const { readCount, writtenCount } = this.ring;
    this.#held = this.#held.filter(({ frame }) => frame > readCount);
    if (buffers !== null) this.#held.push({ frame: writtenCount, buffers });
  }
}

/** Before it is sent. What else is moved is no memory that one could count. */
function movedBytes({ carried }: EncodedMessage): number {
  let bytes = 0;
  if (carried !== null)
    for (const each of carried.transfer) if (isArrayBuffer(each)) bytes += byteLengthOf(each);
  return bytes;
}
