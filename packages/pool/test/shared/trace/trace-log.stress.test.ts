import { expect, it } from "vitest";
import {
  OPEN_FIELDS,
  readTrace,
  readTraceNames,
  RECORD_FIELDS,
  TraceMemory,
} from "../../../src/shared/trace/trace-log.ts";
import { Cast, STRESS_MS, TEST_TIMEOUT_MS } from "../stress/stress.ts";

it(
  "TraceLog, under stress: whoever reads while the thread writes sees whole records without gaps, and open slices that fit",
  async () => {
    await using cast = new Cast(new URL("../stress/trace-log.worker.ts", import.meta.url));
    const memory = new TraceMemory(128);
    const writing = cast.play<number>("writer", { buffer: memory.buffer, capacity: memory.capacity });
    cast.stopAfter(STRESS_MS);
    const complaints: unknown[] = [];
    let reads = 0;
    let withOpen = 0;
    while (Atomics.load(cast.stop, 0) === 0 && complaints.length === 0) {
      if (++reads % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
      const { records, open } = readTrace(memory);
      const newest = records.at(1 - RECORD_FIELDS) ?? 0;
      for (let at = 0; at < records.length; at += RECORD_FIELDS) {
        const [start, end, key, code, value] = records.subarray(at, at + RECORD_FIELDS);
        const isWhole = key === start && code === 2 * start! && value === -start!;
        const hasGap = end !== newest - (records.length - at) / RECORD_FIELDS + 1;
        if (!isWhole || hasGap) complaints.push([newest, start, end, key, code, value]);
      }
      if (open.length > 0) withOpen++;
      for (let at = 0; at < open.length; at += OPEN_FIELDS) {
        const [start, key, code, value] = open.subarray(at, at + OPEN_FIELDS);
        const isWhole = key === start && code === 2 * start! && value === -start!;
        const isInside = at === 0 || start! > open[at - OPEN_FIELDS]!;
        if (!isWhole || !isInside) complaints.push([...open]);
      }
    }
    const written = await writing;
    expect(complaints).toEqual([]);
    expect(written).toBeGreaterThan(1000);
    expect(reads).toBeGreaterThan(10);
    expect(withOpen).toBeGreaterThan(0);
    expect(readTraceNames(memory)).toEqual(Array.from({ length: 100 }, (_, i) => `name ${i}`));
  },
  TEST_TIMEOUT_MS,
);
