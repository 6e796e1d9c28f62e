/** The items of one stream on their way into its ring. */
import type { Transferable } from "node:worker_threads";
import { isArrayBuffer } from "../codec/brand-checks.ts";
import type { Carried } from "../codec/carried.ts";
import type { EncodedMessage } from "../codec/encoded-message.ts";
import type { Encoder } from "../codec/encoder.ts";
import type { ErrorWire } from "../codec/error-wire.ts";
import type { CloneRoot } from "../codec/not-cloneable.ts";
import { byteLengthOf } from "../shared/intrinsics.ts";
import type { Payloads } from "../shared/payloads.ts";
import { APART, keptBytes, STREAM_SHAPE, StreamWriter, THROWN } from "../shared/stream-ring.ts";
import { detachCopied, refusal } from "./detach.ts";
import { forgetMoves, moveListOf } from "./move.ts";
import type { SharedBuffers } from "./shared-buffers.ts";

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
  readonly buffers: readonly SharedArrayBuffer[] | null;
  /** Of an argument: where it lies; 0: in the ring. */
  readonly block: number;
  /** Of an argument: what it carries; 0: nothing. */
  readonly carriedId: number;
}

export class ItemWriter {
  readonly ring: StreamWriter;
  readonly #parts: ItemWriterParts;
  readonly #bytes: Uint8Array;
  readonly #offset: number;
  readonly #ownsBlocks: boolean;
  #held: Held[] = [];
  #isFreed = false;

  /** Of no stream, and always there: see TaskJob.kept. */
  static readonly kept: ItemWriter = new ItemWriter(null as never, StreamWriter.kept, keptBytes, 0);

  /**
   * @param bytes The memory in which the ring lies.
   * @param offset Where its block begins there.
   * @param ownsBlocks Whether the reader leaves it to this side to free the blocks of items, as with arguments (stream-ring.ts I4).
   */
  constructor(
    parts: ItemWriterParts,
    ring: StreamWriter,
    bytes: Uint8Array,
    offset: number,
    ownsBlocks: boolean = false,
  ) {
    this.#parts = parts;
    this.ring = ring;
    this.#ownsBlocks = ownsBlocks;
    this.#bytes = bytes;
    this.#offset = offset;
  }

  /**
   * After `ring.canWrite`. What encoding calls of the user's runs before anything is written.
   * @param transfer What is moved instead of copied. @default what `move` was told of the value
   * @returns whether the reader waits, and has to be told.
   * @throws what encoding throws, NotCloneableError, or when there is no room; nothing was written then.
   */
  write(
    value: unknown,
    root: CloneRoot = "item",
    transfer: readonly Transferable[] | null = moveListOf(value),
  ): boolean {
    if (typeof value === "number") return this.ring.writeNumber(value);
    const isAwaited = this.#encodeAndWrite(value, root, transfer, APART);
    if (transfer !== null) forgetMoves([value]);
    return isAwaited;
  }

  /** What the source of an argument has thrown; nothing follows. Otherwise as `write`. */
  writeThrown(wire: ErrorWire): boolean {
    return this.#encodeAndWrite(wire, "error", null, THROWN);
  }

  #encodeAndWrite(
    value: unknown,
    root: CloneRoot,
    transfer: readonly Transferable[] | null,
    kind: typeof APART | typeof THROWN,
  ): boolean {
    const { encoder, sharedBuffers } = this.#parts;
    const outer = sharedBuffers.beginMessage();
    let message: EncodedMessage;
    let named: readonly SharedArrayBuffer[] | null;
    try {
      message = encoder.encode(value, root, transfer);
    } finally {
      named = sharedBuffers.endMessage(outer);
    }
    if (this.#isFreed) {
      // By what encoding has called.
      message.release();
      return false;
    }
    let isAwaited: boolean;
    let block = 0;
    const carriedId = this.#ownsBlocks && message.carried !== null ? message.carried.id : 0;
    try {
      if (kind === APART && message.length <= STREAM_SHAPE.maxBytes) {
        isAwaited = this.#writeHere(message, root);
      } else {
        block = this.#parts.payloads.allocate(message.length);
        isAwaited = this.#writeApart(message, root, block, kind);
      }
    } finally {
      message.release();
    }
    if (!this.#ownsBlocks) block = 0;
    if (named !== null || block !== 0 || carriedId !== 0)
      this.#held.push({ frame: this.ring.writtenCount, buffers: named, block, carriedId });
    if (this.#held.length > 0) this.#letGo();
    return isAwaited;
  }

  #writeHere(message: EncodedMessage, root: CloneRoot): boolean {
    message.copyTo(this.#bytes, this.#offset + this.ring.reserve(message.length, movedBytes(message)));
    this.#send(message, root);
    return this.ring.write();
  }

  #writeApart(
    message: EncodedMessage,
    root: CloneRoot,
    block: number,
    kind: typeof APART | typeof THROWN,
  ): boolean {
    const { payloads } = this.#parts;
    const { length } = message;
    const moved = movedBytes(message);
    try {
      message.copyTo(payloads.bytes(block), payloads.offset(block));
      this.#send(message, root);
    } catch (error) {
      payloads.free(block);
      throw error;
    }
    return this.ring.writeApart(payloads.arenaOf(block), payloads.blockOf(block), length, moved, kind);
  }

  /** Behind `copyTo`, which needs what is detached here. What is carried is posted before the frame is there. */
  #send({ copied, carried }: EncodedMessage, root: CloneRoot): void {
    if (carried !== null) this.#carry(carried, root);
    // Not when Node has refused the other.
    if (copied !== null) detachCopied(copied, root);
  }

  #carry(carried: Carried, root: CloneRoot): void {
    try {
      this.#parts.carry(carried);
    } catch (error) {
      throw refusal(error, root);
    }
  }

  /** What was held for items that were read. */
  #letGo(): void {
    const { readCount } = this.ring;
    this.#held = this.#held.filter((held) => {
      if (held.frame > readCount) return true;
      if (held.block !== 0) this.#parts.payloads.free(held.block);
      return false;
    });
  }

  /** Of an argument: nobody reads, and nothing is written any more. @returns what the items carry that were not read. */
  free(): number[] {
    this.#isFreed = true;
    this.ring.refresh();
    this.#letGo();
    const carried: number[] = [];
    for (const { block, carriedId } of this.#held) {
      if (block !== 0) this.#parts.payloads.free(block);
      if (carriedId !== 0) carried.push(carriedId);
    }
    this.#held = [];
    return carried;
  }
}

/** Before it is sent. What else is moved is no memory that one could count. */
function movedBytes({ carried }: EncodedMessage): number {
  let bytes = 0;
  if (carried !== null)
    for (const each of carried.transfer) if (isArrayBuffer(each)) bytes += byteLengthOf(each);
  return bytes;
}
