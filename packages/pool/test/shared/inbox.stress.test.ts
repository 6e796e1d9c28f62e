import { expect, it } from "vitest";
import { createLayout } from "../../src/shared/layout.ts";
import type { InboxData } from "./stress/inbox.worker.ts";
import { Cast, STRESS_MS, TEST_TIMEOUT_MS } from "./stress/stress.ts";

it(
  "Inbox, under stress: mpmc: the owner sleeps whenever it has nothing, and no bell is lost",
  async () => {
    await using cast = new Cast(new URL("./stress/inbox.worker.ts", import.meta.url));
    const layout = createLayout(4, 3);
    const data: Omit<InboxData, "slots"> = {
      layout,
      control: new Int32Array(new SharedArrayBuffer(layout.controlBytes)),
      slotsBuffer: new SharedArrayBuffer(layout.slotsBytes),
      messages: new Int32Array(new SharedArrayBuffer(64)),
    };
    const owner = cast.play<object>("owner", { ...data, slots: [] });
    const finishers = [[0, 1], [2], [3]].map((slots) => cast.play<number[]>("finisher", { ...data, slots }));
    cast.stopAfter(STRESS_MS);
    const puts = (await Promise.all(finishers)).flat();
    // Whatever is left rings, or is found: the owner is told to stop by a last message.
    Atomics.store(cast.stop, 0, 2);
    Atomics.add(data.messages, 0, 1);
    Atomics.notify(data.messages, 0);
    const { seed } = cast;
    expect({ seed, ...(await owner) }).toEqual({ seed, sleeps: expect.any(Number), taken: puts });
    expect(Math.min(...puts)).toBeGreaterThan(0);
  },
  TEST_TIMEOUT_MS,
);
