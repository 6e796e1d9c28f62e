import { describe, expect, it } from "vitest";
import { Arrivals } from "../../src/shared/arrivals.ts";
import { layoutFor } from "../../src/shared/segment-layout.ts";

const layout = layoutFor(8192);

function setUp(): { arrivals: Arrivals; words: Int32Array } {
  const words = new Int32Array(new SharedArrayBuffer(layout.byteLength), 0, layout.dataByte / 4);
  return { arrivals: new Arrivals(words, layout), words };
}

function take(arrivals: Arrivals): number[] {
  const taken: number[] = [];
  arrivals.takeAll(taken);
  return taken;
}

describe("Arrivals", () => {
  it("smoke: takes everything, oldest first, after what the list holds already", () => {
    const { arrivals } = setUp();
    for (const block of [4, 0, 31]) expect(arrivals.link(block)).toBe(true);
    const taken = [7];
    arrivals.takeAll(taken);
    expect(taken).toEqual([7, 4, 0, 31]);
    expect(take(arrivals)).toEqual([]);
  });

  it("isEmpty", () => {
    const { arrivals } = setUp();
    expect(arrivals.isEmpty()).toBe(true);
    arrivals.link(0);
    expect(arrivals.isEmpty()).toBe(false);
    take(arrivals);
    expect(arrivals.isEmpty()).toBe(true);
  });

  it("I1 close takes what was accepted, and nothing is accepted after it until open", () => {
    const { arrivals } = setUp();
    arrivals.link(3);
    const taken: number[] = [];
    arrivals.close(taken);
    expect(taken).toEqual([3]);
    expect(arrivals.link(4)).toBe(false);
    expect(arrivals.isEmpty()).toBe(true);
    expect(take(arrivals)).toEqual([]);
    expect(arrivals.isClosed()).toBe(true);
    arrivals.open();
    expect(arrivals.link(4)).toBe(true);
    arrivals.open();
    expect(take(arrivals)).toEqual([4]);
  });

  it("a block that was taken and freed can be linked again", () => {
    const { arrivals } = setUp();
    for (let round = 0; round < 3; round++) {
      for (const block of [1, 2]) arrivals.link(block);
      expect(take(arrivals)).toEqual([1, 2]);
    }
  });
});
