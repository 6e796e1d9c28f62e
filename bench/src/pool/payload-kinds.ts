/** Payloads of each kind in any size, made once per size; what comes back is compared by its size and a few samples. */
import type { JobName } from "../peers/product.ts";
import { expectSame } from "./rounds.ts";

export interface PayloadKind {
  readonly name: string;
  readonly title: string;
  readonly job: JobName;
  /** In bytes, as JSON would have them for objects. */
  readonly sizes: readonly number[];
  /** A value to call with. Transferred ones are used up: a new one comes from what came back. */
  make(bytes: number): unknown;
  /** @throws Error when the result is not what the job makes of the value. */
  check(result: unknown, sent: unknown, bytes: number): void;
}

const KB = 1024;
const MB = KB * KB;
/** Even steps on a logarithmic axis, about. */
const SIZES = [8, KB, 64 * KB, MB, 64 * MB];

export const objectKind: PayloadKind = {
  name: "object",
  title: "objects, there and back",
  job: "echo",
  sizes: SIZES,
  make: (bytes) =>
    bytes <= 8 ? { id: 1 } : Array.from({ length: Math.ceil(bytes / ROW_BYTES) }, (_, i) => rowAt(i)),
  check(result, sent, bytes) {
    if (bytes <= 8) {
      expectSame((result as { id: number }).id, 1);
      return;
    }
    const rows = result as Row[];
    expectSame(rows.length, (sent as Row[]).length);
    const last = rows.length - 1;
    expectSame(JSON.stringify(rows[last]), JSON.stringify(rowAt(last)));
  },
};

export const stringKind: PayloadKind = {
  name: "string",
  title: "strings, there and back",
  job: "echo",
  sizes: SIZES,
  // One byte a character, and flat: `repeat` alone makes a rope that the first copy would have to flatten.
  make: (bytes) => Buffer.alloc(bytes, "abcdefgh").toString("latin1"),
  check(result, _sent, bytes) {
    expectSame((result as string).length, bytes);
    expectSame((result as string).slice(-8), "abcdefgh");
  },
};

export const copiedKind: PayloadKind = {
  name: "bytes",
  title: "bytes copied, there and back",
  job: "echo",
  sizes: SIZES,
  make: (bytes) => new Uint8Array(bytes).fill(7),
  check(result, _sent, bytes) {
    expectSame((result as Uint8Array).byteLength, bytes);
    expectSame((result as Uint8Array).at(-1), 7);
  },
};

export const oneWayKind: PayloadKind = {
  name: "bytes-in",
  title: "bytes copied to the job, a number back",
  job: "measure",
  sizes: SIZES,
  make: (bytes) => copiedKind.make(bytes),
  check: (result, _sent, bytes) => expectSame(result, bytes),
};

export const transferredKind: PayloadKind = {
  name: "transfer",
  title: "bytes transferred, there and back",
  job: "echoMoved",
  sizes: SIZES,
  make: (bytes) => new Uint8Array(bytes).fill(7).buffer,
  check(result, sent, bytes) {
    expectSame((sent as ArrayBuffer).byteLength, 0);
    expectSame((result as ArrayBuffer).byteLength, bytes);
  },
};

export const sharedKind: PayloadKind = {
  name: "shared",
  title: "shared memory, handed to the job",
  job: "touch",
  sizes: SIZES,
  make: (bytes) => new Uint8Array(new SharedArrayBuffer(bytes)),
  check: (result, _sent, bytes) => expectSame(result, bytes),
};

/** What services send: mixed fields, short strings, one level of nesting. */
interface Row {
  readonly id: number;
  readonly name: string;
  readonly amount: number;
  readonly active: boolean;
  readonly tags: readonly string[];
}

const ROW_BYTES = 90;

function rowAt(i: number): Row {
  return { id: i, name: `customer ${i % 100}`, amount: i * 1.25, active: i % 3 === 0, tags: ["new", "eu"] };
}
