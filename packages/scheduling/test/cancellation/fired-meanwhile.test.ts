/** Code of the user's that runs between the question whether a signal has fired and the listener that is added to it. */
import { createHook } from "node:async_hooks";
import { EventEmitter } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { CancellationTokenSource, Task, TaskCompletionSource } from "../../src/index.ts";
import type { CancellationSignal } from "../../src/index.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Runs `step` when the next async resource is made. */
function beforeNextResource(step: () => void): Disposable {
  const hook = createHook({
    init() {
      hook.disable();
      step();
    },
  }).enable();
  return { [Symbol.dispose]: () => void hook.disable() };
}

const kinds: [string, () => { signal: CancellationSignal; fire: () => void }][] = [
  [
    "token",
    () => {
      const source = new CancellationTokenSource();
      return { signal: source.token, fire: () => source.cancel() };
    },
  ],
  [
    "AbortSignal",
    () => {
      const controller = new AbortController();
      return { signal: controller.signal, fire: () => controller.abort() };
    },
  ],
];

describe.each(kinds)("a %s that fires while a wait begins ends it", (_, make) => {
  it("fromEvent, in a listener to `newListener`", () => {
    const { signal, fire } = make();
    const emitter = new EventEmitter();
    emitter.once("newListener", fire);
    expect(Task.fromEvent(emitter, "ready", { signal }).status).toBe("canceled");
    expect(emitter.eventNames()).toEqual([]);
  });

  it.each([
    ["delay", (signal: CancellationSignal) => Task.delay(60_000, { signal })],
    [
      "waitAsync",
      (signal: CancellationSignal) =>
        new TaskCompletionSource<void>().task.waitAsync({ signal, timeoutMs: 60_000 }),
    ],
  ])("%s, in a setTimeout of somebody's", (_name, wait) => {
    const { signal, fire } = make();
    const cleared: unknown[] = [];
    vi.stubGlobal("setTimeout", () => {
      fire();
      return 7;
    });
    vi.stubGlobal("clearTimeout", (timer: unknown) => cleared.push(timer));
    expect(wait(signal).status).toBe("canceled");
    expect(cleared).toEqual([7]);
  });

  it("continueWith, in an async hook", async () => {
    const { signal, fire } = make();
    const source = new TaskCompletionSource<number>();
    using _hook = beforeNextResource(fire);
    const continued = source.task.continueWith(() => expect.unreachable(), { signal });
    source.setResult(1);
    await source.task;
    expect(continued.status).toBe("canceled");
  });
});

it("A11.8 a callback is registered or runs, also where an async hook cancels its token meanwhile", () => {
  const source = new CancellationTokenSource();
  let calls = 0;
  using _hook = beforeNextResource(() => source.cancel());
  const registration = source.token.register(() => calls++);
  expect([calls, registration.unregister()]).toEqual([1, false]);
});
