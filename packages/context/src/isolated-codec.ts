import { isolated } from "./ambient.ts";
import { argumentTypeError } from "./argument-errors.ts";
import type { ContextCodec } from "./context-key.ts";
import { jsonCodec } from "./json-codec.ts";

/**
 * The codec as the engine calls it: what it sets does not reach whoever happened to read or send the value.
 * @throws TypeError if it lacks a method.
 */
export function isolatedCodec<T>(option: string, codec: ContextCodec<T>): ContextCodec<T> {
  const hasBothMethods = typeof codec?.encode === "function" && typeof codec.decode === "function";
  if (!hasBothMethods) throw argumentTypeError(option, "an object with encode and decode", codec);
  if (codec === jsonCodec) return codec;
  return {
    encode: (value) => isolated((): string => codec.encode(value), []),
    decode: (text) => isolated((): T => codec.decode(text), []),
  };
}
