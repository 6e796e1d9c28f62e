/**
 * Tests of code that uses jobs, without threads and without waiting. They are plain functions, for any test runner; here the program itself
 * runs them, and prints what holds.
 */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { ThreadPool } from "@skein/pool";
import { InlineEngine } from "@skein/pool/inline";
import { ManualScheduler, SynchronizationContext, type Task } from "@skein/scheduling";
import { rates } from "./price.jobs.ts";
import { quotes } from "./quotes.ts";

// An InlineEngine runs jobs on this thread: breakpoints stop in them, and coverage counts them. Values are copied as on threads.
async function aJobRunsHere(): Promise<void> {
  const quote = quotes(new InlineEngine());
  equal(await quote("tea", 2), 84);
  await rejects(quote("sand", 1), new RangeError("nobody sells sand"));
}

// The job module is the one that the test imports, so the test can change what it finds.
async function itsModuleIsOurs(): Promise<void> {
  const quote = quotes(new InlineEngine());
  rates.perKilo["honey"] = 9;
  equal(await quote("honey", 3), 27);
}

// With a ManualScheduler nothing happens by itself: no job begins, no time passes. Seven seconds of retries take none.
function itTriesAgain(): void {
  const scheduler = new ManualScheduler();
  const quote = quotes(new InlineEngine({ scheduler }), (ms) => scheduler.delay(ms));
  rates.missing = 3;
  const price = withScheduler(scheduler, () => quote("coffee", 10));
  equal(price.isCompleted, false);
  equal(scheduler.runUntil(price), 170);
  deepEqual([scheduler.now, rates.missing], [7000, 0]);
}

// Step by step: the first attempt fails, and the second comes after a second, not before.
function itWaitsOneSecondFirst(): void {
  const scheduler = new ManualScheduler();
  const quote = quotes(new InlineEngine({ scheduler }), (ms) => scheduler.delay(ms));
  rates.missing = 1;
  const price = withScheduler(scheduler, () => quote("coffee", 1));
  scheduler.advance(999);
  equal(price.isCompleted, false);
  scheduler.advance(1);
  equal(price.result, 17);
}

// The same code on threads, where the module has state of its own: what the test has changed here is unknown there.
async function itIsTheSameOnThreads(): Promise<void> {
  const pool = new ThreadPool({ maxThreads: 1 });
  try {
    const quote = quotes(pool);
    equal(await quote("tea", 2), 84);
    await rejects(quote("honey", 3), new RangeError("nobody sells honey"));
  } finally {
    await pool.close();
  }
}

/** What begins in `fn` goes on as items of the scheduler, wherever it waits. */
function withScheduler<T>(scheduler: ManualScheduler, fn: () => Task<T>): Task<T> {
  return SynchronizationContext.run(scheduler.synchronizationContext, fn);
}

const tests: readonly (() => void | Promise<void>)[] = [
  aJobRunsHere,
  itsModuleIsOurs,
  itTriesAgain,
  itWaitsOneSecondFirst,
  itIsTheSameOnThreads,
];
for (const test of tests) {
  await test();
  console.log("ok", test.name);
}
