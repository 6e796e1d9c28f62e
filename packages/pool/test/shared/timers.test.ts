import timers from "node:timers";
import { expect, it, vi } from "vitest";
import { clearTimeout, queueMicrotask, setImmediate, setTimeout } from "../../src/shared/timers.ts";

it("timers are Node's own, whatever the program puts into their place later", () => {
  const real = { ...timers };
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "queueMicrotask"] });
  try {
    expect(globalThis.setTimeout).not.toBe(real.setTimeout);
    expect(setTimeout).toBe(real.setTimeout);
    expect(clearTimeout).toBe(real.clearTimeout);
    expect(setImmediate).toBe(real.setImmediate);
    expect(queueMicrotask).not.toBe(globalThis.queueMicrotask);
  } finally {
    vi.useRealTimers();
  }
});
