/**
 * What bytes cannot say: values that are moved (`transfer`), and those that only a message between threads can carry. In the
 * bytes each is an index; the values themselves go by a port, under a number that the bytes name at their end.
 */
import type { Transferable } from "node:worker_threads";
import { matchAcrossCopies } from "@skein/context/errors";
import { byteLengthOf, Float64Array, Uint8Array } from "../shared/intrinsics.ts";
import { isArrayBuffer } from "./brand-checks.ts";
import { MessageFlag } from "./wire-tags.ts";

/** Up to so many bytes a copy costs less than a message, in each direction and by the bytes of all that is moved. */
const COPIED_UP_TO = 16 << 10;

/** The carried values of one message. */
export interface Carried {
  /** Never 0, never re-used within a pool. */
  readonly id: number;
  /** By index. */
  readonly values: readonly unknown[];
  /** What has to be listed when they are posted; may hold more than `values` does, as with postMessage. */
  readonly transfer: readonly Transferable[];
}

/** Whether all that is to be moved is so little memory that its bytes are copied, and the rest of moving is done by detaching it. */
export function isCopied(transfer: readonly Transferable[]): transfer is readonly ArrayBuffer[] {
  let bytes = 0;
  for (let i = 0; i < transfer.length; i++) {
    const object = transfer[i];
    if (!isArrayBuffer(object)) return false;
    bytes += byteLengthOf(object);
  }
  return bytes <= COPIED_UP_TO;
}

/** Where a decoder finds what came with the message. */
export interface CarriedTable {
  /**
   * The values of this number, which are the caller's from now on.
   * @throws NotArrived when they are not here yet.
   */
  take(id: number): readonly unknown[];
  /** The message is to be read again later. */
  putBack(id: number, values: readonly unknown[]): void;
}

/**
 * Thrown to say: later. No error: whoever decodes catches it, and waits. What submits jobs on a thread may be of another copy of this package than
 * what throws it there (worker/thread-of-pool.ts).
 */
export class NotArrived {
  static {
    matchAcrossCopies(this, "NotArrived");
  }

  /** Of carried values; negative: minus the number of a SharedArrayBuffer. */
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
}

/** The number under which the values of an encoded message are carried; 0 when it is complete in itself. */
export function carriedIdOf(bytes: Uint8Array, start: number, length: number): number {
  if ((bytes[start]! & MessageFlag.carried) === 0) return 0;
  for (let i = 0; i < 8; i++) f64Bytes[i] = bytes[start + length - 8 + i]!;
  return f64[0]!;
}

/** Gives a copy of an encoded message, which ends at `end`, another number. */
export function renameCarried(bytes: Uint8Array, end: number, id: number): void {
  f64[0] = id;
  bytes.set(f64Bytes, end - 8);
}

const f64 = new Float64Array(1);
const f64Bytes = new Uint8Array(f64.buffer);
