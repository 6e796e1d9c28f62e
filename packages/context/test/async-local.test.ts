import { describe, expect, it } from "vitest";
import { untyped } from "./untyped.ts";
import { AsyncLocal, ExecutionContext } from "@skein/context";

describe("AsyncLocal", () => {
  it("A1.1 reads undefined, or the given default, and reading makes no context", () => {
    const plain = new AsyncLocal<number>();
    const withDefault = new AsyncLocal<number>({ defaultValue: 7 });
    const before = ExecutionContext.capture();
    expect([plain.value, withDefault.value]).toEqual([undefined, 7]);
    expect(ExecutionContext.capture()).toBe(before);
  });

  it("A1.2 a set makes a new context current; captured ones keep their values", () => {
    const local = new AsyncLocal<string>();
    ExecutionContext.isolate(() => {
      local.value = "first";
      const captured = ExecutionContext.capture()!;
      local.value = "second";
      expect(ExecutionContext.capture()).not.toBe(captured);
      expect(ExecutionContext.run(captured, () => local.value)).toBe("first");
      expect(local.value).toBe("second");
    });
  });

  it("A1.2 setting what is set already keeps the context (Object.is, also for NaN)", () => {
    const local = new AsyncLocal<unknown>();
    ExecutionContext.isolate(() => {
      for (const value of [Number.NaN, "text", {}, null]) {
        local.value = value;
        const captured = ExecutionContext.capture();
        local.value = value;
        expect(ExecutionContext.capture()).toBe(captured);
      }
      local.value = 0;
      const captured = ExecutionContext.capture();
      local.value = -0;
      expect(ExecutionContext.capture()).not.toBe(captured);
    });
  });

  it("A1.3 under isolate, an async function's changes are invisible right after the call and after awaiting it", async () => {
    const local = new AsyncLocal<string>();
    const seen: unknown[] = [];
    async function method(): Promise<void> {
      local.value = "prefix";
      await Promise.resolve();
      seen.push(local.value);
      local.value = "after";
      await Promise.resolve();
      seen.push(local.value);
    }
    const promise = ExecutionContext.isolate(method);
    expect(local.value).toBeUndefined();
    await promise;
    expect(local.value).toBeUndefined();
    expect(seen).toEqual(["prefix", "after"]);
  });

  it("A1.3 deviation (D2): without isolate, what a native async function sets before its first await leaks", async () => {
    await ExecutionContext.isolate(async () => {
      const local = new AsyncLocal<string>();
      async function method(): Promise<void> {
        local.value = "prefix";
        await Promise.resolve();
        local.value = "after";
      }
      const promise = method();
      expect(local.value).toBe("prefix");
      await promise;
      expect(local.value).toBe("prefix");
    });
  });

  it("A1.4 a change inside ExecutionContext.run is invisible outside, also in the callbacks it started", async () => {
    const local = new AsyncLocal<string>();
    const context = ExecutionContext.capture()!;
    const inTimer = await new Promise((resolve) => {
      ExecutionContext.run(context, () => {
        local.value = "inside";
        setTimeout(() => resolve(local.value), 0);
      });
      expect(local.value).toBeUndefined();
    });
    expect(inTimer).toBe("inside");
    expect(local.value).toBeUndefined();
  });

  it("A1.5 a plain call leaks its change to its caller", () => {
    const local = new AsyncLocal<string>();
    ExecutionContext.isolate(() => {
      const change = (): void => {
        local.value = "leaked";
      };
      change();
      expect(local.value).toBe("leaked");
    });
    expect(local.value).toBeUndefined();
  });

  it("A1.6 a child started before a later change does not see it", async () => {
    const local = new AsyncLocal<string>();
    await ExecutionContext.isolate(async () => {
      local.value = "before";
      const child = (async () => {
        await Promise.resolve();
        return local.value;
      })();
      local.value = "later";
      expect(await child).toBe("before");
      expect(local.value).toBe("later");
    });
  });

  it("A1.7 undefined removes the entry: the default reads again and the empty context is the default one", () => {
    const local = new AsyncLocal<string>({ defaultValue: "default" });
    const before = ExecutionContext.capture();
    local.value = "set";
    expect(local.value).toBe("set");
    local.value = undefined;
    expect(local.value).toBe("default");
    expect(ExecutionContext.capture()).toBe(before);
  });

  it("A1.7 null is a value like any other", () => {
    const local = new AsyncLocal<string | null>({ defaultValue: "default" });
    local.run(null, () => expect(local.value).toBeNull());
  });

  it("A1.14 is correct for 1 to 40 locals: add, update, remove any", () => {
    for (let count = 1; count <= 40; count++) {
      const locals = Array.from({ length: count }, () => new AsyncLocal<number>());
      const read = (): (number | undefined)[] => locals.map((local) => local.value);
      ExecutionContext.isolate(() => {
        locals.forEach((local, index) => (local.value = index));
        expect(read()).toEqual(locals.map((_, index) => index));
        const full = ExecutionContext.capture()!;
        locals.forEach((local, index) => (local.value = -index - 1));
        expect(read()).toEqual(locals.map((_, index) => -index - 1));
        const order = locals.map((_, index) => (index * 7 + 3) % count);
        const left = new Set(locals.keys());
        for (const index of new Set(order)) {
          locals[index]!.value = undefined;
          left.delete(index);
          expect(read()).toEqual(locals.map((_, each) => (left.has(each) ? -each - 1 : undefined)));
        }
        ExecutionContext.run(full, () => expect(read()).toEqual(locals.map((_, index) => index)));
      });
    }
  });

  it("run sets the value for the call, passes the arguments and the result, and undoes everything", () => {
    const local = new AsyncLocal<string>();
    const other = new AsyncLocal<string>();
    const result = local.run(
      "value",
      (a: number, b: number) => {
        other.value = "also undone";
        return `${local.value} ${a + b}`;
      },
      1,
      2,
    );
    expect(result).toBe("value 3");
    expect([local.value, other.value]).toEqual([undefined, undefined]);
  });

  it("run puts the context back when the function throws", () => {
    const local = new AsyncLocal<string>();
    const fail = (): never => {
      throw new Error("inside");
    };
    expect(() => local.run("value", fail)).toThrow("inside");
    expect(local.value).toBeUndefined();
  });

  it("flows through await, timers and microtasks", async () => {
    const local = new AsyncLocal<string>();
    const seen = await local.run("value", async () => {
      const inMicrotask = new Promise((resolve) => queueMicrotask(() => resolve(local.value)));
      const inImmediate = new Promise((resolve) => setImmediate(() => resolve(local.value)));
      const inTick = new Promise((resolve) => process.nextTick(() => resolve(local.value)));
      return [await inMicrotask, await inImmediate, await inTick, local.value];
    });
    expect(seen).toEqual(["value", "value", "value", "value"]);
  });

  it.each([
    ["options.flow", { flow: "everywhere" }],
    ["options.name", { name: 1 }],
    ["options.name", { flow: "thread" }],
    ["options.name", { flow: "wire", name: "" }],
    ["options.name", { flow: "thread", name: "n\ud800" }],
    ["options.codec", { codec: { encode: () => "" } }],
    ["options.codec", { codec: null }],
    ["options.onValueChanged", { onValueChanged: "no" }],
    ["options", null],
    ["options", "no"],
  ])("refuses a wrong %s: %o", (name, options) => {
    expect(() => new AsyncLocal(untyped(options))).toThrow(
      expect.objectContaining({
        name: "TypeError",
        code: "ERR_SKEIN_INVALID_ARG_TYPE",
        message: expect.stringContaining(`\`${name}\``),
      }),
    );
  });

  it("refuses a run without a function", () => {
    expect(() => new AsyncLocal().run(1, untyped(null))).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" }),
    );
  });

  it("does not take options from Object.prototype", () => {
    Object.assign(Object.prototype, { defaultValue: "polluted", flow: "wire" });
    try {
      const local = new AsyncLocal<string>({});
      expect([local.value, local.flow, local.name]).toEqual([undefined, "local", undefined]);
    } finally {
      Reflect.deleteProperty(Object.prototype, "defaultValue");
      Reflect.deleteProperty(Object.prototype, "flow");
    }
  });
});
