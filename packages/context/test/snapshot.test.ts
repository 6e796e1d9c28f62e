import { describe, expect, it } from "vitest";
import { untyped } from "./untyped.ts";
import { AsyncLocal, AsyncVariable, Snapshot } from "@skein/context";

describe("Snapshot", () => {
  const variable = new AsyncVariable<string>();
  const local = new AsyncLocal<string>();

  it("runs with the values of its construction, and puts the caller's back", () => {
    const snapshot = variable.run("then", () => local.run("then", () => new Snapshot()));
    variable.run("now", () => {
      const seen = snapshot.run((n: number) => {
        const read = [n, variable.get(), local.value];
        local.value = "does not escape";
        return read;
      }, 1);
      expect(seen).toEqual([1, "then", "then"]);
      expect([variable.get(), local.value]).toEqual(["now", undefined]);
      expect(snapshot.run(() => local.value)).toBe("then");
    });
  });

  it("wrap keeps the values, passes this, arguments and result", () => {
    const wrapped = variable.run("then", () =>
      Snapshot.wrap(function read(this: { base: number }, more: number) {
        return [this.base + more, variable.get()];
      }),
    );
    expect(wrapped.call({ base: 1 }, 2)).toEqual([3, "then"]);
    expect(variable.get()).toBeUndefined();
  });

  it("refuses what is not a function", () => {
    const typeError = expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" });
    expect(() => new Snapshot().run(untyped(null))).toThrow(typeError);
    expect(() => Snapshot.wrap(untyped({}))).toThrow(typeError);
  });
});
