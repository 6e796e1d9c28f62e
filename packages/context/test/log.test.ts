import { describe, expect, it } from "vitest";
import { AsyncLocal, ExecutionContext } from "@skein/context";
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

  it("finds a carried value once its local is defined", () => {
    const context = ExecutionContext.fromCarrier('1t4:late3:"v"');
    ExecutionContext.run(context, () => {
      expect(contextFields()).toEqual({});
      const late = new AsyncLocal<string>({ name: "late", flow: "thread" });
      expect(contextFields()).toEqual({ [late.name!]: "v" });
    });
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
