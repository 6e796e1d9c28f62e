import { describe, expect, it } from "vitest";
import { MultiProducerConcurrentConsumer } from "../src/index.ts";

/** A function with a `then` that does not show by `in`, as remote objects are. */
function callable(then: (done: () => void) => void): PromiseLike<void> {
  const proxy: unknown = new Proxy(() => {}, { get: (_, key) => (key === "then" ? then : undefined) });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has all that is asked for.
  return proxy as PromiseLike<void>;
}

describe("a pump that returns a function with a then", () => {
  it("has pumped its batch when that has settled", async () => {
    let isStored = false;
    const consumer = new MultiProducerConcurrentConsumer<number>({
      slots: 1,
      batchSize: 1,
      pushIntervalMs: 0,
      maxConcurrency: 1,
    });
    consumer.start(() =>
      callable((done) => {
        setImmediate(() => {
          isStored = true;
          done();
        });
      }),
    );
    consumer.push(1, 0);
    await consumer.complete();
    expect(isStored).toBe(true);
  });
});
