import type { Carried } from "./carried.ts";
import type { MarkedStream } from "./marked-streams.ts";

/** Where the bytes of a message lie until it is released. */
export interface MessageBytes {
  /** From index 0. Copies them when the message holds long runs of bytes; after `copyTo` such a message cannot be read. */
  readonly bytes: Uint8Array;
  copyTo(target: Uint8Array, at: number): void;
  release(): void;
}

/**
 * One encoded message. Whoever has asked for it releases it once its bytes are where they go. Until then the encoder writes others
 * elsewhere: whatever runs meanwhile may encode, too. Afterwards the object is the next message's.
 */
export class EncodedMessage {
  /** In bytes. */
  length = 0;
  /** What it leaves to be carried; null when it is complete in itself. */
  carried: Carried | null = null;
  /** What is moved, and yet in its bytes: to be detached when they are where they go, and not before: long runs of bytes are read then. Null: nothing. */
  copied: readonly ArrayBuffer[] | null = null;
  /** Arguments that come piece by piece, in the order of encoding; null: none. */
  streams: readonly MarkedStream[] | null = null;
  /** How much of what is carried are copies of bytes. */
  apartBytes = 0;
  readonly #source: MessageBytes;

  constructor(source: MessageBytes) {
    this.#source = source;
  }

  /** Not after `copyTo`: they lack the long texts and bytes then. */
  get bytes(): Uint8Array {
    return this.#source.bytes;
  }

  /**
   * To `target` at `at`. Once: afterwards nothing of the value is held any more.
   * @throws NotCloneableError when code of the user's has run since it was encoded, and has taken memory of it away.
   */
  copyTo(target: Uint8Array, at: number): void {
    this.#source.copyTo(target, at);
  }

  release(): void {
    this.carried = null;
    this.copied = null;
    this.streams = null;
    this.#source.release();
  }
}

/** For what needs no bytes. */
export const noMessage: EncodedMessage = new EncodedMessage({
  bytes: new Uint8Array(0),
  copyTo: () => {},
  release: () => {},
});
