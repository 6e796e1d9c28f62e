import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, describe, expect, it } from "vitest";
import { AsyncLocal, AsyncScope, CarriedScope, ExecutionContext, flow } from "@skein/context";
import { collect } from "./collect.ts";
import { untyped } from "./untyped.ts";

const local = new AsyncLocal<string>({ name: "flow.local", flow: "wire" });
const registered: Disposable[] = [];
const flows = { use: (flow: Disposable): number => registered.push(flow) };
afterEach(() => {
  for (const flow of registered.splice(0)) flow[Symbol.dispose]();
});

function carrier(reach?: "thread" | "wire"): string | null {
  return ExecutionContext.capture()!.toCarrier(reach);
}

/** What a thread that gets the carrier sees, and the carrier that it sends on. */
function onArrival<T>(text: string | null, read: () => T): T {
  return new CarriedScope(ExecutionContext.fromCarrier(text)).get().run(read);
}

/** Counts how often it encodes. */
class Counting<T> {
  encoded = 0;
  readonly codec = {
    encode: (value: T): string => {
      this.encoded++;
      return JSON.stringify(value);
    },
    decode: (text: string): T => JSON.parse(text) as T,
  };
}

describe("flow of a storage", () => {
  it("smoke: its store is in the carrier, and in the storage where the carrier arrives", () => {
    const storage = new AsyncLocalStorage<{ user: string }>();
    flows.use(flow(storage, { name: "request" }));
    const text = storage.run({ user: "ann" }, () => carrier());
    expect(text).toBe('1s7:request14:{"user":"ann"}');
    expect(onArrival(text, () => storage.getStore())).toEqual({ user: "ann" });
    expect(storage.getStore()).toBeUndefined();
    expect(carrier()).toBeNull();
  });

  // From Node.js 24 on.
  it.runIf(new AsyncLocalStorage({ defaultValue: 1 }).getStore() === 1)(
    "the default of a storage stays where it is, unless it is changed in place",
    () => {
      const fallback = { user: "nobody", log: () => {} };
      const storage = new AsyncLocalStorage<object>({ defaultValue: fallback });
      storage.run({ user: "ann" }, () => flows.use(flow(storage, { name: "with default" })));
      expect(carrier()).toBeNull();
      const text = storage.run({ user: "ann" }, () => carrier());
      expect(onArrival(text, () => storage.getStore())).toEqual({ user: "ann" });
      expect(onArrival(local.run("x", carrier), () => storage.getStore())).toBe(fallback);

      const changed = new AsyncLocalStorage<{ n: number }>({ defaultValue: { n: 0 } });
      flows.use(flow(changed, { name: "changed", mutable: true }));
      changed.getStore()!.n = 1;
      expect(onArrival(carrier(), () => changed.getStore())).toEqual({ n: 1 });
    },
  );

  it("goes beside our own values, whose text stays as it is", () => {
    const storage = new AsyncLocalStorage<string>();
    const alone = local.run("mine", () => carrier());
    flows.use(flow(storage, { name: "theirs", reach: "wire" }));
    const both = local.run("mine", () => storage.run("plain", () => carrier()));
    expect(both).toBe(`${alone}R6:theirs5:plain`);
    expect(onArrival(both, () => [local.value, storage.getStore()])).toEqual(["mine", "plain"]);
    expect(local.run("mine", () => carrier())).toBe(alone);
  });

  it("reaches threads by default, other machines if it says so", () => {
    const storage = new AsyncLocalStorage<string>();
    flows.use(flow(storage, { name: "near" }));
    const texts = storage.run("x", () => [carrier("thread"), carrier("wire")]);
    expect(texts).toEqual(["1S4:near1:x", null]);
  });

  it("is there after an await, and gone for what runs next", async () => {
    const storage = new AsyncLocalStorage<string>();
    flows.use(flow(storage, { name: "awaited" }));
    const text = storage.run("x", () => carrier());
    const later = onArrival(text, async () => {
      await Promise.resolve();
      return storage.getStore();
    });
    expect(AsyncScope.root.run(() => storage.getStore())).toBeUndefined();
    expect(await later).toBe("x");
  });

  it("is read anew where a carried context has moved on: what is in the storage counts", () => {
    const storage = new AsyncLocalStorage<string>();
    flows.use(flow(storage, { name: "moved" }));
    const text = storage.run("first", () => carrier());
    const sent = onArrival(text, () => [
      carrier(),
      storage.run("second", carrier),
      storage.exit(() => carrier()),
    ]);
    expect(sent).toEqual([text, "1S5:moved6:second", null]);
  });

  it("ExecutionContext.run enters what came with a carrier, and leaves the storage alone otherwise", () => {
    const storage = new AsyncLocalStorage<string>();
    flows.use(flow(storage, { name: "message", reach: "wire" }));
    const text = local.run("mine", () => storage.run("x", () => carrier("wire")));
    const seen = ExecutionContext.run(ExecutionContext.fromCarrier(text), () => {
      const here = ExecutionContext.capture()!;
      const nested = storage.run("y", () => ExecutionContext.run(here, () => storage.getStore()));
      return [local.value, storage.getStore(), nested];
    });
    expect(seen).toEqual(["mine", "x", "y"]);
    expect(storage.getStore()).toBeUndefined();
  });

  it("what the function returns or throws passes through ExecutionContext.run", () => {
    const storage = new AsyncLocalStorage<string>();
    flows.use(flow(storage, { name: "through", reach: "wire" }));
    const context = ExecutionContext.fromCarrier(storage.run("x", () => carrier("wire")));
    const error = new Error("mine");
    expect(ExecutionContext.run(context, (a: number, b: number) => a + b, 1, 2)).toBe(3);
    const fail = (): never => {
      throw error;
    };
    expect(() => ExecutionContext.run(context, fail)).toThrow(error);
  });

  it("belongs to the current context: one that is kept takes along what it came with", () => {
    const storage = new AsyncLocalStorage<string>();
    flows.use(flow(storage, { name: "kept" }));
    const text = storage.run("theirs", () => carrier());
    const kept = ExecutionContext.fromCarrier(text);
    const own = local.run("mine", () => ExecutionContext.capture()!);
    expect(storage.run("somebody", () => [kept.toCarrier(), own.toCarrier()])).toEqual([
      text,
      "1W10:flow.local4:mine",
    ]);
  });

  it("is not read while flow is suppressed", () => {
    const storage = new AsyncLocalStorage<string>();
    let reads = 0;
    flows.use(flow({ name: "counted", capture: () => (reads++, "x"), enter: (_, fn) => fn() }));
    const context = ExecutionContext.capture()!;
    using _ = ExecutionContext.suppressFlow();
    expect(storage.run("x", () => [ExecutionContext.capture(), context.toCarrier()])).toEqual([null, null]);
    expect(reads).toBe(0);
  });
});

describe("the text of a store", () => {
  it("is made once for a store that stays, whatever else changes", () => {
    const storage = new AsyncLocalStorage<object>();
    const counting = new Counting<object>();
    flows.use(flow(storage, { name: "once", codec: counting.codec }));
    const stores = [{ a: 1 }, { a: 2 }];
    for (let i = 0; i < 10; i++) {
      local.run(`request ${i}`, () => storage.run(stores[i % 2]!, () => carrier()));
    }
    expect(counting.encoded).toBe(2);
  });

  it("is made once for the same primitive", () => {
    const storage = new AsyncLocalStorage<number>();
    const counting = new Counting<number>();
    flows.use(flow(storage, { name: "number", codec: counting.codec }));
    storage.run(5, () => [carrier(), carrier()]);
    expect(counting.encoded).toBe(1);
  });

  it("does not keep the store", async () => {
    const storage = new AsyncLocalStorage<object>();
    flows.use(flow(storage, { name: "collected" }));
    const send = (): WeakRef<object> => {
      const store = { large: true };
      storage.run(store, () => carrier());
      return new WeakRef(store);
    };
    const sent = send();
    await collect(sent);
    expect(sent.deref()).toBeUndefined();
  });

  it("is made anew each time where stores are mutable, and each arrival has a copy of its own", () => {
    const storage = new AsyncLocalStorage<Map<string, number>>();
    flows.use(
      flow(storage, {
        name: "mutable",
        mutable: true,
        codec: {
          encode: (map) => JSON.stringify([...map]),
          decode: (text) => new Map(JSON.parse(text) as [string, number][]),
        },
      }),
    );
    const texts = storage.run(new Map([["a", 1]]), () => {
      const before = carrier();
      storage.getStore()!.set("a", 2);
      return [before, carrier()];
    });
    expect(texts).toEqual(['1s7:mutable9:[["a",1]]', '1s7:mutable9:[["a",2]]']);
    const scope = new CarriedScope(ExecutionContext.fromCarrier(texts[1]!));
    const change = (): number => {
      const map = storage.getStore()!;
      map.set("a", map.get("a")! + 1);
      return map.get("a")!;
    };
    expect([scope.get().run(change), scope.get().run(change)]).toEqual([3, 3]);
  });

  it("that is too large is refused by name", () => {
    const storage = new AsyncLocalStorage<string>();
    flows.use(flow(storage, { name: "large" }));
    const send = (): string | null => local.run("mine", () => storage.run("x".repeat(20_000), carrier));
    expect(send).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_CONTEXT_TOO_LARGE", localName: "large" }),
    );
    expect(carrier()).toBeNull();
  });
});

describe("a thread that does not know a flow", () => {
  it("passes its text on, at the reach that it came with", () => {
    const storage = new AsyncLocalStorage<string>();
    const sent = ((): string | null => {
      using _ = flow(storage, { name: "unknown" });
      return storage.run("x", carrier);
    })();
    const passed = onArrival(sent, () => [storage.getStore(), carrier("thread"), carrier("wire")]);
    expect(passed).toEqual([undefined, sent, null]);
  });

  it("has it from the next arrival on, when it comes to know it, and no longer when the flow has ended", () => {
    const storage = new AsyncLocalStorage<string>();
    const scope = new CarriedScope(ExecutionContext.fromCarrier("1T5:later1:x"));
    const seen = (): unknown => scope.get().run(() => storage.getStore());
    expect(seen()).toBeUndefined();
    const registration = flow(storage, { name: "later" });
    expect(seen()).toBe("x");
    registration[Symbol.dispose]();
    expect(seen()).toBeUndefined();
  });

  it("a store that is set where it was unknown stands in for the text that came", () => {
    const storage = new AsyncLocalStorage<string>();
    const scope = new CarriedScope(ExecutionContext.fromCarrier("1T4:over3:oldT5:other1:y")).get();
    flows.use(flow(storage, { name: "over" }));
    expect(scope.run(() => storage.run("new", carrier))).toBe("1T5:other1:yS4:over3:new");
    expect(scope.run(() => carrier())).toBe("1T4:over3:oldT5:other1:y");
  });
});

describe("a storage that does more than Node's when it is run", () => {
  it("is run on arrival, for each distinct context once", () => {
    let runs = 0;
    class Counted extends AsyncLocalStorage<string> {
      override run<R>(store: string, fn: () => R): R;
      override run<R, A extends unknown[]>(store: string, fn: (...args: A) => R, ...args: A): R {
        runs++;
        return super.run(store, fn, ...args);
      }
    }
    const storages = [new AsyncLocalStorage<string>(), new Counted(), new AsyncLocalStorage<string>()];
    for (const [i, storage] of storages.entries()) flows.use(flow(storage, { name: `mixed ${i}` }));
    const scope = new CarriedScope(ExecutionContext.fromCarrier("1S7:mixed 01:aS7:mixed 11:bS7:mixed 21:c"));
    for (let i = 0; i < 2; i++)
      expect(scope.get().run(() => storages.map((storage) => storage.getStore()))).toEqual(["a", "b", "c"]);
    expect(runs).toBe(1);
    expect(storages.map((storage) => storage.getStore())).toEqual([undefined, undefined, undefined]);
  });
});

describe("custom flows", () => {
  it("capture gives what travels, enter puts it in place", () => {
    const storage = new AsyncLocalStorage<{ user: string; socket: object }>();
    flows.use(
      flow<string>({
        name: "user",
        capture: () => storage.getStore()?.user,
        enter: (user, fn) => storage.run({ user, socket: {} }, fn),
      }),
    );
    const text = storage.run({ user: "ann", socket: {} }, carrier);
    expect(text).toBe("1S4:user3:ann");
    expect(onArrival(text, () => storage.getStore()?.user)).toBe("ann");
  });

  it("several are entered together: one scope holds them all", () => {
    const storages = [1, 2, 3].map((i) => {
      const storage = new AsyncLocalStorage<number>();
      flows.use(flow(storage, { name: `several ${i}` }));
      return storage;
    });
    const run = (i: number): string | null =>
      i === storages.length ? carrier() : storages[i]!.run(i, () => run(i + 1));
    expect(onArrival(run(0), () => storages.map((storage) => storage.getStore()))).toEqual([0, 1, 2]);
  });

  it("what capture sets stays inside it", () => {
    flows.use(
      flow({
        name: "careless",
        capture() {
          local.value = "left behind";
          return 1;
        },
        enter: (_, fn) => fn(),
      }),
    );
    carrier();
    expect(local.value).toBeUndefined();
  });

  it("what capture sends itself goes without flows", () => {
    const sent: (string | null)[] = [];
    const capture = (): number => {
      sent.push(local.run("inner", () => carrier()));
      return 1;
    };
    flows.use(flow({ name: "again", capture, enter: (_, fn) => fn() }));
    expect(carrier()).toBe("1s5:again1:1");
    expect(sent).toEqual(["1W10:flow.local5:inner"]);
  });
});

describe("a carrier in bytes", () => {
  const bytesOf = (text: string): Buffer => Buffer.from(`<${text}>`);
  const textOf = (bytes: Uint8Array, start: number, end: number): string =>
    Buffer.from(bytes.subarray(start, end)).toString();
  const scopeOf = (text: string): CarriedScope => {
    const bytes = bytesOf(text);
    const scope = CarriedScope.fromBytes(bytes, 1, bytes.length - 1, textOf);
    bytes.fill(0);
    return scope;
  };

  it("means what its text means, whether it is like the one before or not", () => {
    const storages = ["one", "two"].map((name) => {
      const storage = new AsyncLocalStorage<unknown>();
      flows.use(flow(storage, { name }));
      return storage;
    });
    const seen = (text: string): unknown =>
      scopeOf(text)
        .get()
        .run(() => [...storages.map((storage) => storage.getStore()), local.value]);
    const expected: readonly (readonly [string, readonly unknown[]])[] = [
      ["1S3:one1:aS3:two2:bb", ["a", "bb", undefined]],
      ["1S3:one1:cS3:two0:", ["c", "", undefined]],
      ["1S3:one17:12345678901234567S3:two3:xyz", ["12345678901234567", "xyz", undefined]],
      ["1S3:one2:日本S3:two1:é", ["日本", "é", undefined]],
      ["1S3:one1:d", ["d", undefined, undefined]],
      ["1S3:one1:e", ["e", undefined, undefined]],
      ['1s3:one7:{"a":1}', [{ a: 1 }, undefined, undefined]],
      ['1s3:one7:{"a":2}', [{ a: 2 }, undefined, undefined]],
      ["1W10:flow.local4:mineS3:one1:f", ["f", undefined, "mine"]],
      ["1W10:flow.local5:mine2", [undefined, undefined, "mine2"]],
      ["1S3:one1:g", ["g", undefined, undefined]],
      ["1S3:onf1:h", [undefined, undefined, undefined]],
    ];
    for (const [text, values] of [...expected, ...expected.toReversed()])
      expect([text, seen(text)]).toEqual([text, values]);
  });

  it("is the same again when a flow has come or gone, also after it was entered", () => {
    const storage = new AsyncLocalStorage<string>();
    const first = flow(storage, { name: "came" });
    const scopes = ["1S4:came1:a", "1S4:came1:b"].map(scopeOf);
    const seen = (): unknown => scopes.map((scope) => scope.get().run(() => [storage.getStore(), carrier()]));
    const entered = [
      ["a", "1S4:came1:a"],
      ["b", "1S4:came1:b"],
    ];
    expect(seen()).toEqual(entered);
    first[Symbol.dispose]();
    expect(seen()).toEqual(entered.map(([, text]) => [undefined, text]));
    flows.use(flow(storage, { name: "came" }));
    expect(seen()).toEqual(entered);
  });

  it("that a codec refuses is refused each time", () => {
    const codec = {
      encode: String,
      decode: (): never => {
        throw new Error("no");
      },
    };
    flows.use(flow(new AsyncLocalStorage<string>(), { name: "refused", codec }));
    for (const scope of ["1s7:refused1:a", "1s7:refused1:b"].map(scopeOf))
      for (let i = 0; i < 2; i++)
        expect(() => scope.get()).toThrow(expect.objectContaining({ code: "ERR_SKEIN_INVALID_CARRIER" }));
  });
});

describe("errors of a flow", () => {
  const bad = new Error("not today");
  const fail = (): never => {
    throw bad;
  };

  it("of capture are the caller's as they are; of the codec with its name", () => {
    const capture = flow({ name: "bad", capture: fail, enter: (_, fn) => fn() });
    expect(carrier).toThrow(bad);
    capture[Symbol.dispose]();
    const codec = { encode: fail, decode: fail };
    flows.use(flow({ name: "bad", capture: () => 1, enter: (_, fn) => fn(), codec }));
    expect(carrier).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_CONTEXT_ENCODE", localName: "bad", cause: bad }),
    );
  });

  it("on arrival come to whoever enters", () => {
    const scope = new CarriedScope(ExecutionContext.fromCarrier("1T3:bad1:x"));
    const codec = { encode: fail, decode: fail };
    const decode = flow({ name: "bad", capture: () => undefined, enter: (_, fn) => fn(), codec });
    expect(() => scope.get()).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_INVALID_CARRIER", cause: bad }),
    );
    decode[Symbol.dispose]();
    const enter = flow({ name: "bad", capture: () => undefined, enter: fail });
    expect(() => scope.get()).toThrow(bad);
    enter[Symbol.dispose]();
    flows.use(flow({ name: "bad", capture: () => undefined, enter: () => untyped(undefined) }));
    expect(() => scope.get()).toThrow(expect.objectContaining({ code: "ERR_SKEIN_INVALID_OPERATION" }));
  });

  it("enter may call once, and not later", () => {
    const calls: (() => unknown)[] = [];
    const enter = <R>(_: string, fn: () => R): R => {
      calls.push(fn);
      return fn();
    };
    flows.use(flow<string>({ name: "twice", capture: () => undefined, enter }));
    const context = ExecutionContext.fromCarrier("1T5:twice1:x");
    let runs = 0;
    ExecutionContext.run(context, () => runs++);
    expect(calls[0]).toThrow(expect.objectContaining({ code: "ERR_SKEIN_INVALID_OPERATION" }));
    expect(runs).toBe(1);
  });

  it("'ignore': the value is left out, and nobody is bothered", () => {
    const onError = "ignore";
    const storage = new AsyncLocalStorage<string>();
    flows.use(flow(storage, { name: "good" }));
    flows.use(flow({ name: "capture", capture: fail, enter: (_, fn) => fn(), onError }));
    const codec = { encode: fail, decode: fail };
    flows.use(flow({ name: "codec", capture: () => 1, enter: (_, fn) => fn(), codec, onError }));
    const units = { encode: String, decode: String };
    flows.use(
      flow({ name: "units", capture: () => "\ud800", enter: (_, fn) => fn(), codec: units, onError }),
    );
    flows.use(flow({ name: "large", capture: () => "x".repeat(20_000), enter: (_, fn) => fn(), onError }));
    flows.use(flow({ name: "enter", capture: () => "x", enter: fail, onError }));
    flows.use(flow({ name: "never", capture: () => "y", enter: () => untyped(undefined), onError }));
    const text = storage.run("here", carrier);
    expect(text).toBe("1S4:good4:hereS5:enter1:xS5:never1:y");
    expect(onArrival(`${text}T5:codec1:z`, () => storage.getStore())).toBe("here");
  });

  it("'ignore' does not hide the errors of what runs inside", () => {
    flows.use(
      flow<string>({ name: "inside", capture: () => undefined, enter: (_, fn) => fn(), onError: "ignore" }),
    );
    const context = ExecutionContext.fromCarrier("1T6:inside1:x");
    expect(() => ExecutionContext.run(context, fail)).toThrow(bad);
  });
});

describe("registration", () => {
  const storage = new AsyncLocalStorage<string>();
  const custom = { name: "custom", capture: () => undefined, enter: <R>(_: unknown, fn: () => R): R => fn() };

  it("refuses a name that is taken, by a flow or a local", () => {
    const duplicate = expect.objectContaining({ code: "ERR_SKEIN_DUPLICATE_NAME", localName: "taken" });
    flows.use(flow(storage, { name: "taken" }));
    expect(() => flow(new AsyncLocalStorage(), { name: "taken" })).toThrow(duplicate);
    expect(() => new AsyncLocal({ name: "taken", flow: "thread" })).toThrow(duplicate);
    expect(() => flow(storage, { name: "flow.local" })).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_DUPLICATE_NAME" }),
    );
  });

  it("a name is free when the flow has ended, which it does once", () => {
    const first = flow(storage, { name: "free" });
    first[Symbol.dispose]();
    const second = flow(storage, { name: "free" });
    first[Symbol.dispose]();
    expect(storage.run("x", carrier)).toBe("1S4:free1:x");
    second[Symbol.dispose]();
    expect(storage.run("x", carrier)).toBeNull();
    expect(new AsyncLocal({ name: "free", flow: "thread" }).name).toBe("free");
  });

  it.each([
    ["storage", () => flow(untyped({}), { name: "x" })],
    ["options.name", () => flow(storage, untyped(undefined))],
    ["options.name", () => flow(storage, { name: "" })],
    ["options.name", () => flow(storage, { name: "n\ud800" })],
    ["options.name", () => flow({ ...custom, name: untyped(1) })],
    ["options.reach", () => flow(storage, { name: "x", reach: untyped("local") })],
    ["options.codec", () => flow(storage, { name: "x", codec: untyped({ encode: String }) })],
    ["options.mutable", () => flow(storage, { name: "x", mutable: untyped(1) })],
    ["options.onError", () => flow(storage, { name: "x", onError: untyped("throw") })],
    ["options.capture", () => flow({ ...custom, capture: untyped(1) })],
    ["options.enter", () => flow(untyped({ name: "x", capture: () => 1 }))],
    ["options", () => flow(untyped(null))],
  ])("names the option that is wrong: %s", (option, register) => {
    expect(register).toThrow(
      expect.objectContaining({
        name: "TypeError",
        code: "ERR_SKEIN_INVALID_ARG_TYPE",
        message: expect.stringContaining(`\`${option}\``) as string,
      }),
    );
  });

  it("refuses options that do not exist, and says which one was meant", () => {
    const unknown = (meant: string): unknown =>
      expect.objectContaining({
        code: "ERR_SKEIN_UNKNOWN_OPTION",
        message: expect.stringContaining(`Did you mean \`${meant}\`?`) as string,
      });
    expect(() => flow(storage, untyped({ name: "x", reech: "wire" }))).toThrow(unknown("reach"));
    expect(() => flow(untyped({ ...custom, onErrors: "ignore" }))).toThrow(unknown("onError"));
    expect(() => flow(storage, untyped({ ...custom }))).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_UNKNOWN_OPTION" }),
    );
  });
});
