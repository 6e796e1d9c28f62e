import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createNotesBuffer, NoteReader, NoteWriter } from "../../../src/shared/trace/note-log.ts";

const CAPACITY = 64;
const MAX_LINE = 16;

describe("NoteLog", () => {
  it.each([0, 2 ** 31 - 7, 2 ** 32 - 7])("lines come back whole, in order, each once: from %i", (start) => {
    const buffer = createNotesBuffer(CAPACITY);
    // CURSOR of a log that has been written for long.
    new Int32Array(buffer)[0] = start | 0;
    const writer = new NoteWriter(buffer, MAX_LINE);
    const reader = new NoteReader(buffer, MAX_LINE);
    for (let i = 0; i < 50; i++) {
      writer.write(`a${i}`);
      writer.write("ö");
      expect(reader.read()).toEqual([`a${i}`, "ö"]);
      expect(reader.read()).toEqual([]);
    }
  });

  it("goes on with another writer, and a reader that comes later is told what comes then", () => {
    const buffer = createNotesBuffer(CAPACITY);
    const first = new NoteReader(buffer, MAX_LINE);
    new NoteWriter(buffer, MAX_LINE).write("a");
    const second = new NoteReader(buffer, MAX_LINE);
    new NoteWriter(buffer, MAX_LINE).write("b");
    expect([first.read(), second.read()]).toEqual([["a", "b"], ["b"]]);
  });

  it("refuses a line that is too long, and keeps the others", () => {
    const buffer = createNotesBuffer(CAPACITY);
    const writer = new NoteWriter(buffer, MAX_LINE);
    const reader = new NoteReader(buffer, MAX_LINE);
    expect(writer.write("x".repeat(MAX_LINE))).toBe(false);
    expect(writer.write("x".repeat(MAX_LINE - 1))).toBe(true);
    expect(reader.read()).toEqual(["x".repeat(MAX_LINE - 1)]);
  });

  it("is a list of which a reader that comes late misses the oldest lines, and nothing else", () => {
    const lines = fc.array(fc.string({ maxLength: 5 }).map((text) => text.replaceAll("\n", "n")));
    fc.assert(
      fc.property(fc.array(lines), (bursts) => {
        const buffer = createNotesBuffer(CAPACITY);
        const writer = new NoteWriter(buffer, MAX_LINE);
        const reader = new NoteReader(buffer, MAX_LINE);
        for (const burst of bursts) {
          const written = burst.filter((line) => writer.write(line)).map((line) => line.toWellFormed());
          const read = reader.read();
          expect(written.slice(written.length - read.length)).toEqual(read);
          const size = Buffer.byteLength(written.map((line) => `${line}\n`).join(""));
          const hasRoom = size <= CAPACITY - MAX_LINE;
          expect(read.length === written.length || !hasRoom).toBe(true);
        }
      }),
    );
  });
});
