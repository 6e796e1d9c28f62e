/**
 * What bytes cannot say: values that are moved (`transfer`), and those that only a message between threads can carry. In the
 * bytes each is an index; the values themselves go by a port, under a number that the bytes name at their end.
 */
import type { Transferable } from "node:worker_threads";
import { MessageFlag } from "./wire-tags.ts";

/** The carried values of one message. */
export interface Carried {
  /** Never 0, never re-used within a pool. */
  readonly id: number;
  /** By index. */
  readonly values: readonly unknown[];
  /** What has to be listed when they are posted; may hold more than `values` does, as with postMessage. */
  readonly transfer: readonly Transferable[];
}

/** Where a decoder finds what came with the message. */
export interface CarriedTable {
  /**
   * The values of this number, which are the caller's from now on.
   * @throws NotArrived when they are not here yet.
   */
  take(id: number): readonly unknown[];
}

/** Thrown to say: later. No error: whoever decodes catches it, and waits. */
export class NotArrived {
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
}

/** The number under which the values of an encoded message are carried; 0 when it is complete in itself. */
export function carriedIdOf(bytes: Uint8Array, start: number, length: number): number {
  if ((bytes[start]! & MessageFlag.carried) === 0) return 0;
  f64Bytes.set(bytes.subarray(start + length - 8, start + length));
  return f64[0]!;
}

const f64 = new Float64Array(1);
const f64Bytes = new Uint8Array(f64.buffer);
