import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  OPEN_FIELDS,
  readTrace,
  readTraceNames,
  RECORD_FIELDS,
  TraceMemory,
  TraceWriter,
} from "../../../src/shared/trace/trace-log.ts";
import {
  codeOf,
  DETAIL,
  detailOf,
  functionOf,
  jobKey,
  KIND,
  kindOf,
  priorityOf,
  serialOf,
} from "../../../src/shared/trace/trace-code.ts";

const CAPACITY = 64;

function starts(memory: TraceMemory, start = 0): number[] {
  const { records } = readTrace(memory, start);
  return Array.from({ length: records.length / RECORD_FIELDS }, (_, i) => records[i * RECORD_FIELDS]!);
}

describe("TraceLog", () => {
  it("smoke: records come back whole, in order", () => {
    const memory = new TraceMemory(CAPACITY);
    const writer = new TraceWriter(memory);
    expect(readTrace(memory)).toMatchObject({ dropped: 0, records: { length: 0 }, open: { length: 0 } });
    writer.record(1, 2, 3, 4, 5);
    writer.record(6, 7, 8, 9, 10);
    expect([...readTrace(memory).records]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it.each([0, 2 ** 31 - 100, 2 ** 32 - 100])(
    "keeps the newest and counts the others, also where the counter wraps: from %i",
    (start) => {
      const memory = new TraceMemory(CAPACITY);
      const writer = new TraceWriter(memory, start);
      for (let n = 1; n <= 300; n++) {
        writer.record(n, n, n, n, n);
        const kept = starts(memory, start);
        const { dropped } = readTrace(memory, start);
        expect(kept.length + dropped).toBe(n);
        expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => n - kept.length + 1 + i));
        // Some of the oldest are given up, as they might be overwritten while they are read.
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(n, CAPACITY - 16));
      }
    },
  );

  it("open slices are seen until they close, the outermost first", () => {
    const memory = new TraceMemory(CAPACITY);
    const writer = new TraceWriter(memory);
    writer.open(1, 11, 100, 0);
    writer.open(2, 12, 200, 5);
    expect([...readTrace(memory).open]).toEqual([1, 11, 100, 0, 2, 12, 200, 5]);
    expect([writer.openKey, writer.openCode]).toEqual([12, 200]);
    writer.close(3, 1);
    expect([...readTrace(memory).open]).toEqual([1, 11, 100, 0]);
    writer.close(4, 2);
    expect([...readTrace(memory).records]).toEqual([2, 3, 12, 201, 5, 1, 4, 11, 102, 0]);
    expect(readTrace(memory).open).toHaveLength(0);
    expect([writer.openKey, writer.openCode]).toEqual([0, 0]);
    writer.close(5, 0);
    expect(readTrace(memory).records).toHaveLength(2 * RECORD_FIELDS);
  });

  it("slices nest deeper than shared memory has room for", () => {
    const memory = new TraceMemory(4096);
    const writer = new TraceWriter(memory);
    for (let depth = 0; depth < 1000; depth++) writer.open(depth, depth + 1, 0, 0);
    expect(readTrace(memory).open).toHaveLength(128 * OPEN_FIELDS);
    for (let depth = 999; depth >= 0; depth--) {
      expect(writer.openKey).toBe(depth + 1);
      writer.close(2000 - depth, 0);
    }
    expect(starts(memory)).toEqual(Array.from({ length: 1000 }, (_, i) => 999 - i));
    expect(readTrace(memory).open).toHaveLength(0);
  });

  it("a slice whose thread died between its record and its end is not seen twice", () => {
    const memory = new TraceMemory(CAPACITY);
    const writer = new TraceWriter(memory);
    writer.open(1, 7, 0, 0);
    writer.record(1, 2, 7, 0, 0);
    const { open, records } = readTrace(memory);
    expect([open.length, records.length]).toEqual([0, RECORD_FIELDS]);
  });

  it("begins anew for the next thread in the place; names stay", () => {
    const memory = new TraceMemory(CAPACITY);
    const first = new TraceWriter(memory);
    first.name('[1,"a"]');
    first.open(1, 1, 1, 1);
    first.record(1, 2, 3, 4, 5);
    memory.clear();
    expect(readTrace(memory)).toMatchObject({ dropped: 0, records: { length: 0 }, open: { length: 0 } });
    const second = new TraceWriter(memory);
    second.name('[2,"ö"]');
    second.record(9, 9, 9, 9, 9);
    expect(starts(memory)).toEqual([9]);
    expect(readTraceNames(memory)).toEqual(['[1,"a"]', '[2,"ö"]']);
  });

  it("names that find no room are dropped whole", () => {
    const memory = new TraceMemory(CAPACITY);
    const writer = new TraceWriter(memory);
    const line = "x".repeat(999);
    for (let i = 0; i < 100; i++) writer.name(line);
    const names = readTraceNames(memory);
    expect(names).toHaveLength(65);
    expect(names.every((name) => name === line)).toBe(true);
  });
});

describe("codes and keys of records", () => {
  it("are what they were made of, exact in a Float64", () => {
    const kinds = Object.values(KIND);
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        fc.constantFrom(...(Object.keys(DETAIL) as (keyof typeof DETAIL)[])),
        (kind, fn, detail) => {
          const code = codeOf(kind, fn) + DETAIL[detail];
          expect([kindOf(code), functionOf(code), detailOf(code)]).toEqual([kind, fn >>> 0, detail]);
        },
      ),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 20 - 1 }),
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.integer({ min: 0, max: 2 }),
        (serial, count, priority) => {
          const key = jobKey(serial, count, priority);
          expect(key).toBeGreaterThan(0);
          expect(Number.isSafeInteger(key)).toBe(true);
          expect([serialOf(key), priorityOf(key)]).toEqual([serial, priority]);
        },
      ),
    );
  });
});
