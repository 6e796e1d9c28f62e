import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SlotOrder } from "../src/slot-order.ts";

function listOf(order: SlotOrder): number[] {
  const list: number[] = [];
  for (let slot = order.first(); slot !== -1; slot = order.after(slot)) list.push(slot);
  return list;
}

describe("SlotOrder", () => {
  it("behaves like a list without duplicates", () => {
    const step = fc.record({ slot: fc.nat({ max: 4 }), isAppend: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const order = new SlotOrder(5);
        let model: number[] = [];
        for (const { slot, isAppend } of steps) {
          if (isAppend) {
            order.append(slot);
            if (!model.includes(slot)) model.push(slot);
          } else {
            order.remove(slot);
            model = model.filter((other) => other !== slot);
          }
          expect(listOf(order)).toEqual(model);
          expect(order.has(slot)).toBe(isAppend);
        }
      }),
    );
  });
});
