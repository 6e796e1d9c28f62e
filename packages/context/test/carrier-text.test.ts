import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  carrierLimitBytes,
  readCarrier as readEntries,
  writeCarrier,
  writeEntry,
} from "../src/carrier-text.ts";
import type { CarrierEntry } from "../src/carrier-text.ts";

const entry: fc.Arbitrary<CarrierEntry> = fc.record({
  reach: fc.constantFrom("thread" as const, "wire" as const),
  name: fc.oneof(
    fc.string({ minLength: 1, maxLength: 20, unit: "binary" }),
    fc.constantFrom("__proto__", "constructor", "toString"),
  ),
  text: fc.string({ maxLength: 100, unit: "binary" }),
  isPlain: fc.boolean(),
  isStore: fc.boolean(),
});
const entries = fc.uniqueArray(entry, { selector: ({ name }) => name, minLength: 1, maxLength: 10 });

function readCarrier(carrier: string): Map<string, CarrierEntry> {
  return readEntries(carrier, (one) => one);
}

function write(list: readonly CarrierEntry[]): string | null {
  return writeCarrier(list.map((one) => writeEntry(one)));
}

function rewrite(carrier: string, refused: (error: unknown) => string): string | null {
  let read: CarrierEntry[];
  try {
    read = [...readCarrier(carrier).values()];
  } catch (error) {
    return refused(error);
  }
  return write(read);
}

describe("carrier text", () => {
  it("writes no text for no entries", () => {
    expect(write([])).toBeNull();
  });

  it("has the documented form", () => {
    const carrier = write([
      { reach: "thread", name: "a", text: '"x"', isPlain: false, isStore: false },
      { reach: "wire", name: "id:1", text: "", isPlain: false, isStore: false },
      { reach: "thread", name: "b", text: "x", isPlain: true, isStore: false },
      { reach: "wire", name: "c", text: "", isPlain: true, isStore: false },
    ]);
    expect(carrier).toBe('1t1:a3:"x"w4:id:10:T1:b1:xW1:c0:');
  });

  it("reads back what it wrote, whatever the names and texts", () => {
    fc.assert(
      fc.property(entries, (list) => {
        expect([...readCarrier(write(list)!).values()]).toEqual(list);
      }),
    );
  });

  it("a text that reads is the one text for its entries", () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.string({ maxLength: 2 }), (list, at, noise) => {
        const carrier = write(list)!;
        const cut = at % carrier.length;
        const mutated = carrier.slice(0, cut) + noise + carrier.slice(cut + 1);
        const refused = (error: unknown): string => {
          expect(error).toMatchObject({ name: "InvalidCarrierError", code: "ERR_SKEIN_INVALID_CARRIER" });
          return mutated;
        };
        expect(rewrite(mutated, refused)).toBe(mutated);
      }),
    );
  });

  it.each([
    "",
    "1",
    "2t1:a1:x",
    "{}",
    "1x1:a1:x",
    "1t0:1:x",
    "1t01:a1:x",
    "1t1:a",
    "1t1:a5:x",
    "1t1a1:x",
    "1t:a1:x",
    "1t-1:a1:x",
    "1t1:a1:xt1:a1:y",
    `1t${"9".repeat(400)}:a1:x`,
    `1t1:a${carrierLimitBytes}:${"x".repeat(carrierLimitBytes)}`,
  ])("refuses %j", (carrier) => {
    expect(() => readCarrier(carrier)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_INVALID_CARRIER" }),
    );
  });

  it("takes exactly 16 KiB of UTF-8, and no byte more", () => {
    const overhead = "1t1:a5:".length + 4;
    const atLimit = "é".repeat((carrierLimitBytes - overhead) / 2);
    const size = (text: string): number =>
      Buffer.byteLength(write([{ reach: "thread", name: "a", text, isPlain: true, isStore: false }])!);
    const largest = atLimit.slice(0, -1);
    expect(size(largest)).toBeLessThanOrEqual(carrierLimitBytes);
    expect(() => size(`${atLimit}éé`)).toThrow(
      expect.objectContaining({
        code: "ERR_SKEIN_CONTEXT_TOO_LARGE",
        localName: "a",
        limitBytes: carrierLimitBytes,
      }),
    );
    const filled = largest + "x".repeat(carrierLimitBytes - size(largest));
    expect(size(filled)).toBe(carrierLimitBytes);
    expect(() => size(`${filled}x`)).toThrow(expect.objectContaining({ sizeBytes: carrierLimitBytes + 1 }));
  });
});
