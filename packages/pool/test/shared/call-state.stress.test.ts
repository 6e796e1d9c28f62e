import { expect, it } from "vitest";
import type { CallStateData } from "./stress/call-state.worker.ts";
import { Cast, STRESS_MS, TEST_TIMEOUT_MS } from "./stress/stress.ts";

it(
  "CallState, under stress: every call is withdrawn, or begun and stopped, and never both",
  async () => {
    await using cast = new Cast(new URL("./stress/call-state.worker.ts", import.meta.url));
    const data: CallStateData = { words: new Int32Array(new SharedArrayBuffer(64)) };
    const caller = cast.play<{ calls: number; withdrawn: number }>("caller", data);
    const thread = cast.play<number>("thread", data);
    cast.stopAfter(STRESS_MS);
    const { calls, withdrawn } = await caller;
    expect(withdrawn + (await thread)).toBe(calls);
    expect(calls).toBeGreaterThan(0);
  },
  TEST_TIMEOUT_MS,
);
