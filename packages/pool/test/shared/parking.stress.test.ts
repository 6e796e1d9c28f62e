import { expect, it } from "vitest";
import { JobQueues, NO_THREAD } from "../../src/shared/job-queues.ts";
import { createLayout } from "../../src/shared/layout.ts";
import { SlotTable } from "../../src/shared/slot.ts";
import type { ParkingData } from "./stress/parking.worker.ts";
import { Cast, STRESS_MS, TEST_TIMEOUT_MS } from "./stress/stress.ts";

it.each([1, 2, 3])(
  "Parking, under stress: mpmc: no wake-up is lost with %i threads that fall asleep between jobs",
  { timeout: TEST_TIMEOUT_MS },
  async (threads) => {
    await using cast = new Cast(new URL("./stress/parking.worker.ts", import.meta.url));
    const layout = createLayout(4, threads);
    const data: Omit<ParkingData, "thread"> = {
      layout,
      control: new Int32Array(new SharedArrayBuffer(layout.controlBytes)),
      slotsBuffer: new SharedArrayBuffer(layout.slotsBytes),
      done: new Int32Array(new SharedArrayBuffer(4)),
    };
    new JobQueues(data.control, layout, new SlotTable(data.slotsBuffer, layout), NO_THREAD).initialize(-1000);
    for (let thread = 0; thread < threads; thread++) void cast.play("thread", { ...data, thread });
    const submitted = cast.play<string | number>("submitter", { ...data, thread: NO_THREAD });
    cast.stopAfter(STRESS_MS);
    expect({ seed: cast.seed, jobs: await submitted }).toEqual({ seed: cast.seed, jobs: expect.any(Number) });
    expect(Atomics.load(data.done, 0)).toBe(await submitted);
    expect(await submitted).toBeGreaterThan(0);
  },
);
