import { Decoder } from "../../src/codec/decoder.ts";
import { Encoder } from "../../src/codec/encoder.ts";
import { CarriedValues } from "../../src/transfer/carried-values.ts";
import type { SharedBufferTable } from "../../src/codec/shared-buffer-table.ts";

/** A table of one thread, as small as can be. */
export function sharedBufferTable(): SharedBufferTable {
  const buffers: SharedArrayBuffer[] = [];
  return {
    idOf(buffer) {
      const known = buffers.indexOf(buffer);
      return known >= 0 ? known : buffers.push(buffer) - 1;
    },
    fromId: (id) => buffers[id]!,
  };
}

const table = sharedBufferTable();
const carried = new CarriedValues(0, () => {});
export const encoder: Encoder = new Encoder(table, carried.nextId);
export const decoder: Decoder = new Decoder(table, carried);

/** A copy of the bytes that a value is encoded to. */
export function encoded(by: Encoder, value: unknown): Uint8Array {
  const message = by.encode(value, "result");
  const bytes = message.bytes.slice(0, message.length);
  message.release();
  return bytes;
}

/** Encodes, copies the bytes into shared memory at `offset` between other bytes, decodes, and wipes the bytes. */
export function roundTrip(value: unknown, offset = 8): unknown {
  const bytes = encoded(encoder, value);
  const { length } = bytes;
  const memory = new Uint8Array(new SharedArrayBuffer(offset + length + 16)).fill(0xee);
  memory.set(bytes, offset);
  const result = decoder.decode(memory, offset, length);
  memory.fill(0xee);
  return result;
}
