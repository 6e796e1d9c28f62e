import types from "node:util/types";
import type { Carried } from "../codec/carried.ts";

/** How many bytes are moved, of what is nothing but moved ArrayBuffers; Infinity of anything else. */
export function bufferBytes({ values, transfer }: Carried): number {
  if (transfer.length === 0 || !values.every(types.isArrayBuffer)) return Infinity;
  let bytes = 0;
  for (const object of transfer) bytes += types.isArrayBuffer(object) ? object.byteLength : Infinity;
  return bytes;
}
