import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { AsyncLocal, AsyncScope, CarriedScope, ExecutionContext } from "@skein/context";
import type { ValueChange } from "@skein/context";

type Heard = [name: string, previous: unknown, current: unknown, contextChanged: boolean];

function watched(heard: Heard[], name: string, defaultValue?: string): AsyncLocal<string> {
  return new AsyncLocal<string>({
    defaultValue,
    onValueChanged: ({ previousValue, currentValue, contextChanged }: ValueChange<string>) =>
      heard.push([name, previousValue, currentValue, contextChanged]),
  });
}

/** Empties the list and gives what was in it. */
const take = (heard: Heard[]): Heard[] => heard.splice(0);

describe("onValueChanged", () => {
  it("A1.8 an explicit set is told after the new value is current, with contextChanged false", () => {
    const seen: unknown[] = [];
    const local: AsyncLocal<string> = new AsyncLocal<string>({
      onValueChanged: (change) => seen.push({ ...change, read: local.value }),
    });
    ExecutionContext.isolate(() => {
      local.value = "a";
      expect(seen).toEqual([
        { previousValue: undefined, currentValue: "a", contextChanged: false, read: "a" },
      ]);
    });
  });

  it("A1.8 a context switch is told after the switch, once for each local that differs", () => {
    const heard: Heard[] = [];
    const a = watched(heard, "a");
    const b = watched(heard, "b");
    const c = watched(heard, "c");
    ExecutionContext.isolate(() => {
      a.value = "1";
      b.value = "same";
      const context = ExecutionContext.capture()!;
      a.value = "2";
      c.value = "3";
      take(heard);
      ExecutionContext.run(context, () =>
        expect(take(heard)).toEqual([
          ["a", "2", "1", true],
          ["c", "3", undefined, true],
        ]),
      );
      expect(take(heard)).toEqual([
        ["a", "1", "2", true],
        ["c", undefined, "3", true],
      ]);
    });
  });

  it("A1.9 the same value is not told, nor a local that no context in play ever set", () => {
    const heard: Heard[] = [];
    const a = watched(heard, "a");
    watched(heard, "never set");
    ExecutionContext.isolate(() => {
      a.value = "x";
      take(heard);
      a.value = "x";
      const context = ExecutionContext.capture()!;
      ExecutionContext.run(context, () => undefined);
      ExecutionContext.isolate(() => undefined);
      expect(heard).toEqual([]);
    });
  });

  it("A1.9 setting the value that the default reads already is not told", () => {
    const heard: Heard[] = [];
    const a = watched(heard, "a", "default");
    ExecutionContext.isolate(() => {
      a.value = "default";
      expect(heard).toEqual([]);
      a.value = undefined;
      expect(heard).toEqual([]);
      a.value = "other";
      a.value = undefined;
      expect(heard).toEqual([
        ["a", "default", "other", false],
        ["a", "other", "default", false],
      ]);
    });
  });

  it("A1.10 the outgoing context's locals come first, in registration order, then those only the incoming one knows", () => {
    const heard: Heard[] = [];
    const a = watched(heard, "a");
    const b = watched(heard, "b");
    const c = watched(heard, "c");
    const d = watched(heard, "d");
    const incoming = ExecutionContext.isolate(() => {
      d.value = "in";
      a.value = "in";
      c.value = "in";
      return ExecutionContext.capture()!;
    });
    ExecutionContext.isolate(() => {
      c.value = "out";
      b.value = "out";
      c.value = "out again";
      take(heard);
      ExecutionContext.run(incoming, () => undefined);
      expect(heard.map(([name]) => name)).toEqual(["c", "b", "d", "a", "d", "a", "c", "b"]);
    });
  });

  it("A1.7 a local with a handler keeps its place in the order when it is cleared", () => {
    const heard: Heard[] = [];
    const a = watched(heard, "a");
    const b = watched(heard, "b");
    ExecutionContext.isolate(() => {
      a.value = "1";
      b.value = "1";
      a.value = undefined;
      expect(a.value).toBeUndefined();
      a.value = "2";
      const context = ExecutionContext.capture()!;
      a.value = "3";
      b.value = "3";
      take(heard);
      ExecutionContext.run(context, () => undefined);
      expect(heard.map(([name]) => name)).toEqual(["a", "b", "a", "b"]);
    });
  });

  it("A1.11 run tells once on entry and once on exit, at each boundary of nested runs", () => {
    const heard: Heard[] = [];
    const a = watched(heard, "a");
    const empty = ExecutionContext.capture()!;
    ExecutionContext.isolate(() => {
      a.value = "set";
      const context = ExecutionContext.capture()!;
      expect(take(heard)).toEqual([["a", undefined, "set", false]]);
      ExecutionContext.run(empty, () => {
        expect(take(heard)).toEqual([["a", "set", undefined, true]]);
        ExecutionContext.run(context, () => expect(take(heard)).toEqual([["a", undefined, "set", true]]));
        expect(take(heard)).toEqual([["a", "set", undefined, true]]);
      });
      expect(take(heard)).toEqual([["a", undefined, "set", true]]);
    });
    expect(take(heard)).toEqual([["a", "set", undefined, true]]);
  });

  it("A1.11 a set inside a run is one manual change and one automatic one when the run unwinds, also by a throw", () => {
    const heard: Heard[] = [];
    const a = watched(heard, "a");
    const context = ExecutionContext.capture()!;
    const fail = (): never => {
      a.value = "inside";
      throw new Error("unwind");
    };
    expect(() => ExecutionContext.run(context, fail)).toThrow("unwind");
    expect(heard).toEqual([
      ["a", undefined, "inside", false],
      ["a", "inside", undefined, true],
    ]);
  });

  it("A1.11 an AsyncScope and a bound function are boundaries too", () => {
    const heard: Heard[] = [];
    const a = watched(heard, "a");
    const [scope, bound] = a.run(
      "captured",
      () => [AsyncScope.capture(), ExecutionContext.bind(() => a.value)] as const,
    );
    take(heard);
    for (let run = 0; run < 2; run++) {
      scope.run(() => {
        expect(take(heard)).toEqual([["a", undefined, "captured", true]]);
        a.value = "changed";
        take(heard);
      });
      expect(take(heard)).toEqual([["a", "changed", undefined, true]]);
    }
    expect(bound()).toBe("captured");
    expect(take(heard)).toEqual([
      ["a", undefined, "captured", true],
      ["a", "captured", undefined, true],
    ]);
  });

  it("making a scope for a context tells nobody", () => {
    const heard: Heard[] = [];
    const a = watched(heard, "a");
    const context = a.run("x", () => ExecutionContext.capture()!);
    take(heard);
    const scope = new CarriedScope(context).get();
    expect(heard).toEqual([]);
    scope.run(() => expect(a.value).toBe("x"));
    expect(heard).toHaveLength(2);
  });

  it("A1.12 what a handler sets during a context switch stays", () => {
    const log: string[] = [];
    const local: AsyncLocal<string> = new AsyncLocal<string>({
      onValueChanged({ currentValue, contextChanged }) {
        log.push(`${currentValue} ${contextChanged}`);
        if (contextChanged && currentValue === undefined) local.value = "from the handler";
      },
    });
    ExecutionContext.isolate(() => {
      ExecutionContext.run(ExecutionContext.capture()!, () => (local.value = "inside"));
      expect(local.value).toBe("from the handler");
      expect(log).toEqual(["inside false", "undefined true", "from the handler false"]);
      local.value = "end";
    });
  });

  it("A1.13 what a handler throws on an explicit set reaches the setter, and the value has changed", () => {
    const local = new AsyncLocal<string>({
      onValueChanged({ contextChanged }) {
        if (!contextChanged) throw new Error("refused");
      },
    });
    ExecutionContext.isolate(() => {
      expect(() => (local.value = "set")).toThrow("refused");
      expect(local.value).toBe("set");
    });
  });

  it("A1.13 what a handler throws on a context switch is an uncaught exception; the run and other handlers go on", () => {
    const script = fileURLToPath(new URL("./fixtures/handler-throws-on-switch.ts", import.meta.url));
    const result = spawnSync(process.execPath, [script], { encoding: "utf8" });
    expect(result.stdout.trim().split("\n")).toEqual([
      "other handler: undefined -> 1",
      "run: value",
      "other handler: 1 -> undefined",
      "uncaught: handler failed",
      "uncaught: handler failed",
    ]);
  });

  it("D2 native switches at await are not told", async () => {
    const heard: Heard[] = [];
    const a = watched(heard, "a");
    await a.run("x", async () => {
      take(heard);
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    });
    expect(heard).toEqual([["a", "x", undefined, true]]);
  });

  it("A1.8 a value that came with a carrier is told on the way in and out", () => {
    const heard: Heard[] = [];
    const local = new AsyncLocal<string>({
      name: "value-changes/carried",
      flow: "thread",
      onValueChanged: ({ previousValue, currentValue, contextChanged }) =>
        heard.push(["carried", previousValue, currentValue, contextChanged]),
    });
    const carrier = local.run("sent", () => ExecutionContext.capture()!.toCarrier());
    take(heard);
    ExecutionContext.run(ExecutionContext.fromCarrier(carrier), () => {
      expect(take(heard)).toEqual([["carried", undefined, "sent", true]]);
      local.value = "changed";
      expect(take(heard)).toEqual([["carried", "sent", "changed", false]]);
    });
    expect(take(heard)).toEqual([["carried", "changed", undefined, true]]);
  });
});
