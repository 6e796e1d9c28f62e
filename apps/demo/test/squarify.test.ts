import * as fc from "fast-check";
import { expect, it } from "vitest";
import { squarify } from "../src/squarify.ts";

const values = fc
  .array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 80 })
  .map((list) => list.toSorted((a, b) => b - a));
const sides = fc.record({
  width: fc.integer({ min: 10, max: 2000 }),
  height: fc.integer({ min: 10, max: 2000 }),
});

it("gives each value its share of the area, inside the area", () => {
  fc.assert(
    fc.property(values, sides, (list, { width, height }) => {
      const parts = squarify(list, { x: 5, y: 7, width, height });
      const total = list.reduce((sum, value) => sum + value, 0);
      expect(parts).toHaveLength(list.length);
      for (const [index, part] of parts.entries()) {
        expect(part.width * part.height).toBeCloseTo((list[index]! / total) * width * height, 3);
        expect(part.x).toBeGreaterThanOrEqual(5 - 1e-6);
        expect(part.y).toBeGreaterThanOrEqual(7 - 1e-6);
        expect(part.x + part.width).toBeLessThanOrEqual(5 + width + 1e-6);
        expect(part.y + part.height).toBeLessThanOrEqual(7 + height + 1e-6);
      }
    }),
  );
});

it("makes no two parts overlap", () => {
  fc.assert(
    fc.property(values, sides, (list, { width, height }) => {
      const parts = squarify(list, { x: 0, y: 0, width, height });
      for (const [index, a] of parts.entries()) {
        for (const b of parts.slice(index + 1)) {
          const x = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
          const y = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
          expect(Math.min(x, y)).toBeLessThan(1e-6);
        }
      }
    }),
    { numRuns: 30 },
  );
});

it("keeps the proportions of the published example", () => {
  const parts = squarify([6, 6, 4, 3, 2, 2, 1], { x: 0, y: 0, width: 6, height: 4 });
  expect(parts.slice(0, 2)).toEqual([
    { x: 0, y: 0, width: 3, height: 2 },
    { x: 0, y: 2, width: 3, height: 2 },
  ]);
  expect(parts[2]).toMatchObject({ x: 3, y: 0 });
  expect(parts[2]!.width).toBeCloseTo(12 / 7);
});

it("of nothing is nothing", () => {
  expect(squarify([], { x: 0, y: 0, width: 1, height: 1 })).toEqual([]);
});
