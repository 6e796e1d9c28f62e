import { expect, it } from "vitest";
import { JobQueue } from "../../src/process/job-queue.ts";
import { type Journey, OVER, QUEUED } from "../../src/process/journey.ts";

function journey(): Journey {
  return { job: { options: { priority: 1 } }, stage: QUEUED } as unknown as Journey;
}

it.each([0, 1])("keeps no job that was given up behind the last ones that waited: %i more", async (more) => {
  const queue = new JobQueue();
  const taken = Array.from({ length: 1 + more }, journey);
  for (const each of taken) queue.add(each);
  const givenUp = ((): WeakRef<Journey> => {
    const last = journey();
    queue.add(last);
    last.stage = OVER;
    queue.removed(last);
    return new WeakRef(last);
  })();
  expect(taken.map(() => queue.take())).toEqual(taken);
  expect(queue.size).toBe(0);
  // Until the end of this turn a WeakRef keeps what it was made of.
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc!();
  expect(givenUp.deref()).toBeUndefined();
  expect(queue.take()).toBeNull();
});
