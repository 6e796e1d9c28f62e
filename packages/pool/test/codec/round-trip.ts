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

/** Encodes, copies the bytes into shared memory at `offset` between other bytes, decodes, and wipes the bytes. */
export function roundTrip(value: unknown, offset = 8): unknown {
  const length = encoder.encode(value, "result");
  const memory = new Uint8Array(new SharedArrayBuffer(offset + length + 16)).fill(0xee);
  memory.set(encoder.bytes.subarray(0, length), offset);
  const result = decoder.decode(memory, offset, length);
  memory.fill(0xee);
  return result;
}
