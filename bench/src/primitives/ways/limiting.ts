/** Many short asynchronous jobs, eight at a time. */
import { AsyncSemaphore, Task } from "@skein/scheduling";
import pLimit from "p-limit";
import { type Round, costsOf } from "../cost.ts";

const AT_ONCE = 8;

export function rounds(
  divisor: number,
): Record<"AsyncSemaphore, await" | "AsyncSemaphore, generator method" | "p-limit", Round> {
  return costsOf(
    {
      "AsyncSemaphore, await": withSemaphore,
      "AsyncSemaphore, generator method": withMethods,
      "p-limit": withLimit,
    },
    20_000 / divisor,
  );
}

let underWay = 0;

async function job(): Promise<void> {
  if (++underWay > AT_ONCE) throw new Error(`${underWay} at once`);
  await Promise.resolve();
  underWay--;
}

function withLimit(count: number): Promise<unknown> {
  const limit = pLimit(AT_ONCE);
  return Promise.all(Array.from({ length: count }, () => limit(job)));
}

function withSemaphore(count: number): Promise<unknown> {
  const semaphore = new AsyncSemaphore(AT_ONCE);
  const limited = async (): Promise<void> => {
    await semaphore.waitAsync();
    try {
      await job();
    } finally {
      semaphore.release();
    }
  };
  return Promise.all(Array.from({ length: count }, limited));
}

function withMethods(count: number): PromiseLike<unknown> {
  const semaphore = new AsyncSemaphore(AT_ONCE);
  const limited = Task.async(function* () {
    yield* semaphore.waitAsync();
    try {
      yield job();
    } finally {
      semaphore.release();
    }
  });
  return Task.whenAll(Array.from({ length: count }, () => limited()));
}
