import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { whole } from "../../../../test/support/whole.ts";
import { NotArrived } from "../../src/codec/carried.ts";
import { graph } from "./arbitrary-value.ts";
import { decoder, encoded, encoder } from "./round-trip.ts";

const attempt = (bytes: Uint8Array, length = bytes.length) => {
  try {
    return { value: decoder.decode(bytes, 0, length) };
  } catch (error) {
    return { error };
  }
};

const isValueOrError = (outcome: object) =>
  !("error" in outcome) || outcome.error instanceof Error || outcome.error instanceof NotArrived;

describe("bytes that no encoder wrote", () => {
  it("give a value or an error, never a crash, and leave the decoder usable", () => {
    const good = encoded(encoder, { a: [1, "two"] });
    fc.assert(
      fc.property(
        graph,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (value, changes) => {
          const bytes = encoded(encoder, value);
          const { length } = bytes;
          for (const [at, byte] of changes) bytes[at % length] = byte;
          const outcome = attempt(bytes);
          expect(isValueOrError(outcome)).toBe(true);
          expect(decoder.decode(good, 0, good.length)).toEqual({ a: [1, "two"] });
        },
      ),
      { numRuns: whole ? 2_000 : 800 },
    );
  });

  it("random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.constantFrom(1, 2), (random, flag) => {
        const bytes = Uint8Array.from([flag, ...random]);
        const outcome = attempt(bytes);
        expect(isValueOrError(outcome)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("a message that is cut off anywhere is an error with a code", () => {
    const value = {
      name: "x".repeat(70),
      list: [1.5, 2 ** 40, "y", new Map([[1, new Date(0)]])],
      bytes: new Uint8Array(9),
    };
    const bytes = encoded(encoder, value);
    const { length } = bytes;
    for (let cut = 1; cut < length; cut++) {
      expect(attempt(bytes, cut)).toMatchObject({ error: { code: "ERR_SKEIN_CORRUPT_MESSAGE" } });
    }
  });

  it("a row with more values than its table has keys", () => {
    const good = [1, 0x1d, 1, 0, 0, 0, 0x41, 0x61, 0, 0, 0x81, 0, 0x41, 0x62, 0x82, 0];
    expect(attempt(Uint8Array.from(good))).toEqual({ value: [{ a: -15, b: -14 }] });
    const bad = Uint8Array.from([1, 0x1d, 1, 0, 0, 0, 0x41, 0x61, 0, 0, 0x81, 0x82, 0, 0]);
    expect(attempt(bad)).toMatchObject({ error: { code: "ERR_SKEIN_CORRUPT_MESSAGE" } });
  });

  it("a length beyond the message allocates nothing", () => {
    for (const tag of [0x09, 0x0a, 0x0c, 0x0f, 0x10, 0x15, 0x16, 0x18, 0x1b, 0x1c]) {
      const bytes = Uint8Array.from([1, tag, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
      expect(attempt(bytes)).toMatchObject({ error: { code: "ERR_SKEIN_CORRUPT_MESSAGE" } });
    }
  });
});
