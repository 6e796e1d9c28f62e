/** Values of another realm, such as those of a vm context or of jsdom, against structuredClone. */
import { createContext, runInContext } from "node:vm";
import { describe, expect, it } from "vitest";

import { roundTrip } from "./round-trip.ts";
import { difference } from "./same-graph.ts";

const context = createContext();
const make = (expression: string): unknown => runInContext(expression, context);

describe("values of another realm arrive as what they are", () => {
  it.each([
    "({ a: 1, b: { c: [1, , 3] } })",
    "Array.from({ length: 40 }, (_, i) => ({ id: i, name: 'n' }))",
    "new Map([[{ k: 1 }, new Set([1, { a: 1 }])]])",
    "[new Date(5), /a(b)/giu, Object(1), Object('text'), 5n]",
    "[new Uint8Array([1, 2]), new Float64Array([1.5]).buffer, new DataView(new ArrayBuffer(4), 1)]",
    "[new RangeError('far', { cause: new TypeError('inner') }), new SyntaxError('x')]",
    "(() => { class Point { x = 1 } return [new Point(), new Point()] })()",
    "Object.create(null, { a: { value: 1, enumerable: true } })",
    "(() => { const shared = {}; return [shared, { shared }] })()",
    "[new (class extends Map {})([[1, 2]]), new (class extends Array {})(1, 2)]",
  ])("%s", (expression) => {
    const value = make(expression);
    for (let round = 0; round < 2; round++)
      expect(difference(roundTrip(value), structuredClone(value))).toBeUndefined();
  });

  it("an object that was made from a built-in does not make its real instances ordinary", () => {
    for (const realm of [make, (expression: string) => runInContext(expression, createContext())]) {
      roundTrip(realm("globalThis.made = Object.create(Map.prototype)"));
      expect(roundTrip(realm("new Map([[1, 2]])"))).toEqual(new Map([[1, 2]]));
    }
    roundTrip(Object.create(Date.prototype));
    expect(roundTrip(new Date(7))).toEqual(new Date(7));
  });
});
