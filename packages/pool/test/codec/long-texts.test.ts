import { describe, expect, it, vi } from "vitest";
import { eventually } from "../../../../test/support/eventually.ts";
import { textOf } from "../../src/codec/long-texts.ts";

const played = vi.hoisted(() => ({ tick: (): void => {} }));
vi.mock(import("../../src/shared/timers.ts"), async (original) => ({
  ...(await original()),
  setInterval: ((onTime: () => void) => {
    played.tick = onTime;
    return { unref: (): object => ({}) };
  }) as never,
  clearInterval: () => {
    played.tick = () => {};
  },
}));

const MIB = 1 << 20;

/** The text in the midst of other bytes, at an odd place. */
function written(
  text: string,
  encoding: "latin1" | "utf16le",
  isShared: boolean,
): [Uint8Array, number, number] {
  const { length } = Buffer.from(text, encoding);
  const memory = isShared ? new SharedArrayBuffer(length + 16) : new ArrayBuffer(length + 16);
  const bytes = new Uint8Array(memory).fill(1);
  bytes.set(Buffer.from(text, encoding), 3);
  return [bytes, 3, 3 + length];
}

function keptBytes(): number {
  globalThis.gc!();
  return process.memoryUsage().arrayBuffers;
}

describe("texts out of memory", () => {
  // First: the others leave garbage that would count.
  it("keep nothing when none was read for a while", async () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(32 * MIB + 8)).fill(120);
    const before = keptBytes();
    const keeps = (): boolean => keptBytes() - before > 20 * MIB;
    for (let i = 0; i < 3; i++) {
      textOf(bytes, 8, bytes.length, 1);
      expect(keeps()).toBe(true);
      played.tick();
    }
    expect(keeps()).toBe(true);
    played.tick();
    // V8 gives memory back beside the collection.
    await eventually("the block is gone", () => !keeps());
  });

  for (const isShared of [true, false]) {
    for (const length of [0, 10, MIB / 2 - 1, MIB / 2, 3 * MIB, MIB]) {
      it(`are what was written: ${length} characters, shared: ${isShared}`, () => {
        const narrow = "é1".repeat(length / 2);
        expect(textOf(...written(narrow, "latin1", isShared), 1) === narrow).toBe(true);
        const wide = "😀".repeat(length / 2);
        expect(textOf(...written(wide, "utf16le", isShared), 2) === wide).toBe(true);
      });
    }
  }
});
