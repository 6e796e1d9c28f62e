import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { errorGraph, graph, graphWithBuffers, primitive, text } from "./arbitrary-value.ts";
import { fromWire, toWire, type ErrorWire } from "../../src/codec/error-wire.ts";
import { encoded, encoder, roundTrip } from "./round-trip.ts";
import { difference } from "./same-graph.ts";

describe("every value arrives as structuredClone would give it", () => {
  it("primitives", () => {
    fc.assert(
      fc.property(primitive, (value) => {
        expect(roundTrip(value)).toBe(value);
      }),
      { numRuns: 1_000 },
    );
  });

  it("strings of any 16-bit units, as values and as keys", () => {
    fc.assert(
      fc.property(text, text, (key, value) => {
        fc.pre(key !== "__proto__");
        expect(difference(roundTrip({ [key]: value }), { [key]: value })).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it("JSON-like values", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(difference(roundTrip(value), structuredClone(value))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it("lists of records, with the same keys and with others, shared, and in another order", () => {
    const record = fc.oneof(
      fc.record({ id: primitive, name: text, "": fc.constant([]) }),
      fc.record({ name: text, id: primitive }, { requiredKeys: [] }),
      fc.constantFrom<unknown>(JSON.parse('{ "__proto__": 1, "a": 2 }'), {}, undefined, null, new Date(5)),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 40 }), fc.boolean(), (rows, twice) => {
        const value = twice ? [rows, ...rows, { rows }] : rows;
        expect(difference(roundTrip(value), structuredClone(value))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it("graphs with aliases, cycles, holes and every kind of container", () => {
    fc.assert(
      fc.property(graph, (value) => {
        expect(difference(roundTrip(value), structuredClone(value))).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it("with Buffers, which stay Buffers, and with objects of other realms", () => {
    fc.assert(
      fc.property(graphWithBuffers, ({ value, standIn }) => {
        expect(difference(roundTrip(value), structuredClone(standIn))).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it("at any offset of shared memory", () => {
    fc.assert(
      fc.property(graph, fc.integer({ min: 0, max: 40 }), (value, slot) => {
        expect(difference(roundTrip(value, slot * 8), structuredClone(value))).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it("encoding twice gives the same bytes: nothing is left over from the message before", () => {
    fc.assert(
      fc.property(graph, graph, (first, second) => {
        const expected = encoded(encoder, first);
        encoded(encoder, second);
        expect(Buffer.compare(encoded(encoder, first), expected)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

describe("every error that is thrown arrives as itself", () => {
  it("with causes, lists and properties of all flags, aliases and cycles", () => {
    fc.assert(
      fc.property(errorGraph, (error) => {
        const copy = fromWire(roundTrip(toWire(error)) as ErrorWire);
        expect(difference(copy, error)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});
