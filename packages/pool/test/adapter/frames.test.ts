import { expect, it } from "vitest";
import { FrameReader } from "../../src/adapter/frame-reader.ts";
import { FrameWriter } from "../../src/adapter/frame-writer.ts";

interface Frame {
  readonly kind: number;
  readonly number: number;
  readonly time: number;
  readonly text: string;
  /** As a text, which is compared at once. */
  readonly bytes: string;
}

/** Sizes around those at which a writer does something else: bytes from where they lie, a new block, a longer block. */
const sizes = [0, 1, 3, 16_383, 16_384, 65_536, 300_000];

const frames: readonly Frame[] = sizes.flatMap((size, i) =>
  [0, 5, 40_000].map((length, j) => ({
    kind: i + 1,
    number: 2 ** 32 - 1 - i,
    time: i + j / 3,
    text: "ä\ud800b".repeat(length / 5),
    bytes: String.fromCharCode(i + j).repeat(size),
  })),
);

const kinds = frames.map(({ kind }) => kind);

function written(isGone: boolean): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new FrameWriter((bytes) => {
    pieces.push(isGone ? bytes.slice() : bytes);
    return isGone;
  });
  for (const { kind, number, time, text, bytes } of frames) {
    writer.begin(kind, text.length);
    writer.u32(number);
    writer.f64(time);
    writer.text(text);
    writer.end(Buffer.from(bytes, "latin1"));
  }
  writer.flush();
  writer.flush();
  return Buffer.concat(pieces);
}

it.each([
  ["is gone at once", true],
  ["has to stay", false],
])("frames arrive as they were written, in pieces of any length, when what was written %s", (_, isGone) => {
  const bytes = written(isGone);
  for (const step of [1009, 70_001, bytes.length]) {
    const read: Frame[] = [];
    const reader = new FrameReader(kinds, (kind, body) => {
      const [number, time, text] = [body.u32(), body.f64(), body.text()];
      read.push({ kind, number, time, text, bytes: Buffer.from(body.rest()).toString("latin1") });
    });
    for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
    expect(read).toEqual(frames);
  }
});

it("a frame may come byte by byte", () => {
  const bytes: number[] = [];
  const writer = new FrameWriter((piece) => bytes.push(...piece) > 0);
  for (let number = 0; number < 3; number++) {
    writer.begin(9);
    writer.u32(number);
    writer.end();
  }
  writer.flush();
  const numbers: number[] = [];
  const reader = new FrameReader([9], (_, body) => numbers.push(body.u32()));
  for (const byte of bytes) reader.push(Uint8Array.of(byte));
  expect(numbers).toEqual([0, 1, 2]);
});

it("bytes that are no frame are refused when their kind is here, not when their length is", () => {
  const reader = new FrameReader([9], () => expect.unreachable("there is none"));
  const junk = Buffer.from("something else");
  reader.push(junk.subarray(0, 4));
  expect(() => reader.push(junk.subarray(4, 6))).toThrow(/file descriptor 3 or 4/);
});

it("small frames that have to stay share a block", () => {
  const blocks = new Set<ArrayBufferLike>();
  const writer = new FrameWriter((bytes) => {
    blocks.add(bytes.buffer);
    return false;
  });
  for (let number = 0; number < 1000; number++) {
    writer.begin(9);
    writer.u32(number);
    writer.end();
    writer.flush();
  }
  expect(blocks.size).toBe(1);
});
