import { expect, it } from "vitest";
import { ManualScheduler, SynchronizationContext, TaskScheduler } from "../src/index.ts";
import { swapContext, swapScheduler } from "../src/internal.ts";

it("what a job makes current ends with it, when whoever runs it puts back what was", () => {
  const scheduler = new ManualScheduler();
  const outer = scheduler.synchronizationContext;
  SynchronizationContext.run(outer, () => {
    const context = swapContext(null);
    const previous = swapScheduler(null);
    expect(SynchronizationContext.current).toBeNull();
    SynchronizationContext.setCurrent(new ManualScheduler().synchronizationContext);
    swapScheduler(previous);
    swapContext(context);
    expect(SynchronizationContext.current).toBe(outer);
  });
  expect([SynchronizationContext.current, TaskScheduler.current]).toEqual([null, TaskScheduler.default]);
});
