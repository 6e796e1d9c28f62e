import { AsyncLocalStorage } from "node:async_hooks";
import { context, type Context, type ContextManager, ROOT_CONTEXT, trace as spans } from "@opentelemetry/api";
import { describe, expect, it } from "vitest";
import { AsyncLocal, ExecutionContext, flow } from "@skein/context";
import { contextFields } from "@skein/context/log";

describe("contextFields", () => {
  const tenant = new AsyncLocal<string>({ name: "tenant", flow: "thread", defaultValue: "nobody" });
  const trace = new AsyncLocal<object>({ name: "trace", flow: "wire" });
  const here = new AsyncLocal<string>({ name: "here" });

  it("is empty where nothing is set; defaults are not fields", () => {
    expect(contextFields()).toEqual({});
  });

  it("has the values of all locals that flow, by name, and no others", () => {
    tenant.run("t", () =>
      trace.run({ id: 1 }, () =>
        here.run("h", () => {
          expect(contextFields()).toEqual({ tenant: "t", trace: { id: 1 } });
        }),
      ),
    );
  });

  it("gives a copy each time: a logger may write into it", () => {
    tenant.run("t", () => {
      Object.assign(contextFields(), { msg: "line 1", tenant: "other" });
      expect(contextFields()).toEqual({ tenant: "t" });
    });
  });

  it("reads a context once", () => {
    let decoded = 0;
    const codec = {
      encode: (value: number) => String(value),
      decode(text: string) {
        decoded++;
        return Number(text);
      },
    };
    const local = new AsyncLocal<number>({ name: "counted", flow: "thread", codec });
    const context = ExecutionContext.fromCarrier(local.run(5, () => ExecutionContext.capture()!.toCarrier()));
    ExecutionContext.run(context, () => {
      for (let line = 0; line < 3; line++) expect(contextFields()).toEqual({ counted: 5 });
    });
    expect(decoded).toBe(1);
  });

  it("has carried values whose local is not known here: as JSON gives them, else their text; its codec's once it is", () => {
    const context = ExecutionContext.fromCarrier('1t4:late3:"v"T5:plain1:1w3:obj7:{"a":1}w5:other4:{not');
    ExecutionContext.run(context, () => {
      expect(contextFields()).toEqual({ late: "v", plain: "1", obj: { a: 1 }, other: "{not" });
      const codec = { encode: () => "", decode: (text: string) => `decoded ${text}` };
      const late = new AsyncLocal<string>({ name: "late", flow: "thread", codec });
      expect(contextFields()[late.name!]).toBe('decoded "v"');
    });
  });

  it("has the value of a local that a codec of another one has made", () => {
    const context = ExecutionContext.fromCarrier("1w5:begun1:1w6:maker_1:2");
    const made: AsyncLocal<string>[] = [];
    const codec = {
      encode: () => "",
      decode(text: string) {
        const begun = { encode: () => "", decode: (later: string) => `decoded ${later}` };
        if (made.length === 0) made.push(new AsyncLocal({ name: "begun", flow: "wire", codec: begun }));
        return text;
      },
    };
    const maker = new AsyncLocal<string>({ name: "maker_", flow: "wire", codec });
    ExecutionContext.run(context, () => {
      expect(contextFields()).toEqual({ begun: 1, [maker.name!]: "2" });
      expect(contextFields()).toEqual({ begun: "decoded 1", [maker.name!]: "2" });
    });
  });

  it("has nothing of storages that flow, whether this thread knows them or not", () => {
    const storage = new AsyncLocalStorage<{ secret: string }>();
    using _ = flow(storage, { name: "session" });
    storage.run({ secret: "s" }, () => expect(contextFields()).toEqual({}));
    ExecutionContext.run(ExecutionContext.fromCarrier("1S7:unknown6:secretr3:two4:null"), () =>
      expect(contextFields()).toEqual({}),
    );
  });

  it("has nothing of a storage whose flow is registered later than its store came", () => {
    const name = "session, late";
    const storage = new AsyncLocalStorage<{ secret: string }>();
    const first = flow(storage, { name });
    const carrier = storage.run({ secret: "s" }, () => ExecutionContext.capture()!.toCarrier());
    first[Symbol.dispose]();
    const check = (): void => {
      expect(contextFields()).toEqual({});
      using _ = flow(storage, { name });
      expect(contextFields()).toEqual({});
    };
    ExecutionContext.run(ExecutionContext.fromCarrier(carrier), check);
    // From a local of that name: on this thread it is a store.
    ExecutionContext.run(ExecutionContext.fromCarrier("1T10:late store6:secret"), () => {
      using _ = flow(storage, { name: "late store" });
      expect(contextFields()).toEqual({});
    });
    // From a storage, for a local of this thread.
    const local = new AsyncLocal<object>({ name, flow: "thread" });
    ExecutionContext.run(ExecutionContext.fromCarrier(carrier), () => {
      expect(local.value).toEqual({ secret: "s" });
      expect(contextFields()).toEqual({});
    });
  });

  it("has the ids of OpenTelemetry's active span, real API and context manager", () => {
    const manager = new StorageContextManager();
    context.setGlobalContextManager(manager);
    try {
      const ids = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 };
      expect(contextFields()).toEqual({});
      context.with(spans.setSpanContext(ROOT_CONTEXT, ids), () => {
        tenant.run("t", () =>
          expect(contextFields()).toEqual({ trace_id: ids.traceId, span_id: ids.spanId, tenant: "t" }),
        );
      });
      // Without an SDK a span has ids that are none.
      spans
        .getTracer("none")
        .startActiveSpan("work", () =>
          tenant.run("t", () => expect(contextFields()).toEqual({ tenant: "t" })),
        );
      expect(contextFields()).toEqual({});
    } finally {
      context.disable();
    }
  });

  it("leaves out a value that its codec refuses", () => {
    ExecutionContext.run(ExecutionContext.fromCarrier('1t6:tenant1:{w5:trace7:{"a":1}'), () =>
      expect(contextFields()).toEqual({ trace: { a: 1 } }),
    );
  });

  it("sees the new value after a set", () => {
    ExecutionContext.isolate(() => {
      tenant.value = "a";
      expect(contextFields()).toEqual({ tenant: "a" });
      tenant.value = "b";
      expect(contextFields()).toEqual({ tenant: "b" });
      using _ = ExecutionContext.suppressFlow();
      expect(contextFields()).toEqual({ tenant: "b" });
    });
  });

  it("a local named __proto__ is a field like any other", () => {
    const evil = new AsyncLocal<object>({ name: "__proto__", flow: "thread" });
    evil.run({ polluted: true }, () => {
      const fields = contextFields();
      expect(Object.keys(fields)).toEqual(["__proto__"]);
      expect((fields as { polluted?: unknown }).polluted).toBeUndefined();
    });
  });
});

/** As that of the SDK. */
class StorageContextManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();
  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    entered: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(entered, () => fn.apply(thisArg, args));
  }
  bind<T>(_: Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}
