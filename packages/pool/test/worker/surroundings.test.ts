import { ManualScheduler, SynchronizationContext, Task, TaskScheduler } from "@skein/scheduling";
import { expect, it } from "vitest";
import { leaveCurrent, restoreCurrent } from "../../src/worker/surroundings.ts";

it("a job begins with nothing current, and what it makes current ends with it", () => {
  const scheduler = new ManualScheduler();
  const { synchronizationContext } = scheduler;
  const current = (): unknown => [SynchronizationContext.current, TaskScheduler.current];
  const seen: unknown[] = [];
  void Task.fromResult(null).continueWith(
    () =>
      SynchronizationContext.run(synchronizationContext, () => {
        const outside = leaveCurrent();
        seen.push(current());
        SynchronizationContext.setCurrent(new ManualScheduler().synchronizationContext);
        restoreCurrent(outside);
        seen.push(current());
      }),
    { policy: scheduler },
  );
  scheduler.runAll();
  expect(seen).toEqual([
    [null, TaskScheduler.default],
    [synchronizationContext, scheduler],
  ]);
});
