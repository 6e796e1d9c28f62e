/**
 * Values between an engine's caller and the thread that runs its jobs, where there is no shared memory of a pool: the same bytes as in a
 * pool, and beside them what bytes cannot say.
 */
import type { Transferable } from "node:worker_threads";
import { SkeinError } from "@skein/context/errors";
import { Decoder, type ReceivedStreams } from "../codec/decoder.ts";
import { Encoder } from "../codec/encoder.ts";
import type { MarkedStream } from "../codec/marked-streams.ts";
import { Refusal } from "../codec/refusal.ts";
import type { CloneRoot } from "../codec/not-cloneable.ts";
import { letGoAll } from "../submit/argument-pumps.ts";
import { ownValue } from "../shared/intrinsics.ts";
import { detach, detachCopied, giveUp } from "../transfer/detach.ts";

/** A value on its way to another thread: it can be posted as it is, with the list that came with it. */
export interface EncodedValue {
  readonly bytes: Uint8Array;
  /** What only a message between threads can carry: what is moved, Blobs, keys. Null: nothing; then the bytes are complete. */
  readonly carried: readonly unknown[] | null;
  /** The SharedArrayBuffers that the bytes name. Null: none. */
  readonly shared: readonly SharedArrayBuffer[] | null;
}

export interface SentValue {
  readonly value: EncodedValue;
  /** What has to be listed when `value` is posted. */
  readonly transfer: readonly Transferable[];
}

export interface EncodeOptions {
  /** What is moved instead of copied. It is detached when `encodeValue` returns. @default nothing */
  readonly transfer?: readonly Transferable[] | null | undefined;
  /** Only bytes arrive: what shares memory, and what only a message can carry, is refused by its path. Nothing is moved. @default false */
  readonly bytesOnly?: boolean | undefined;
  /** Called when no code of the value's author runs any more, before anything is detached. What it throws is thrown. */
  readonly beforeDetaching?: ((moves: boolean) => void) | undefined;
}

/** Of the message that is being encoded or decoded. */
let shared: SharedArrayBuffer[] = [];
let carried: readonly unknown[] = [];
const noStreams: ReadonlyMap<number, object> = new Map();
let received = noStreams;
let lastCarriedId = 0;

const buffers = {
  idOf(buffer: SharedArrayBuffer): number {
    const index = shared.indexOf(buffer);
    return index < 0 ? shared.push(buffer) - 1 : index;
  },
  fromId(id: number): SharedArrayBuffer {
    const buffer = shared[id];
    if (buffer === undefined)
      throw new SkeinError(
        "ERR_SKEIN_CORRUPT_MESSAGE",
        `The message names a SharedArrayBuffer, ${id}, that did not come with it`,
      );
    return buffer;
  },
};
const encoder = new Encoder(buffers, () => ++lastCarriedId, true, letGoAll, false);
const bytesEncoder = new Encoder(
  {
    ...buffers,
    idOf(buffer: SharedArrayBuffer): number {
      throw new Refusal(
        "is shared memory, which no other process sees; copy it, or run the job on a ThreadPool",
        buffer,
      );
    },
  },
  () => 0,
  false,
  letGoAll,
  false,
);
/** For arguments that come piece by piece. */
const streamingEncoder = new Encoder(buffers, () => ++lastCarriedId, true, letGoAll);
const streams: ReceivedStreams = {
  received(number) {
    const stream = received.get(number);
    if (stream === undefined)
      throw new SkeinError(
        "ERR_SKEIN_CORRUPT_MESSAGE",
        `The message names a stream, ${number}, that did not come with it`,
      );
    return stream;
  },
};
const decoder = new Decoder(buffers, { take: () => carried, putBack: () => {} }, streams);

/**
 * Encodes a value as jobs' arguments and results are encoded: what arrives has the same values, aliases and cycles. Synchronous; getters
 * of the value run here, and may encode themselves.
 *
 * @param root Where the path of a NotCloneableError begins. "args" takes an argument list.
 * @throws NotCloneableError when the value holds something that cannot be copied or moved; nothing was detached then.
 */
export function encodeValue(value: unknown, root: CloneRoot, options: EncodeOptions = {}): SentValue {
  const beforeDetaching = ownValue(options, "beforeDetaching");
  return ownValue(options, "bytesOnly") === true
    ? sentValue(bytesEncoder, value, root, null, beforeDetaching)
    : sentValue(encoder, value, root, ownValue(options, "transfer") ?? null, beforeDetaching);
}

/**
 * An argument list whose streams are left to the caller, for an engine whose jobs run on the thread that calls.
 * @param beforeDetaching As in EncodeOptions; is given the streams, too.
 */
export function encodeArguments(
  args: readonly unknown[],
  transfer: readonly Transferable[] | null,
  beforeDetaching: (moves: boolean, streams: readonly MarkedStream[] | null) => void,
): SentValue {
  return sentValue(streamingEncoder, args, "args", transfer, beforeDetaching);
}

function sentValue(
  by: Encoder,
  value: unknown,
  root: CloneRoot,
  transfer: readonly Transferable[] | null,
  beforeDetaching: ((moves: boolean, streams: readonly MarkedStream[] | null) => void) | undefined,
): SentValue {
  const outer = shared;
  const named: SharedArrayBuffer[] = (shared = []);
  try {
    const message = by.encode(value, root, transfer);
    try {
      const { copied } = message;
      beforeDetaching?.(
        copied !== null || (message.carried !== null && message.carried.transfer.length > 0),
        message.streams,
      );
      const bytes = new Uint8Array(message.length);
      message.copyTo(bytes, 0);
      const own = message.carried === null ? null : detach(message.carried, root);
      if (copied !== null) detachCopied(copied, root);
      return {
        value: {
          bytes,
          carried: own === null ? null : own.values,
          shared: named.length === 0 ? null : named,
        },
        transfer: own === null ? [] : own.transfer,
      };
    } finally {
      message.release();
    }
  } finally {
    shared = outer;
  }
}

/**
 * The value. Runs no code of its author. What it carries is the caller's from now on, so decode once.
 * @throws SkeinError ERR_SKEIN_CORRUPT_MESSAGE for what `encodeValue` has not made, ERR_SKEIN_TOO_DEEP.
 */
export function decodeValue(value: EncodedValue): unknown {
  return decodeArguments(value, noStreams);
}

/** The same for an argument list. @param byNumber What stands for its streams, by their numbers. */
export function decodeArguments(value: EncodedValue, byNumber: ReadonlyMap<number, object>): unknown {
  const outer = { shared, carried, received };
  shared = value.shared === null ? [] : [...value.shared];
  carried = value.carried ?? [];
  received = byNumber;
  try {
    return decoder.decode(value.bytes, 0, value.bytes.length);
  } finally {
    ({ shared, carried, received } = outer);
  }
}

/** Nobody will decode it: what it carries is closed, so that no other end waits. */
export function dropValue({ carried: values }: EncodedValue): void {
  if (values !== null) giveUp({ id: 0, values: [], transfer: values as Transferable[] });
}
