import * as fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { QueueWatch } from "../../src/host/queue-watch.ts";

const timers = vi.hoisted(() => ({ callback: null as (() => void) | null }));
vi.mock(import("../../src/shared/timers.ts"), async (original) => ({
  ...(await original()),
  setTimeout: ((callback: () => void) => {
    timers.callback = callback;
    return { unref() {} };
  }) as never,
  clearTimeout: () => {
    timers.callback = null;
  },
}));

/** Jobs that wait, and entries of cancelled ones. */
let waiting: number;
let stale: number;
let watch: QueueWatch;
const tick = (): void => {
  const { callback } = timers;
  timers.callback = null;
  callback?.();
};

beforeEach(() => {
  [waiting, stale, timers.callback] = [0, 0, null];
  watch = new QueueWatch({ atMost: () => waiting + stale, hasWaiting: (count) => waiting >= count });
});

/** What a promise has come to, without waiting for anything but microtasks. */
async function state(promise: Promise<unknown>): Promise<unknown> {
  return await Promise.race([promise.then(() => "resolved", String), Promise.resolve().then(later)]);
}
const later = async (): Promise<string> => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
  return "pending";
};

describe("below", () => {
  it("resolves at once, and starts no timer, while fewer jobs wait", async () => {
    waiting = 2;
    expect(await state(watch.below(3))).toBe("resolved");
    expect(timers.callback).toBeNull();
  });

  it("resolves when a result has come in and threads have taken jobs", async () => {
    waiting = 2;
    const below = watch.below(2);
    watch.resultsCame();
    expect(await state(below)).toBe("pending");
    waiting = 1;
    watch.resultsCame();
    expect(await state(below)).toBe("resolved");
    expect(timers.callback).toBeNull();
  });

  it("resolves by the timer when no result comes in", async () => {
    waiting = 1;
    const below = watch.below(1);
    tick();
    expect(await state(below)).toBe("pending");
    waiting = 0;
    tick();
    expect(await state(below)).toBe("resolved");
    expect(timers.callback).toBeNull();
  });

  it("does not wait for entries of cancelled jobs", async () => {
    [waiting, stale] = [0, 5];
    const below = watch.below(1);
    watch.resultsCame();
    expect(await state(below)).toBe("pending");
    tick();
    expect(await state(below)).toBe("resolved");
  });

  it("tells each its own limit", async () => {
    waiting = 9;
    const [five, nine] = [watch.below(5), watch.below(9)];
    waiting = 7;
    watch.resultsCame();
    expect([await state(five), await state(nine)]).toEqual(["pending", "resolved"]);
  });

  it("close rejects whoever waits", async () => {
    waiting = 1;
    const below = watch.below(1);
    watch.close(new Error("closed"));
    expect(await state(below)).toBe("Error: closed");
    expect(timers.callback).toBeNull();
  });
});

describe("drain", () => {
  it("is told once for all jobs that were submitted since it was told", () => {
    const heard = vi.fn<() => void>();
    watch.on(heard);
    for (waiting = 0; waiting < 3; waiting++) watch.submitted();
    watch.resultsCame();
    expect(heard).not.toHaveBeenCalled();
    waiting = 0;
    watch.resultsCame();
    tick();
    expect(heard).toHaveBeenCalledTimes(1);
    expect(timers.callback).toBeNull();
  });

  it("watches nothing while nobody listens", () => {
    waiting = 1;
    watch.submitted();
    expect(timers.callback).toBeNull();
  });

  it("a listener that submits jobs hears of those too", () => {
    let rounds = 0;
    watch.on(() => {
      if (++rounds < 3) watch.submitted();
    });
    watch.submitted();
    for (let i = 0; i < 5; i++) watch.resultsCame();
    expect(rounds).toBe(3);
    expect(timers.callback).toBeNull();
  });

  it("off removes one registration", () => {
    const heard = vi.fn<() => void>();
    watch.on(heard);
    watch.on(heard);
    watch.off(heard);
    watch.off(() => {});
    watch.submitted();
    tick();
    expect(heard).toHaveBeenCalledTimes(1);
  });
});

describe("model", () => {
  it("whoever waits hears, and a timer runs exactly while somebody does", async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("submit" as const) }),
      fc.record({ do: fc.constant("take" as const) }),
      fc.record({ do: fc.constant("cancel" as const) }),
      fc.record({ do: fc.constant("result" as const) }),
      fc.record({ do: fc.constant("tick" as const) }),
      fc.record({ do: fc.constant("listen" as const) }),
      fc.record({ do: fc.constant("below" as const), count: fc.integer({ min: 1, max: 4 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        [waiting, stale, timers.callback] = [0, 0, null];
        watch = new QueueWatch({ atMost: () => waiting + stale, hasWaiting: (count) => waiting >= count });
        let isListening = false;
        let wasEarly = false;
        let isArmed = false;
        const open = new Set<object>();
        for (const each of steps) {
          if (each.do === "submit") {
            waiting++;
            watch.submitted();
            if (isListening) isArmed = true;
          } else if (each.do === "take" && waiting > 0) waiting--;
          else if (each.do === "cancel" && waiting > 0) [waiting, stale] = [waiting - 1, stale + 1];
          else if (each.do === "result") {
            // Threads come by what was cancelled when they take.
            stale = 0;
            watch.resultsCame();
          } else if (each.do === "tick") tick();
          else if (each.do === "listen" && !isListening) {
            isListening = true;
            watch.on(() => {
              wasEarly ||= !isArmed || waiting > 0;
              isArmed = false;
            });
          } else if (each.do === "below") {
            open.add(each);
            void watch.below(each.count).then(() => open.delete(each));
          }
          await later();
          expect(timers.callback !== null).toBe(open.size > 0 || isArmed);
        }
        waiting = 0;
        tick();
        await later();
        expect([open.size, isArmed, wasEarly, timers.callback]).toEqual([0, false, false, null]);
      }),
    );
  });
});
