import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockAudit, Blocks } from "../../src/shared/blocks.ts";
import { layoutFor } from "../../src/shared/segment-layout.ts";

const layout = layoutFor(8192 * 2);

function setUp(hint = 0): { blocks: Blocks; audit: BlockAudit; into: Int32Array } {
  const words = new Int32Array(new SharedArrayBuffer(layout.byteLength), 0, layout.dataByte / 4);
  const audit = new BlockAudit(words, layout);
  return { blocks: new Blocks(words, layout, hint), audit, into: new Int32Array(layout.totalBlocks) };
}

/** Claims until there is nothing left. */
function claimRest(blocks: Blocks): number[] {
  const one = new Int32Array(1);
  const all: number[] = [];
  while (blocks.claim(1, one)) all.push(one[0]!);
  return all;
}

describe("Blocks", () => {
  it("smoke: what is claimed is different, and free again after free", () => {
    const { blocks, into } = setUp();
    expect(blocks.claim(40, into)).toBe(true);
    expect(new Set(into.subarray(0, 40)).size).toBe(40);
    expect(claimRest(blocks)).toHaveLength(24);
    blocks.free(into, 40);
    expect(blocks.claim(40, into)).toBe(true);
  });

  it("full: a claim that cannot be met takes nothing", () => {
    const { blocks, into } = setUp(3);
    expect(blocks.claim(65, into)).toBe(false);
    expect(claimRest(blocks)).toHaveLength(64);
  });

  it("model: any order of claims and frees keeps blocks apart", () => {
    const step = fc.record({ count: fc.integer({ min: 1, max: 40 }), frees: fc.boolean(), which: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(), (steps, hint) => {
        const { blocks, into } = setUp(hint);
        const held: number[][] = [];
        const outcomes: boolean[] = [];
        for (const { count, frees, which } of steps) {
          const inUse = held.flat();
          if (frees && held.length > 0) {
            const [gone] = held.splice(which % held.length, 1);
            blocks.free(Int32Array.from(gone!), gone!.length);
          } else {
            const isClaimed = blocks.claim(count, into);
            if (isClaimed) held.push([...into.subarray(0, count)]);
            outcomes.push(isClaimed === count <= 64 - inUse.length);
          }
          outcomes.push(new Set(held.flat()).size === held.flat().length);
        }
        expect(outcomes).not.toContain(false);
      }),
    );
  });
});

describe("BlockAudit", () => {
  it("makes up for blocks whose holder died, once, and never hands them out", () => {
    const { blocks, audit, into } = setUp();
    blocks.claim(3, into);
    const lost = new Set(into.subarray(0, 3));
    audit.run();
    expect(audit.lostCount).toBe(0);
    audit.run();
    audit.run();
    expect(audit.lostCount).toBe(3);
    const rest = claimRest(blocks);
    expect(rest).toHaveLength(64);
    expect(rest.filter((block) => lost.has(block))).toEqual([]);
  });

  it("leaves alone what was freed and claimed again between two audits", () => {
    const { blocks, audit, into } = setUp();
    for (let round = 0; round < 5; round++) {
      blocks.claim(2, into);
      audit.run();
      for (const block of into.subarray(0, 2)) audit.noteFreed(block);
      blocks.free(into, 2);
    }
    expect(audit.lostCount).toBe(0);
  });

  it("takes back a block that was only slow", () => {
    const { blocks, audit, into } = setUp();
    blocks.claim(1, into);
    audit.run();
    audit.run();
    audit.noteFreed(into[0]!);
    blocks.free(into, 1);
    expect(claimRest(blocks)).toHaveLength(65);
  });

  it("ends with its reserve", () => {
    const { blocks, audit } = setUp();
    for (let round = 0; round < 6; round++) {
      claimRest(blocks);
      audit.run();
      audit.run();
    }
    expect(audit.lostCount).toBe(128);
    expect(claimRest(blocks)).toEqual([]);
  });
});
