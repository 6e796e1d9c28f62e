import { describe, expect, it } from "vitest";
import { NotCloneableError } from "../../src/index.ts";
import { Encoder } from "../../src/codec/encoder.ts";
import { decoder, sharedBufferTable } from "./round-trip.ts";

const encoder = new Encoder(sharedBufferTable(), () => 1);
const long = new Uint8Array(8192).fill(7);

describe("a message whose long bytes still lie where they were", () => {
  it("holds them until it is copied, and can be read as often as one likes before", () => {
    const message = encoder.encode(long, "result");
    expect(decoder.decode(message.bytes, 0, message.length)).toEqual(long);
    const target = new Uint8Array(message.length);
    message.copyTo(target, 0);
    message.release();
    expect(decoder.decode(target, 0, target.length)).toEqual(long);
  });

  it.each([
    ["bytes", long],
    ["a text", "x".repeat(8192)],
    ["one of another alphabet", "я".repeat(4096)],
  ])("cannot be read once it was copied: %s", (_what, value) => {
    const message = encoder.encode(value, "result");
    const target = new Uint8Array(message.length);
    message.copyTo(target, 0);
    expect(() => message.bytes).toThrow("Assertion");
    expect(() => message.copyTo(target, 0)).toThrow("Assertion");
    message.release();
    const short = encoder.encode("short", "result");
    expect(decoder.decode(short.bytes, 0, short.length)).toBe("short");
    short.release();
  });

  it("cannot be copied or read once they were taken away", () => {
    const detached = new Uint8Array(8192);
    const resized = new Uint8Array(new ArrayBuffer(8192, { maxByteLength: 8192 }));
    for (const [bytes, takeAway] of [
      [detached, () => detached.buffer.transfer()],
      [resized, () => resized.buffer.resize(100)],
    ] as const) {
      const message = encoder.encode({ bytes }, "result");
      takeAway();
      expect(() => message.copyTo(new Uint8Array(message.length), 0)).toThrow(NotCloneableError);
      expect(() => message.bytes).toThrow(NotCloneableError);
      message.release();
    }
  });
});
