import { AsyncLocal } from "@skein/context";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  InvalidOperationError,
  ManualResetValueTaskSource,
  ManualScheduler,
  OperationCanceledError,
  SynchronizationContext,
  Task,
  ValueTaskSourceOnCompletedFlags as Flags,
} from "../../src/index.ts";
import { untyped } from "../untyped.ts";

const failure = new Error("failure");

/** Keeps what is posted. */
class Posts extends SynchronizationContext {
  readonly posted: (() => void)[] = [];

  override post<S>(callback: (state: S) => void, state: S): void {
    this.posted.push(() => callback(state));
  }
}

describe("versions", () => {
  it("A7.1 begin at 0 and go up with each reset, which forgets the outcome", () => {
    const source = new ManualResetValueTaskSource<number>();
    expect(source.version).toBe(0);
    source.setResult(1);
    source.reset();
    expect(source.version).toBe(1);
    expect(source.getStatus(1)).toBe("pending");
  });

  it("A7.1 wrap after 32 bits", () => {
    const source = new ManualResetValueTaskSource<number>({ initialVersion: 0x7fff_ffff });
    const last = source.valueTask();
    source.reset();
    expect(source.version).toBe(-0x8000_0000);
    expect(() => last.isCompleted).toThrow(InvalidOperationError);
    source.setResult(5);
    expect(source.valueTask().getResult()).toBe(5);
  });

  it.each([2 ** 31, -(2 ** 31) - 1, 2 ** 40])("A7.1 version %s has more than 32 bits", (initialVersion) => {
    expect(() => new ManualResetValueTaskSource({ initialVersion })).toThrow(RangeError);
  });

  it.each([
    ["older", -1],
    ["newer", 1],
  ])("A7.2 an %s token is refused everywhere", (_, distance) => {
    const source = new ManualResetValueTaskSource<number>({ initialVersion: 10 });
    source.setResult(1);
    const token = source.version + distance;
    expect(() => source.getStatus(token)).toThrow(InvalidOperationError);
    expect(() => source.getResult(token)).toThrow(InvalidOperationError);
    expect(() => source.onCompleted(() => {}, undefined, token, 0)).toThrow(InvalidOperationError);
  });

  it("a kept ValueTask of the last version is refused while the next one is under way", () => {
    const source = new ManualResetValueTaskSource<number>();
    const kept = source.valueTask();
    source.reset();
    const next = source.valueTask();
    source.setResult(2);
    expect(() => kept.getResult()).toThrow(InvalidOperationError);
    expect(next.getResult()).toBe(2);
  });

  it("deviation: valueTask() takes turns with two objects, so one kept for two versions stands for a later operation", () => {
    const source = new ManualResetValueTaskSource<number>();
    const kept = source.valueTask();
    source.reset();
    source.reset();
    expect(source.valueTask()).toBe(kept);
  });
});

describe("completing", () => {
  it("A7.3 the result can be read again and again until reset, the error is the same object", () => {
    const source = new ManualResetValueTaskSource<number>();
    expect(() => source.getResult(0)).toThrow(InvalidOperationError);
    source.setResult(1);
    expect([source.getResult(0), source.getResult(0)]).toEqual([1, 1]);
    source.reset();
    source.setError(failure);
    expect(() => source.getResult(1)).toThrow(failure);
    expect(() => source.getResult(1)).toThrow(failure);
  });

  const ways = ["setResult", "setError"] as const;
  it.each(ways.flatMap((first) => ways.map((second) => [first, second] as const)))(
    "A7.4 %s, then %s is refused",
    (first, second) => {
      const source = new ManualResetValueTaskSource<unknown>();
      source[first](failure);
      const status = source.getStatus(0);
      expect(() => source[second](failure)).toThrow(InvalidOperationError);
      expect(source.getStatus(0)).toBe(status);
    },
  );

  it("A7.5 has the four states; an OperationCanceledError cancels", () => {
    const source = new ManualResetValueTaskSource<number>();
    expect(source.getStatus(0)).toBe("pending");
    source.setResult(1);
    expect(source.getStatus(0)).toBe("succeeded");
    source.reset();
    source.setError(failure);
    expect(source.getStatus(1)).toBe("faulted");
    source.reset();
    source.setError(new OperationCanceledError());
    expect(source.getStatus(2)).toBe("canceled");
    source.reset();
    expect(() => source.setError(null)).toThrow(TypeError);
  });
});

describe("continuing", () => {
  it("A7.6 refuses null, and a second wait while pending; ignores unknown flags", () => {
    const source = new ManualResetValueTaskSource<number>();
    expect(() => source.onCompleted(untyped(null), undefined, 0, 0)).toThrow(TypeError);
    let calls = 0;
    source.onCompleted(() => calls++, undefined, 0, 0xff00);
    expect(() => source.onCompleted(() => {}, undefined, 0, 0)).toThrow(InvalidOperationError);
    source.setResult(1);
    expect(calls).toBe(1);
  });

  it("0.3 a completed operation can be awaited twice until reset", async () => {
    const source = new ManualResetValueTaskSource<number>();
    source.setResult(3);
    const valueTask = source.valueTask();
    expect([await valueTask, await valueTask]).toEqual([3, 3]);
  });

  it("0.4 A7.9 pending: inline in setResult; completed: queued, also with policy inline", async () => {
    const source = new ManualResetValueTaskSource<number>();
    const calls: string[] = [];
    source.onCompleted((state) => calls.push(state), "pending", 0, 0);
    source.setResult(1);
    expect(calls).toEqual(["pending"]);
    source.onCompleted((state) => calls.push(state), "completed", 0, 0);
    expect(calls).toEqual(["pending"]);
    await Promise.resolve();
    await Promise.resolve();
    expect(calls).toEqual(["pending", "completed"]);
  });

  it("A7.7 flowExecutionContext runs the continuation in its own context, without it in the completer's", () => {
    const local = new AsyncLocal<string>();
    const source = new ManualResetValueTaskSource<number>();
    const seen: (string | undefined)[] = [];
    for (const flags of [Flags.flowExecutionContext, Flags.none]) {
      local.run("waiter", () =>
        source.onCompleted(() => seen.push(local.value), undefined, source.version, flags),
      );
      local.run("completer", () => source.setResult(1));
      source.reset();
    }
    expect(seen).toEqual(["waiter", "completer"]);
  });

  const booleans = [false, true];
  it.each(
    booleans.flatMap((asynchronous) =>
      booleans.flatMap((captures) => booleans.map((before) => ({ asynchronous, captures, before }))),
    ),
  )(
    "A7.8 asynchronous $asynchronous, captured $captures, set before $before: one post or none",
    async ({ asynchronous, captures, before }) => {
      const context = new Posts();
      const source = new ManualResetValueTaskSource<number>({
        continuations: asynchronous ? "asynchronous" : "inline",
      });
      let calls = 0;
      if (before) source.setResult(1);
      SynchronizationContext.run(context, () => {
        const flags = captures ? Flags.useSchedulingContext : Flags.none;
        source.onCompleted(() => calls++, undefined, 0, flags);
        // 0.5: posted even when it is completed on that very context.
        if (!before) source.setResult(1);
      });
      expect(context.posted).toHaveLength(captures ? 1 : 0);
      expect(calls).toBe(!captures && !before && !asynchronous ? 1 : 0);
      for (const run of context.posted) run();
      await Promise.resolve();
      await Promise.resolve();
      expect(calls).toBe(1);
    },
  );

  it("A7.8 captures a scheduler where there is no context: one queueTask", () => {
    const scheduler = new ManualScheduler();
    const source = new ManualResetValueTaskSource<number>();
    let calls = 0;
    void Task.fromResult(1).continueWith(
      () => source.onCompleted(() => calls++, undefined, 0, Flags.useSchedulingContext),
      { policy: scheduler },
    );
    scheduler.runAll();
    source.setResult(1);
    expect([scheduler.pending, calls]).toEqual([1, 0]);
    scheduler.runAll();
    expect(calls).toBe(1);
  });

  it("A7.10 what an inline continuation throws comes out of setResult, with contexts put back", () => {
    const local = new AsyncLocal<string>();
    const source = new ManualResetValueTaskSource<number>();
    const mine = new Posts();
    local.run("waiter", () =>
      source.onCompleted(
        () => {
          local.value = "changed";
          SynchronizationContext.setCurrent(new Posts());
          throw failure;
        },
        undefined,
        0,
        Flags.flowExecutionContext,
      ),
    );
    SynchronizationContext.run(mine, () =>
      local.run("completer", () => {
        expect(() => source.setResult(1)).toThrow(failure);
        expect(local.value).toBe("completer");
        expect(SynchronizationContext.current).toBe(mine);
      }),
    );
  });

  it("A7.11 whatever the order of waiting and completing, there is one call per version", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ before: fc.boolean(), fails: fc.boolean() }), { maxLength: 20 }),
        fc.constantFrom("inline", "asynchronous", "yield"),
        async (versions, continuations) => {
          const source = new ManualResetValueTaskSource<number>({ continuations: continuations as "inline" });
          for (const { before, fails } of versions) {
            let calls = 0;
            const complete = (): void => (fails ? source.setError(failure) : source.setResult(1));
            if (before) complete();
            const called = new Promise<void>((resolve) => {
              source.onCompleted(
                () => {
                  calls++;
                  resolve();
                },
                undefined,
                source.version,
                Flags.useSchedulingContext,
              );
            });
            if (!before) complete();
            await called;
            expect(calls).toBe(1);
            source.reset();
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
