import type { ContextCodec } from "./context-key.ts";
import { parse, stringify } from "./intrinsics.ts";

/**
 * The codec of a local that names none. What JSON would turn into something else at the top level
 * (functions, symbols, NaN, infinities) is refused; inside objects and arrays JSON's own rules hold.
 */
export const jsonCodec: ContextCodec<unknown> = {
  encode(value) {
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new TypeError(`${value} has no JSON form`);
    }
    const text = stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError(`A ${typeof value} has no JSON form`);
    return text;
  },
  decode: (text) => parse(text) as unknown,
};
