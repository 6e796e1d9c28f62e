import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { untyped } from "./untyped.ts";
import { AsyncLocal, ExecutionContext, setRunGuard } from "@skein/context";

describe("ExecutionContext", () => {
  it("A2.1 capture gives one shared object where nothing is set, else the current immutable one", () => {
    const local = new AsyncLocal<string>();
    const empty = ExecutionContext.capture();
    expect(empty).toBeInstanceOf(ExecutionContext);
    expect(ExecutionContext.capture()).toBe(empty);
    local.run("x", () => {
      const context = ExecutionContext.capture();
      expect(context).not.toBe(empty);
      expect(ExecutionContext.capture()).toBe(context);
    });
    expect(ExecutionContext.capture()).toBe(empty);
  });

  it.each([null, undefined])("A2.2 run(%s) is an InvalidOperationError", (none) => {
    expect(() => ExecutionContext.run(untyped(none), () => undefined)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_INVALID_OPERATION" }),
    );
  });

  it.each([{}, "text", 1])("refuses %o as a context", (wrong) => {
    const typeError = expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" });
    expect(() => ExecutionContext.run(untyped(wrong), () => undefined)).toThrow(typeError);
    expect(() => ExecutionContext.restore(untyped(wrong))).toThrow(typeError);
  });

  it("refuses a callback that is not a function", () => {
    const context = ExecutionContext.capture()!;
    const typeError = expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" });
    expect(() => ExecutionContext.run(context, untyped(null))).toThrow(typeError);
    expect(() => ExecutionContext.isolate(untyped(1))).toThrow(typeError);
    expect(() => ExecutionContext.bind(untyped({}))).toThrow(typeError);
  });

  it("A2.2 run applies the context, passes arguments and result, and puts the caller's back", () => {
    const local = new AsyncLocal<string>();
    const context = local.run("captured", () => ExecutionContext.capture()!);
    local.run("outside", () => {
      const result = ExecutionContext.run(
        context,
        (a: number, b: number) => {
          const seen = local.value;
          local.value = "does not escape";
          return `${seen} ${a + b}`;
        },
        1,
        2,
      );
      expect(result).toBe("captured 3");
      expect(local.value).toBe("outside");
    });
  });

  it("A2.2 run puts the caller's context back before its error arrives", () => {
    const local = new AsyncLocal<string>();
    const context = local.run("captured", () => ExecutionContext.capture()!);
    let seen: unknown;
    try {
      ExecutionContext.run(context, () => {
        throw new Error("inside");
      });
    } catch {
      seen = local.value;
    }
    expect(seen).toBeUndefined();
  });

  it("A2.2 the same context can run many times, nested too, and never remembers a run", () => {
    const local = new AsyncLocal<number>();
    const context = local.run(1, () => ExecutionContext.capture()!);
    for (let run = 0; run < 3; run++) {
      ExecutionContext.run(context, () => {
        expect(local.value).toBe(1);
        local.value = 2;
        ExecutionContext.run(context, () => expect(local.value).toBe(1));
        expect(local.value).toBe(2);
      });
    }
  });

  it("A2.2 overlapping async runs of one context do not see each other", async () => {
    const local = new AsyncLocal<number>();
    const context = ExecutionContext.capture()!;
    const work = async (value: number): Promise<unknown> => {
      local.value = value;
      await new Promise((resolve) => setImmediate(resolve));
      return local.value;
    };
    const results = [1, 2, 3].map((value) => ExecutionContext.run(context, work, value));
    expect(local.value).toBeUndefined();
    expect(await Promise.all(results)).toEqual([1, 2, 3]);
  });

  it("A2.2 A2.3 a run guard is saved on entry and put back on exit, also when the function throws", () => {
    let ambient = "outer";
    setRunGuard({
      save: () => ambient,
      restore(saved) {
        ambient = String(saved);
      },
    });
    try {
      const seen: string[] = [];
      const change = (): void => {
        seen.push(ambient);
        ambient = "changed";
      };
      const changeAndThrow = (): never => {
        change();
        throw new Error("inside");
      };
      const context = ExecutionContext.capture()!;
      ExecutionContext.run(context, change);
      ExecutionContext.isolate(change);
      new AsyncLocal().run(1, change);
      expect(() => ExecutionContext.run(context, changeAndThrow)).toThrow("inside");
      expect(seen).toEqual(["outer", "outer", "outer", "outer"]);
      expect(ambient).toBe("outer");
    } finally {
      setRunGuard({ save: () => undefined, restore: () => undefined });
    }
  });

  it("A2.4 running the current context keeps its identity inside", () => {
    const local = new AsyncLocal<string>();
    local.run("x", () => {
      const context = ExecutionContext.capture()!;
      ExecutionContext.run(context, () => expect(ExecutionContext.capture()).toBe(context));
      expect(ExecutionContext.capture()).toBe(context);
    });
  });

  it("A2.10 restore makes a context current until something else does", () => {
    const local = new AsyncLocal<string>();
    const context = local.run("restored", () => ExecutionContext.capture()!);
    ExecutionContext.isolate(() => {
      ExecutionContext.restore(context);
      expect(local.value).toBe("restored");
      expect(ExecutionContext.capture()).toBe(context);
    });
    expect(local.value).toBeUndefined();
  });

  it.each([null, undefined])("A2.10 restore(%s) is an InvalidOperationError", (none) => {
    expect(() => ExecutionContext.restore(untyped(none))).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_INVALID_OPERATION" }),
    );
  });

  it("isolate keeps the current values inside and undoes changes, restores and suppression", () => {
    const local = new AsyncLocal<string>();
    local.run("outer", () => {
      const context = ExecutionContext.capture();
      const result = ExecutionContext.isolate((x: number) => {
        expect(local.value).toBe("outer");
        local.value = "inner";
        ExecutionContext.suppressFlow();
        return x + 1;
      }, 1);
      expect(result).toBe(2);
      expect(ExecutionContext.capture()).toBe(context);
    });
  });

  it("bind runs in the context of binding, with every other storage of the process, this and arguments", () => {
    const local = new AsyncLocal<string>();
    const foreign = new AsyncLocalStorage<string>();
    class Thing {
      label = "thing";
    }
    const bound = foreign.run("foreign", () =>
      local.run("bound", () =>
        ExecutionContext.bind(function describe(this: Thing, a: number, b: number) {
          return [this.label, a + b, local.value, foreign.getStore()];
        }),
      ),
    );
    expect([bound.name, bound.length]).toEqual(["bound describe", 2]);
    expect(bound.call(new Thing(), 1, 2)).toEqual(["thing", 3, "bound", "foreign"]);
    expect([local.value, foreign.getStore()]).toEqual([undefined, undefined]);
  });

  it("bind gives every call the same start", () => {
    const local = new AsyncLocal<number>();
    const foreign = new AsyncLocalStorage<string>();
    const bound = local.run(1, () =>
      ExecutionContext.bind(() => {
        const seen = [local.value, foreign.getStore()];
        local.value = 2;
        foreign.enterWith("entered");
        return seen;
      }),
    );
    expect([bound(), bound()]).toEqual([
      [1, undefined],
      [1, undefined],
    ]);
    expect(foreign.getStore()).toBeUndefined();
  });
});
