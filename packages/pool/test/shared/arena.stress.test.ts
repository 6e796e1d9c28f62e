import { expect, it } from "vitest";
import { createArenaMemory } from "../../src/shared/arena.ts";
import { JobQueues, NO_THREAD } from "../../src/shared/job-queues.ts";
import { createLayout } from "../../src/shared/layout.ts";
import { SlotTable } from "../../src/shared/slot.ts";
import type { ArenaData } from "./stress/arena.worker.ts";
import { Cast, STRESS_MS, TEST_TIMEOUT_MS } from "./stress/stress.ts";

it(
  "Arena, under stress: blocks go to two readers and come back, each with its own bytes, in bounded memory",
  async () => {
    await using cast = new Cast(new URL("./stress/arena.worker.ts", import.meta.url));
    const layout = createLayout(4, 3);
    const data = {
      layout,
      control: new Int32Array(new SharedArrayBuffer(layout.controlBytes)),
      slotsBuffer: new SharedArrayBuffer(layout.slotsBytes),
      memory: createArenaMemory(),
    } satisfies Partial<ArenaData>;
    new JobQueues(data.control, layout, new SlotTable(data.slotsBuffer, layout), NO_THREAD).initialize(-1000);
    const readers = [1, 2].map((thread) => cast.play<number | string>("reader", { ...data, thread }));
    const writer = cast.play<{ stored: number; sizeBytes: number }>("writer", { ...data, thread: 0 });
    cast.stopAfter(STRESS_MS);
    const { stored, sizeBytes } = await writer;
    Atomics.store(cast.stop, 0, 2);
    const read = await Promise.all(readers);
    const { seed } = cast;
    expect({
      seed,
      read: read.reduce((a, b) => (typeof a === "number" && typeof b === "number" ? a + b : `${a}, ${b}`)),
    }).toEqual({ seed, read: stored });
    expect(stored).toBeGreaterThan(0);
    // Four slots: a handful of blocks of each size, and as many large ones.
    expect(sizeBytes).toBeLessThan(32 << 20);
  },
  TEST_TIMEOUT_MS,
);
