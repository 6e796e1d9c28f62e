import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TransientMap } from "../../src/transfer/transient-map.ts";

describe("TransientMap", () => {
  it("holds what a Map would hold, whatever is set and deleted", () => {
    const step = fc.record({ does: fc.constantFrom("set", "delete"), key: fc.integer({ min: 0, max: 4 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const map = new Map<number, object>();
        const recent = new TransientMap<number, object>();
        const said: unknown[] = [];
        const expected: unknown[] = [];
        for (const { does, key } of steps) {
          const value = {};
          for (const [each, list] of [[recent, said] as const, [map, expected] as const]) {
            if (does === "set") each.set(key, value);
            else list.push(each.delete(key));
            list.push(each.get(key), each.has(key), each.size, new Map(each.entries()));
          }
        }
        expect(said).toEqual(expected);
      }),
    );
  });

  it("entries can be deleted while they are looked at", () => {
    const recent = new TransientMap<number, { readonly id: number }>();
    for (let id = 1; id <= 3; id++) recent.set(id, { id });

    const seen: number[] = [];
    for (const [id] of recent.entries()) {
      seen.push(id);
      recent.delete(id);
    }

    expect(seen).toEqual([1, 2, 3]);
    expect(recent.size).toBe(0);
  });
});
