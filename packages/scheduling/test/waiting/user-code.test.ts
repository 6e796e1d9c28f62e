// oxlint-disable vitest/no-standalone-expect -- some assertions are in the class that the test runs
/** Random operations on collections, some of them in the code of whoever was just served: what is moved is moved once. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockingCollection, Task } from "../../src/index.ts";
import type { ContinuationPolicy } from "../../src/index.ts";

type Kind = "add" | "tryAdd" | "take" | "addToAny" | "takeFromAny" | "abort";

interface Step {
  readonly kind: Kind;
  readonly at: number;
  readonly hasSignal: boolean;
  /** Done when this one ends, on the stack of whoever ended it. */
  readonly next: Step | undefined;
}

const { step } = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.record({
    kind: fc.constantFrom<Kind>("add", "add", "tryAdd", "take", "take", "addToAny", "takeFromAny", "abort"),
    at: fc.nat({ max: 1 }),
    hasSignal: fc.boolean(),
    next: fc.option(tie("step"), { nil: undefined, depthSize: "small" }),
  }),
}));

class Trial {
  readonly #collections: readonly BlockingCollection<number>[];
  readonly #tasks: Task<unknown>[] = [];
  readonly added: number[] = [];
  readonly taken: number[] = [];
  #controller = new AbortController();
  #items = 0;

  constructor(continuations: ContinuationPolicy) {
    this.#collections = [1, 2].map(
      (boundedCapacity) => new BlockingCollection<number>({ boundedCapacity, continuations }),
    );
  }

  do({ kind, at, hasSignal, next }: Step): void {
    const all = this.#collections;
    const collection = all[at]!;
    const options = hasSignal ? { signal: this.#controller.signal } : undefined;
    const item = this.#items++;
    const isAdded = (): void => void this.added.push(item);
    switch (kind) {
      case "add":
        this.#follow(collection.add(item, options), isAdded, next);
        break;
      case "tryAdd":
        if (!collection.isAddingCompleted && collection.tryAdd(item)) isAdded();
        break;
      case "take":
        this.#follow(collection.take(options), (one) => void this.taken.push(one), next);
        break;
      case "addToAny":
        this.#follow(BlockingCollection.addToAny(all, item, options), isAdded, next);
        break;
      case "takeFromAny":
        this.#follow(
          BlockingCollection.takeFromAny(all, options),
          (one) => void this.taken.push(one.item),
          next,
        );
        break;
      case "abort":
      default:
        this.#controller.abort();
        this.#controller = new AbortController();
    }
    for (const { count, boundedCapacity } of all) expect(count).toBeLessThanOrEqual(boundedCapacity);
  }

  async end(): Promise<void> {
    for (const collection of this.#collections) collection.completeAdding();
    await Task.yield();
    for (const collection of this.#collections) this.taken.push(...collection);
    expect(this.#tasks.filter((task) => !task.isCompleted)).toEqual([]);
  }

  #follow<T>(task: Task<T>, succeeded: (result: T) => void, next: Step | undefined): void {
    this.#tasks.push(
      task.continueWith(
        () => {
          if (task.status === "succeeded") succeeded(task.result);
          if (next !== undefined && this.#items < 200) this.do(next);
        },
        { policy: "inline" },
      ),
    );
  }
}

describe("BlockingCollection", () => {
  it.each(["inline", "asynchronous"] as const)(
    "A14.2 A14.3 every item that was added is taken once, and no other: %s",
    async (policy) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          const trial = new Trial(policy);
          for (const one of steps) trial.do(one);
          await trial.end();
          const byNumber = (a: number, b: number): number => a - b;
          expect(trial.taken.toSorted(byNumber)).toEqual(trial.added.toSorted(byNumber));
        }),
        { numRuns: 300 },
      );
    },
  );
});
