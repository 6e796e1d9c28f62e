import type { ContextCodec } from "./context-key.ts";
import { is, parse, stringify } from "./intrinsics.ts";

/**
 * The codec of a local that names none. What JSON would turn into something else at the top level
 * (functions, symbols, NaN, infinities) is refused, and -0 is kept; inside objects and arrays JSON's own rules hold.
 */
export const jsonCodec: ContextCodec<unknown> = {
  encode(value) {
    if (typeof value === "number") {
      // Not zero for NaN and the infinities.
      if (value - value !== 0) throw new TypeError(`${value} has no JSON form`);
      if (is(value, -0)) return "-0";
    }
    const text = stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError(`A ${typeof value} has no JSON form`);
    return text;
  },
  decode: (text) => parse(text) as unknown,
};
