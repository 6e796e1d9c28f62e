import { describe, expect, it } from "vitest";
import { MAX_SEGMENTS, SegmentDirectory, segmentId, segmentIndex } from "../../src/shared/segments.ts";

describe("segmentId", () => {
  it("is different for every serial, index and kind, and fits a word", () => {
    const ids = [0, 1, 2, 2 ** 19, 2 ** 20 - 1].flatMap((serial) =>
      [0, 1, MAX_SEGMENTS - 1].flatMap((index) =>
        [true, false].map((large) => segmentId(serial, index, large)),
      ),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect([...Int32Array.from(ids)]).toEqual(ids);
    expect(segmentIndex(segmentId(2 ** 20 - 1, 5, true))).toBe(5);
  });
});

describe("SegmentDirectory", () => {
  it("finds a segment that was announced, and takes in messages for one that was not", () => {
    let taken = 0;
    const late = new SharedArrayBuffer(8);
    const directory = new SegmentDirectory(() => {
      taken++;
      directory.add(segmentId(2, 0, false), late);
    });
    const early = new SharedArrayBuffer(8);
    directory.add(segmentId(1, 0, false), early);
    expect(directory.bytes(segmentId(1, 0, false)).buffer).toBe(early);
    expect(taken).toBe(0);
    expect(directory.bytes(segmentId(2, 0, false)).buffer).toBe(late);
    expect(directory.bytes(segmentId(2, 0, false)).buffer).toBe(late);
    expect(taken).toBe(1);
  });

  it("takes in messages before each look at a large segment: its number may have been used again", () => {
    const id = segmentId(1, 3, true);
    const second = new SharedArrayBuffer(16);
    const directory = new SegmentDirectory(() => {
      directory.drop(id);
      directory.add(id, second);
    });
    directory.add(id, new SharedArrayBuffer(8));
    expect(directory.bytes(id).buffer).toBe(second);
  });

  it("says which segment nobody announced", () => {
    expect(() => new SegmentDirectory(() => {}).bytes(segmentId(1, 0, false))).toThrow(/segment 4096/);
  });

  it("teardown: forgets what a dead thread owned, and nothing else", () => {
    for (const serial of [1, 2 ** 19, 2 ** 20 - 1]) {
      const directory = new SegmentDirectory(() => {});
      for (const owner of [0, serial]) {
        for (const large of [true, false])
          directory.add(segmentId(owner, 1, large), new SharedArrayBuffer(8));
      }
      directory.dropOwner(serial);
      expect(directory.bytes(segmentId(0, 1, false)).length).toBe(8);
      expect(directory.bytes(segmentId(0, 1, true)).length).toBe(8);
      expect(() => directory.bytes(segmentId(serial, 1, false))).toThrow(/never announced/);
      expect(() => directory.bytes(segmentId(serial, 1, true))).toThrow(/never announced/);
    }
  });
});
