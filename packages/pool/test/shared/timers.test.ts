import timers from "node:timers";
import { expect, it, vi } from "vitest";
import {
  clearImmediate,
  clearInterval,
  clearTimeout,
  queueMicrotask,
  setImmediate,
  setInterval,
  setTimeout,
} from "../../src/shared/timers.ts";

it("timers are Node's own, whatever the program puts into their place later", () => {
  const real = { ...timers };
  const captured = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate };
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"] });
  try {
    expect(globalThis.setTimeout).not.toBe(real.setTimeout);
    expect(real).toMatchObject(captured);
    expect(queueMicrotask).not.toBe(globalThis.queueMicrotask);
  } finally {
    vi.useRealTimers();
  }
});
