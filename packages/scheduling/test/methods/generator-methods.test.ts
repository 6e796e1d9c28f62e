/* oxlint-disable require-yield -- methods that complete without waiting are part of what is tested */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { runInNewContext } from "node:vm";
import { AsyncLocal, ExecutionContext } from "@skein/context";
import { describe, expect, it } from "vitest";
import {
  CancellationTokenSource,
  InvalidOperationError,
  ManualResetValueTaskSource,
  ManualScheduler,
  OperationCanceledError,
  SynchronizationContext,
  Task,
  TaskCompletionSource,
  TaskScheduler,
  ValueTask,
  asyncMethod,
} from "../../src/index.ts";
import { untyped } from "../untyped.ts";

const failure = new Error("failure");
const inline = { continuations: "inline" } as const;

describe("a generator method", () => {
  it("A9.1 begins on the caller's stack and stops where it has to wait", () => {
    const steps: string[] = [];
    const source = new TaskCompletionSource<number>(inline);
    const method = Task.async(function* (name: string) {
      steps.push(`begin ${name}`);
      const value = yield* source.task;
      steps.push(`resumed ${value}`);
      return value * 2;
    });
    const task = method("m");
    expect(steps).toEqual(["begin m"]);
    expect(task.status).toBe("pending");
    source.setResult(21);
    expect(steps).toEqual(["begin m", "resumed 21"]);
    expect(task.result).toBe(42);
  });

  it("A8.1 does not suspend for what has completed", () => {
    const task = Task.async(function* () {
      let sum = 0;
      sum += yield* Task.fromResult(1);
      sum += yield* ValueTask.fromResult(2);
      sum += (yield Task.fromResult(3)) as number;
      sum += yield* ValueTask.fromTask(Task.fromResult(4)).configureAwait({});
      return sum;
    })();
    expect(task.result).toBe(10);
  });

  it("keeps name, length, this and arguments of the function", async () => {
    const object = {
      factor: 3,
      times: Task.async(function* times(this: { factor: number }, a: number, b: number) {
        return yield* Task.fromResult(this.factor * a * b);
      }),
    };
    expect(object.times.name).toBe("times");
    expect(object.times.length).toBe(2);
    expect(await object.times(2, 4)).toBe(24);
  });

  it.each([
    ["undefined", undefined, true],
    ["true", true, true],
    ["false", false, true],
    ["-1", -1, true],
    ["8", 8, true],
    ["-5", -5, false],
    ["42", 42, false],
    ["-0", -0, false],
    ["an object", {}, false],
  ])("A9.2 completing at once with %s: the task is shared: %s", (_name, result, isShared) => {
    const method = Task.async(function* () {
      return result;
    });
    const task = method();
    expect(Object.is(task.result, result)).toBe(true);
    expect(method() === method()).toBe(isShared);
  });

  it("A9.2 a ValueTask method that completes at once gives the value itself", () => {
    const method = ValueTask.async(function* () {
      return 42;
    });
    expect(method().equals(ValueTask.fromResult(42))).toBe(true);
  });

  it("throws into the body what an awaited operation failed with; it may go on", async () => {
    const method = Task.async(function* () {
      const caught: unknown[] = [];
      const waits = [
        () => Task.fromError(failure),
        () => ValueTask.fromError(failure),
        () => Task.delay(1).then(() => Promise.reject(failure)),
      ];
      for (const wait of waits) {
        try {
          yield* wait();
        } catch (error) {
          caught.push(error);
        }
      }
      for (const wait of [() => Promise.reject(failure), () => Task.fromError(failure)]) {
        try {
          yield wait();
        } catch (error) {
          caught.push(error);
        }
      }
      return caught;
    });
    expect(await method()).toEqual([failure, failure, failure, failure, failure]);
  });

  it("faults with what leaves it: before and after waiting, and from its parameters", async () => {
    const sync = Task.async(function* () {
      throw failure;
    })();
    expect([sync.status, sync.error]).toEqual(["faulted", failure]);
    const later = Task.async(function* () {
      yield* Task.yield();
      throw failure;
    })();
    await expect(async () => await later).rejects.toBe(failure);
    const parameter = Task.async(function* (value: number = untyped(raise())) {
      return value;
    });
    const task = parameter();
    expect(task.error).toBe(failure);
  });

  it("0.9 A9.5 is cancelled by any OperationCanceledError, whose object await gives back", async () => {
    const error = new OperationCanceledError();
    const task = Task.async(function* () {
      yield* Task.yield();
      throw error;
    })();
    await expect(async () => await task).rejects.toBe(error);
    expect(task.status).toBe("canceled");
  });

  it("a token's OperationCanceledError cancels; another operation's AbortError faults", async () => {
    const source = new CancellationTokenSource();
    source.cancel("enough");
    const obeys = Task.async(function* () {
      source.token.throwIfCancellationRequested();
    })();
    expect(obeys.status).toBe("canceled");
    expect(obeys.error).toMatchObject({ token: source.token, reason: "enough" });
    const foreign = Task.async(function* () {
      throw AbortSignal.abort().reason;
    })();
    expect(foreign.status).toBe("faulted");
    void foreign.error;
  });

  it("that returns its own task is told so, as an async function is, and does not wait for ever", async () => {
    const task: Task<unknown> = Task.async(function* () {
      yield* Task.delay(1);
      return task;
    })();
    await expect(task).rejects.toThrow(new TypeError("A task cannot wait for itself"));
  });

  it("unwraps a task, a promise or another awaitable that it returns", async () => {
    const results = [
      Task.fromResult(1),
      Promise.resolve(1),
      ValueTask.fromResult(1),
      Task.delay(1).then(() => 1),
    ];
    for (const result of results) {
      const task: Task<number> = Task.async(function* () {
        return result;
      })();
      expect(await task).toBe(1);
    }
    const failing = Task.async(function* () {
      return Task.fromCanceled<number>();
    })();
    expect(failing.status).toBe("canceled");
  });

  it("refuses to wait for what cannot be waited for, inside the body", () => {
    const task = Task.async(function* () {
      yield 5;
    })();
    expect(task.error).toMatchObject({ code: "ERR_SKEIN_INVALID_ARG_TYPE" });
  });

  it("runs finally blocks of helpers and of itself", async () => {
    const steps: string[] = [];
    function* helper(): Generator<unknown, number, unknown> {
      try {
        return yield* Task.delay(1).then(() => 5);
      } finally {
        steps.push("helper");
      }
    }
    const task = Task.async(function* () {
      try {
        return yield* helper();
      } finally {
        yield* Task.yield();
        steps.push("method");
      }
    })();
    expect(await task).toBe(5);
    expect(steps).toEqual(["helper", "method"]);
  });

  it.each([
    ["async", () => Task.async(untyped(async () => {}))],
    ["asyncVoid", () => Task.asyncVoid(untyped(() => {}))],
    ["asyncPooled", () => ValueTask.asyncPooled(untyped(null))],
    ["asyncMethod", () => asyncMethod(untyped(null))],
  ])("%s refuses what is not a generator function", (_, call) => {
    expect(call).toThrow(TypeError);
  });
});

function raise(): never {
  throw failure;
}

describe("contexts of a generator method", () => {
  const local = new AsyncLocal<string>();

  it("A1.3 A9.1 what it sets, before and after waiting, never reaches the caller or the completer", async () => {
    const source = new TaskCompletionSource<number>(inline);
    const seen: (string | undefined)[] = [];
    const method = Task.async(function* () {
      local.value = "first";
      yield* source.task;
      seen.push(local.value);
      local.value = "second";
      yield* Task.yield();
      seen.push(local.value);
    });
    await local.run("caller", async () => {
      const task = method();
      expect(local.value).toBe("caller");
      local.run("completer", () => {
        source.setResult(1);
        expect(local.value).toBe("completer");
      });
      await task;
      expect(local.value).toBe("caller");
    });
    expect(seen).toEqual(["first", "second"]);
  });

  it("A9.4 resumes in the context of its last wait, other storages included", async () => {
    const storage = new AsyncLocalStorage<string>();
    const source = new ManualResetValueTaskSource<number>();
    const seen: unknown[] = [];
    const task = storage.run("mine", () =>
      local.run("mine", () =>
        Task.async(function* () {
          for (let i = 0; i < 3; i++) {
            yield* source.valueTask();
            seen.push([local.value, storage.getStore()]);
            source.reset();
          }
        })(),
      ),
    );
    for (let i = 0; i < 3; i++) storage.run("other", () => local.run("other", () => source.setResult(1)));
    await task;
    expect(seen).toEqual([
      ["mine", "mine"],
      ["mine", "mine"],
      ["mine", "mine"],
    ]);
  });

  it("A9.1 another library's enterWith inside, before the first wait, does not reach the caller, and outlives the wait", async () => {
    const storage = new AsyncLocalStorage<string>();
    await storage.run("caller", async () => {
      const method = Task.async(function* () {
        storage.enterWith("entered");
        yield* Task.yield();
        return storage.getStore();
      });
      const task = method();
      expect(storage.getStore()).toBe("caller");
      expect(await task).toBe("entered");
      const failing = Task.async(function* (): Generator<never> {
        storage.enterWith("entered");
        throw new Error("at once");
      });
      await expect(failing()).rejects.toThrow("at once");
      expect(storage.getStore()).toBe("caller");
    });
  });

  it("deviation: another library's enterWith inside, after the first wait, outlives the next wait only on async_hooks", async () => {
    const storage = new AsyncLocalStorage<string>();
    const probe = new AsyncResource("PROBE");
    const isKept = probe.runInAsyncScope(() => {
      storage.enterWith("probe");
      return probe.runInAsyncScope(() => storage.getStore()) === "probe";
    });
    const seen = await storage.run("mine", () =>
      Task.async(function* () {
        yield* Task.yield();
        storage.enterWith("entered");
        yield* Task.yield();
        const first = storage.getStore();
        local.value = "changed";
        storage.enterWith("entered");
        yield* Task.yield();
        return [first, storage.getStore()];
      })(),
    );
    // Where frames never change, what was entered is captured only together with a change of our own.
    expect(seen).toEqual([isKept ? "entered" : "mine", "entered"]);
  });

  it("A9.4 while flow is suppressed nothing is captured", async () => {
    const seen: (string | undefined)[] = [];
    const task = local.run("caller", () => {
      using _ = ExecutionContext.suppressFlow();
      return Task.async(function* () {
        seen.push(local.value);
        yield* Task.yield();
        seen.push(local.value);
      })();
    });
    await task;
    expect(seen).toEqual(["caller", undefined]);
  });

  it("A8.5 a SynchronizationContext set inside does not reach the caller", () => {
    const mine = new SynchronizationContext();
    SynchronizationContext.run(mine, () => {
      Task.async(function* () {
        SynchronizationContext.setCurrent(null);
        yield* Task.fromResult(1);
      })();
      expect(SynchronizationContext.current).toBe(mine);
    });
  });

  it("A4.6 a resumed method sees neither the completer's scheduler nor its task", () => {
    const scheduler = new ManualScheduler();
    const source = new ManualResetValueTaskSource<number>();
    let current: TaskScheduler | undefined;
    Task.async(function* () {
      yield* source.valueTask();
      current = TaskScheduler.current;
    })();
    void Task.fromResult(1).continueWith(() => source.setResult(1), { policy: scheduler });
    scheduler.runAll();
    expect(current).toBe(TaskScheduler.default);
  });
});

describe("Task.run", () => {
  it("runs a generator function of another realm as a method, too", async () => {
    const make = (code: string): (() => Generator<unknown, number, unknown>) =>
      runInNewContext(`(${code})`, { task: Task.delay(1).then(() => 5) });
    const body = make("function* () { return yield* task; }");
    expect(await Task.run(body)).toBe(5);
    expect(await Task.async(body)()).toBe(5);
    const asyncBody = make("async function* () { yield 1; }");
    expect(Object.prototype.toString.call(await Task.run(asyncBody))).toBe("[object AsyncGenerator]");
    expect(() => Task.async(asyncBody)).toThrow(TypeError);
  });

  it("runs a generator function as a method, later, with neither context nor scheduler", async () => {
    const seen: unknown[] = [];
    const context = new SynchronizationContext();
    const task = SynchronizationContext.run(context, () =>
      Task.run(function* () {
        seen.push(SynchronizationContext.current, TaskScheduler.current);
        yield* Task.yield();
        return "done";
      }),
    );
    expect(seen).toEqual([]);
    expect(await task).toBe("done");
    expect(seen).toEqual([null, TaskScheduler.default]);
  });

  it("A10.6 does not run it when the token was cancelled before", async () => {
    const source = new CancellationTokenSource();
    let ran = false;
    const task = Task.run(
      function* () {
        ran = true;
      },
      { signal: source.token },
    );
    source.cancel();
    await expect(async () => await task).rejects.toMatchObject({ token: source.token });
    expect([ran, task.status]).toEqual([false, "canceled"]);
  });

  it("a function with a then that it returns is awaited, as in an async function", async () => {
    const callable = (): PromiseLike<number> =>
      untyped(Object.assign(() => {}, { then: (resolve: (value: number) => void) => resolve(7) }));
    const method = Task.async(function* (waits: boolean) {
      if (waits) yield* Task.yield();
      return callable();
    });
    const tasks = [method(false), method(true)];
    await Task.whenAll(tasks);
    // Not by await, which would unwrap it in the end.
    expect(tasks.map((task) => task.result)).toEqual([7, 7]);
  });

  it("an AbortError with the method's own signal cancels, another one faults", async () => {
    const own = new AbortController();
    const obeys = Task.run(
      function* () {
        yield* Task.yield();
        own.abort();
        own.signal.throwIfAborted();
      },
      { signal: own.signal },
    );
    await obeys.continueWith(() => {});
    expect(obeys.status).toBe("canceled");
    expect(obeys.error).toBe(own.signal.reason);
    const other = Task.run(
      function* () {
        yield* Task.yield();
        AbortSignal.abort().throwIfAborted();
      },
      { signal: new AbortController().signal },
    );
    await other.continueWith(() => {});
    expect(other.status).toBe("faulted");
  });

  it("a plain function that throws the token's error is cancelled, another token's is a fault (0.9)", async () => {
    const source = new CancellationTokenSource();
    source.cancel();
    const other = Task.run(() => source.token.throwIfCancellationRequested());
    await other.continueWith(() => {});
    expect(other.status).toBe("faulted");
    const late = new CancellationTokenSource();
    const own = Task.run(
      () => {
        late.cancel();
        late.token.throwIfCancellationRequested();
      },
      { signal: late.token },
    );
    await own.continueWith(() => {});
    expect(own.status).toBe("canceled");
  });
});

describe("builders", () => {
  it("A9.8 a pooled method can be awaited once; the second time throws", async () => {
    const source = new TaskCompletionSource<number>(inline);
    const method = ValueTask.asyncPooled(function* (add: number) {
      return (yield* source.task) + add;
    });
    const valueTask = method(1);
    expect(valueTask.status).toBe("pending");
    source.setResult(1);
    expect(await valueTask).toBe(2);
    expect(() => valueTask.getResult()).toThrow(InvalidOperationError);
    await expect(async () => await valueTask).rejects.toThrow(InvalidOperationError);
  });

  it("A9.8 pooled methods do not mix up their results", async () => {
    const method = ValueTask.asyncPooled(function* (n: number) {
      yield* Task.yield();
      if (n % 3 === 0) throw new RangeError(String(n));
      return n;
    });
    for (let round = 0; round < 3; round++) {
      const results = await Promise.allSettled(Array.from({ length: 100 }, async (_, n) => await method(n)));
      const seen = results.map((result) =>
        result.status === "fulfilled" ? result.value : String(result.reason),
      );
      expect(seen).toEqual(seen.map((_, n) => (n % 3 === 0 ? `RangeError: ${n}` : n)));
    }
  });

  it("A9.8 a pooled method that completes at once, and one that fails at once", () => {
    const succeeds = ValueTask.asyncPooled(function* () {
      return 1;
    });
    expect([succeeds().isCompleted, succeeds().getResult()]).toEqual([true, 1]);
    const fails = ValueTask.asyncPooled(function* () {
      throw failure;
    });
    expect(() => fails().getResult()).toThrow(failure);
    const cancels = ValueTask.asyncPooled(function* () {
      throw new OperationCanceledError();
    });
    expect(cancels().status).toBe("canceled");
  });

  it("ValueTask.async waits through a task", async () => {
    const method = ValueTask.async(function* (fails: boolean) {
      yield* Task.yield();
      if (fails) throw failure;
      return 1;
    });
    expect(await method(false)).toBe(1);
    await expect(async () => await method(true)).rejects.toBe(failure);
  });

  it("a custom builder is told the outcome once, and asked for its task once", async () => {
    const calls: unknown[] = [];
    const asPromise = asyncMethod(() => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      return {
        get task(): Promise<unknown> {
          calls.push("task");
          return promise;
        },
        setResult(value: unknown): void {
          calls.push(["result", value]);
          resolve(value);
        },
        setError(error: unknown): void {
          calls.push(["error", error]);
          reject(error);
        },
      };
    });
    const method = asPromise(function* (fails: boolean) {
      yield* Task.yield();
      if (fails) throw failure;
      return 1;
    });
    const promise = method(false);
    expect(promise).toBeInstanceOf(Promise);
    expect(await promise).toBe(1);
    expect(calls).toEqual(["task", ["result", 1]]);
    await expect(method(true)).rejects.toBe(failure);
  });
});
