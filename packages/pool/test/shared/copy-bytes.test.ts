import { describe, expect, it } from "vitest";
import { copyBytes } from "../../src/shared/copy-bytes.ts";

const memories: [name: string, make: (length: number) => Uint8Array][] = [
  ["own memory", (length) => new Uint8Array(length)],
  ["shared memory", (length) => new Uint8Array(new SharedArrayBuffer(length))],
];

describe.each(memories)("copyBytes from %s", (_from, makeSource) => {
  it.each(memories)(
    "to %s: the whole, the beginning, the middle, the end, one byte, nothing",
    (_to, make) => {
      const source = makeSource(300);
      for (let i = 0; i < 300; i++) source[i] = (i * 7) & 0xff;
      for (const [start, length] of [
        [0, 300],
        [0, 100],
        [7, 100],
        [200, 100],
        [0, 1],
        [299, 1],
        [0, 0],
        [300, 0],
      ] as const) {
        // prettier-ignore
        const target = make(310).fill(0xee);
        copyBytes(source, start, length, target, 5);
        expect(target.slice(5, 5 + length)).toEqual(source.slice(start, start + length));
        expect([...target.slice(0, 5), ...target.slice(5 + length)].every((byte) => byte === 0xee)).toBe(
          true,
        );
      }
    },
  );

  it.each(memories)("to %s: sources of 0 and 1 bytes, and no more than the source has", (_to, make) => {
    const target = make(4).fill(0xee);
    copyBytes(makeSource(0), 0, 0, target, 0);
    copyBytes(makeSource(1).fill(9), 0, 1, target, 1);
    copyBytes(makeSource(1).fill(8), 0, 100, target, 2);
    expect([...target]).toEqual([0xee, 9, 8, 0xee]);
  });
});
