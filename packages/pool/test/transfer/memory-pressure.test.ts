import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { sharedMemoryDropped } from "../../src/transfer/memory-pressure.ts";

/** No allocation, no `gc()`: only time passes. */
async function collected(reference: WeakRef<object>): Promise<void> {
  do await new Promise((resolve) => setTimeout(resolve, 50));
  while (reference.deref() !== undefined);
}

function made(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}

describe("shared memory that was dropped is collected where nothing else happens", () => {
  it("however often V8 was at a collection when it was dropped", async () => {
    for (let round = 0; round < 5; round++) {
      const reference = await (async () => {
        const buffer = made(64 << 20);
        // It has grown old when V8 begins to look.
        globalThis.gc!();
        new ArrayBuffer(96 << 20).transfer(0);
        for (let i = 0; i < round; i++) await turn();
        sharedMemoryDropped(buffer);
        return new WeakRef(buffer);
      })();
      await collected(reference);
    }
    expect.assertions(0);
  });

  it("and what somebody still has is not looked for for ever", async () => {
    const buffer = made(64 << 20);
    sharedMemoryDropped(buffer);
    while (process.getActiveResourcesInfo().includes("Timeout")) {
      await new Promise((resolve) => setTimeout(resolve, 100).unref());
    }
    expect(buffer.byteLength).toBe(64 << 20);
  });
});
