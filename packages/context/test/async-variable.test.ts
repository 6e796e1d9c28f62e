import { describe, expect, it } from "vitest";
import { untyped } from "./untyped.ts";
import { AsyncLocal, AsyncVariable, ExecutionContext } from "@skein/context";

describe("AsyncVariable", () => {
  it("has a name and a default, and get gives the value of the innermost run", () => {
    const variable = new AsyncVariable<string>({ name: "v", defaultValue: "default" });
    expect([variable.name, variable.get()]).toEqual(["v", "default"]);
    expect(new AsyncVariable().name).toBe("");
    const seen = variable.run("outer", () => [
      variable.get(),
      variable.run("inner", () => variable.get()),
      variable.get(),
    ]);
    expect(seen).toEqual(["outer", "inner", "outer"]);
    expect(variable.get()).toBe("default");
  });

  it("can be undefined where it has a default", () => {
    const variable = new AsyncVariable<string | undefined>({ defaultValue: "default" });
    expect(variable.run(undefined, () => variable.get())).toBeUndefined();
  });

  it("passes arguments, the result and errors", () => {
    const variable = new AsyncVariable<number>();
    expect(variable.run(1, (a: number, b: number) => a + b + variable.get()!, 2, 3)).toBe(6);
    const fail = (): never => {
      throw new Error("inside");
    };
    expect(() => variable.run(1, fail)).toThrow("inside");
    expect(variable.get()).toBeUndefined();
  });

  it("lives in the same context as AsyncLocals and never leaves the thread", async () => {
    const variable = new AsyncVariable<string>({ name: "v" });
    const local = new AsyncLocal<string>();
    const context = variable.run("v", () => local.run("l", () => ExecutionContext.capture()!));
    expect(context.toCarrier()).toBeNull();
    const seen = await ExecutionContext.run(context, async () => {
      await Promise.resolve();
      return [variable.get(), local.value];
    });
    expect(seen).toEqual(["v", "l"]);
  });

  it("keeps a suppression of flow", () => {
    using _ = ExecutionContext.suppressFlow();
    expect(new AsyncVariable<number>().run(1, () => ExecutionContext.isFlowSuppressed())).toBe(true);
  });

  it("refuses wrong arguments", () => {
    const typeError = expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" });
    expect(() => new AsyncVariable({ name: untyped(1) })).toThrow(typeError);
    expect(() => new AsyncVariable(untyped(null))).toThrow(typeError);
    expect(() => new AsyncVariable().run(1, untyped(undefined))).toThrow(typeError);
  });
});
