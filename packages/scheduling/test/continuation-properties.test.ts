import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualScheduler, Task, TaskCompletionSource } from "../src/index.ts";
import type { ContinuationPolicy } from "../src/index.ts";

type Kind = "await" | "continueWith";
interface Attachment {
  readonly kind: Kind;
  readonly policy: "inline" | "asynchronous" | "yield" | "scheduler" | undefined;
}

const attachment: fc.Arbitrary<Attachment> = fc.record({
  kind: fc.constantFrom<Kind>("await", "continueWith"),
  policy: fc.constantFrom(
    "inline" as const,
    "asynchronous" as const,
    "yield" as const,
    "scheduler" as const,
    undefined,
  ),
});
const sourcePolicy = fc.constantFrom(
  "inline" as const,
  "asynchronous" as const,
  "yield" as const,
  "scheduler" as const,
);

/** The documented order, as a model: where each continuation goes, then queue by queue. */
function expectedOrder(policy: Attachment["policy"], attachments: readonly Attachment[]): number[] {
  const queues: Record<"inline" | "asynchronous" | "scheduler" | "yield", number[]> = {
    inline: [],
    asynchronous: [],
    scheduler: [],
    yield: [],
  };
  let hasAwait = false;
  attachments.forEach((item, index) => {
    const own = item.policy ?? (item.kind === "continueWith" ? "asynchronous" : "inline");
    const effective = own === "inline" ? (policy ?? "asynchronous") : own;
    if (effective !== "inline") queues[effective].push(index);
    else if (item.kind === "await" && hasAwait) queues.asynchronous.push(index);
    else {
      queues.inline.push(index);
      hasAwait ||= item.kind === "await";
    }
  });
  return [...queues.inline, -1, ...queues.scheduler, ...queues.asynchronous, ...queues.yield];
}

describe("random schedules", () => {
  it("A4.3 every continuation runs exactly once, in the documented order", async () => {
    await fc.assert(
      fc.asyncProperty(sourcePolicy, fc.array(attachment, { maxLength: 12 }), async (policy, attachments) => {
        const scheduler = new ManualScheduler();
        const real = (name: Attachment["policy"]): ContinuationPolicy | undefined =>
          name === "scheduler" ? scheduler : name;
        const source = new TaskCompletionSource<number>({ continuations: real(policy) });
        const log: number[] = [];
        const left = new TaskCompletionSource<void>();
        const record = (index: number): void => {
          log.push(index);
          if (log.length === attachments.length + 1) left.setResult();
        };
        attachments.forEach((item, index) => {
          const own = real(item.policy);
          if (item.kind === "await")
            void source.task.configureAwait({ policy: own }).then(() => record(index));
          else void source.task.continueWith(() => record(index), { policy: own });
        });
        source.setResult(1);
        record(-1);
        // The scheduler's items are run first, before any microtask.
        scheduler.runAll();
        await left.task;
        await Task.yield();
        expect(log).toEqual(expectedOrder(policy, attachments));
      }),
      { numRuns: 300 },
    );
  });

  it("A5.2 of any sequence of trySet calls exactly the first wins, for every waiter", async () => {
    const words = { result: "succeeded", error: "faulted", canceled: "canceled" };
    const move = fc.constantFrom("result" as const, "error" as const, "canceled" as const);
    await fc.assert(
      fc.asyncProperty(
        sourcePolicy,
        fc.array(move, { minLength: 1, maxLength: 6 }),
        fc.nat(4),
        async (policy, moves, waiters) => {
          const continuations = policy === "scheduler" ? "inline" : policy;
          const source = new TaskCompletionSource<number>({ continuations });
          const failure = new Error("failure");
          const status = (): string => source.task.status;
          const seen = Array.from({ length: waiters }, () => source.task.then(status, status));
          const wins = moves.map((name) => {
            if (name === "result") return source.trySetResult(1);
            return name === "error" ? source.trySetError(failure) : source.trySetCanceled();
          });
          const late = source.task.then(status, status);
          const expected = words[moves[0] ?? "result"];
          expect(wins).toEqual(moves.map((_, index) => index === 0));
          expect(await Task.whenAll([...seen, late])).toEqual(Array<string>(waiters + 1).fill(expected));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("A12.3 A12.5 whenAll and whenEach agree with the order in which sources complete", async () => {
    const order = fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(order, sourcePolicy, async (completion, policy) => {
        const continuations = policy === "scheduler" ? "inline" : policy;
        const sorted = completion.toSorted((a, b) => a - b);
        const sources = new Map(
          sorted.map((key) => [key, new TaskCompletionSource<number>({ continuations })]),
        );
        const tasks = [...sources.values()].map((source) => source.task);
        const all = Task.whenAll(tasks);
        const each = Task.whenEach(tasks);
        for (const key of completion) sources.get(key)?.setResult(key);
        expect(await all).toEqual(sorted);
        const seen: number[] = [];
        for await (const task of each) seen.push(task.result);
        expect(seen).toEqual(completion);
      }),
      { numRuns: 100 },
    );
  });
});
