/** What was thrown, or is the reason of a signal, between threads: with class, code, cause and properties, as errors of jobs. */
import {
  decodeValue,
  type EncodedValue,
  encodeValue,
  type ErrorWire,
  fromWire,
  toWire,
} from "@skein/pool/engine";
import type { Sent } from "./wire.ts";

/** Never throws: what cannot be copied is told as an error that says so. */
export function encodeThrown(thrown: unknown): Sent<EncodedValue> {
  try {
    return encodeValue(toWire(thrown), "error");
  } catch (notSent) {
    return encodeValue(toWire(notSent), "error");
  }
}

/** Never throws: what cannot be read here is told as an error that says so. */
export function decodeThrown(value: EncodedValue): unknown {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `encodeThrown` has made it
    return fromWire(decodeValue(value) as ErrorWire);
  } catch (unread) {
    return unread;
  }
}
