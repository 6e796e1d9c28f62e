// oxlint-disable vitest/no-standalone-expect, vitest/expect-expect -- the assertions are in the class that the test runs
/** Random schedules of pushes, successes, failures, slow batches and completion, in virtual time. */
import { TaskCompletionSource } from "@skein/scheduling";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MultiProducerConcurrentConsumer } from "../src/index.ts";
import type { BatchingOptions, CompletionReport, FailureVerdict } from "../src/index.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { timeLimit } from "../../../test/support/time-limit.ts";

type Step =
  | { readonly kind: "push"; readonly slot: number; readonly count: number }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "end"; readonly which: number; readonly fails: boolean };

interface Schedule {
  readonly options: Pick<
    BatchingOptions<Item>,
    "batchSize" | "pushIntervalMs" | "maxConcurrency" | "slots" | "capacity"
  >;
  readonly onError: "none" | "drop" | "retry" | "mixed";
  /** What pumps do that do not wait for an `end` step: they succeed or throw on the spot. */
  readonly inline: readonly ("wait" | "succeed" | "throw")[];
  readonly startAt: number;
  readonly steps: readonly Step[];
  readonly drain: boolean;
}

interface Item {
  readonly slot: number;
  readonly number: number;
  readonly pushedAt: number;
}

interface Running {
  readonly items: readonly Item[];
  readonly slot: number;
  readonly source: TaskCompletionSource<void>;
}

const schedules: fc.Arbitrary<Schedule> = fc.record({
  options: fc.record({
    batchSize: fc.integer({ min: 1, max: 6 }),
    pushIntervalMs: fc.constantFrom(0, 1, 5, 20),
    maxConcurrency: fc.integer({ min: 1, max: 3 }),
    slots: fc.integer({ min: 1, max: 3 }),
    capacity: fc.constantFrom(undefined, 3, 12),
  }),
  onError: fc.constantFrom("none", "drop", "retry", "mixed"),
  inline: fc.array(fc.constantFrom("wait", "succeed", "throw"), { minLength: 1, maxLength: 6 }),
  startAt: fc.nat({ max: 8 }),
  steps: fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant("push"),
        slot: fc.nat({ max: 2 }),
        count: fc.integer({ min: 1, max: 9 }),
      }),
      fc.record({ kind: fc.constant("wait"), ms: fc.nat({ max: 25 }) }),
      fc.record({ kind: fc.constant("end"), which: fc.nat(), fails: fc.boolean() }),
    ),
    { maxLength: 40 },
  ),
  drain: fc.boolean(),
});

/** One consumer and what was seen of it. */
class Trial {
  readonly #schedule: Schedule;
  readonly #clock: VirtualClock;
  readonly #consumer: MultiProducerConcurrentConsumer<Item>;
  readonly #accepted: Item[] = [];
  readonly #done: Item[] = [];
  readonly #dropped: Item[] = [];
  readonly #started = new Map<number, number[]>();
  readonly #running: Running[] = [];
  readonly #retried = new Set<Item>();
  #calls = 0;

  constructor(schedule: Schedule, clock: VirtualClock) {
    this.#schedule = schedule;
    this.#clock = clock;
    this.#consumer = new MultiProducerConcurrentConsumer<Item>({
      ...schedule.options,
      onError: schedule.onError === "none" ? undefined : (_, items) => this.#judge(items),
    });
  }

  async run(): Promise<void> {
    for (const [index, step] of this.#schedule.steps.entries()) {
      if (index === this.#schedule.startAt) this.#start();
      await this.#take(step);
      if (index >= this.#schedule.startAt) this.#checkDelays();
    }
    if (this.#schedule.steps.length <= this.#schedule.startAt) this.#start();
    const completion = this.#consumer.complete({ drain: this.#schedule.drain });
    expect(this.#consumer.tryPush({ slot: 0, number: -1, pushedAt: 0 }, 0)).toBe(false);
    for (let round = 0; !completion.isCompleted; round++) {
      expect(round).toBeLessThan(10_000);
      for (const { source } of this.#running) source.trySetResult(undefined);
      await this.#clock.advance(50);
    }
    this.#check(completion.result);
  }

  #start(): void {
    this.#consumer.start((items, slot) => this.#pump(items, slot));
  }

  async #take(step: Step): Promise<void> {
    switch (step.kind) {
      case "push":
        for (let i = 0; i < step.count; i++) {
          const slot = step.slot % this.#schedule.options.slots;
          const item = { slot, number: this.#accepted.length, pushedAt: this.#clock.now() };
          if (this.#consumer.tryPush(item, slot)) this.#accepted.push(item);
          else expect(this.#consumer.stats().slots[slot]!.pending).toBeGreaterThanOrEqual(this.#capacity);
        }
        break;
      case "wait":
        await this.#clock.advance(step.ms);
        break;
      case "end": {
        const [ended] = this.#running.splice(step.which % Math.max(1, this.#running.length), 1);
        if (step.fails) ended?.source.setError(new Error("slow failure"));
        else ended?.source.setResult();
        if (ended !== undefined && !step.fails) this.#done.push(...ended.items);
        await this.#clock.settle();
        break;
      }
      default:
        throw new Error("unknown step");
    }
  }

  get #capacity(): number {
    return this.#schedule.options.capacity ?? Infinity;
  }

  #pump(items: readonly Item[], slot: number): PromiseLike<void> | undefined {
    const { batchSize, maxConcurrency } = this.#schedule.options;
    expect(items.length).toBeGreaterThan(0);
    expect(items.length).toBeLessThanOrEqual(batchSize);
    expect(items.every((item) => item.slot === slot)).toBe(true);
    const concurrent = this.#running.filter(
      (running) => running.slot === slot && !running.source.task.isCompleted,
    );
    expect(concurrent.length).toBeLessThan(maxConcurrency);
    for (const item of items) {
      if (this.#retried.has(item)) continue;
      const seen = this.#started.get(slot) ?? [];
      this.#started.set(slot, [...seen, item.number]);
    }
    const { inline } = this.#schedule;
    const how = inline[this.#calls++ % inline.length];
    if (how === "succeed") {
      this.#done.push(...items);
      return undefined;
    }
    if (how === "throw" && this.#calls < 200) throw new Error("at once");
    const running = { items: [...items], slot, source: new TaskCompletionSource<void>() };
    this.#running.push(running);
    return running.source.task;
  }

  #judge(items: readonly Item[]): FailureVerdict {
    const retries =
      this.#schedule.onError === "retry" || (this.#schedule.onError === "mixed" && items.length % 2 === 0);
    if (retries) for (const item of items) this.#retried.add(item);
    else this.#dropped.push(...items);
    return retries ? "retry" : "drop";
  }

  /** Whoever is older than the interval waits for a running batch, or for another try: for nothing else. */
  #checkDelays(): void {
    const { pushIntervalMs, maxConcurrency, slots, batchSize } = this.#schedule.options;
    if (this.#schedule.onError === "retry" || this.#schedule.onError === "mixed") return;
    const stats = this.#consumer.stats();
    for (let slot = 0; slot < slots; slot++) {
      const { pending, running } = stats.slots[slot]!;
      if (running === maxConcurrency || pending === 0) continue;
      const waiting = this.#accepted.filter((item) => item.slot === slot).slice(-pending);
      const oldest = this.#clock.now() - waiting[0]!.pushedAt;
      // What was pushed in this very step waits for the next microtask.
      if (oldest === 0) continue;
      expect(oldest).toBeLessThan(Math.max(1, pushIntervalMs));
      expect(pending).toBeLessThan(batchSize);
    }
  }

  #check({ discarded, failed, failedItemsDropped }: CompletionReport<Item>): void {
    for (const { items } of this.#running) this.#done.push(...items);
    const reported = failed.flatMap(({ items }) => [...items]);
    const all = [...this.#done, ...this.#dropped, ...discarded, ...reported];
    const ended = new Set(all);
    // A batch that a step let fail was in #running no more; one that completion let succeed is there once.
    expect(ended.size).toBe(all.length);
    // The report keeps as many failed items as may wait, and counts the others.
    const unseen = this.#accepted.filter((item) => !ended.has(item));
    expect(this.#accepted.length - unseen.length).toBe(ended.size);
    expect(unseen.length).toBe(failedItemsDropped);
    expect(reported.length).toBeLessThanOrEqual(this.#capacity);
    for (const numbers of this.#started.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    if (this.#schedule.drain) expect(discarded).toEqual([]);
    expect(discarded).toEqual(discarded.toSorted((a, b) => a.slot - b.slot || a.number - b.number));
    const stats = this.#consumer.stats();
    expect(stats).toMatchObject({
      pushed: this.#accepted.length,
      pumped: this.#done.length,
      failed: this.#dropped.length + reported.length + failedItemsDropped,
      discarded: discarded.length,
    });
    expect(this.#clock.timers).toBe(0);
  }
}

describe("any schedule", { timeout: timeLimit(120_000) }, () => {
  it("R1 R8 R9 E7 E11 E12: every item is pumped once or given back, in order, within the bounds", async () => {
    const runs = Number(process.env["SKEIN_BATCHING_RUNS"] ?? 400);
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        using clock = new VirtualClock();
        await new Trial(schedule, clock).run();
      }),
      { numRuns: runs },
    );
  });
});
