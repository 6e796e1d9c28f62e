import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { AsyncLocal, AsyncVariable } from "@skein/context";
import { nearestName, ownOptions, refuseUnknownOptions } from "@skein/context/errors";
import { contextHeaders, correlation } from "@skein/context/http";
import { untyped } from "./untyped.ts";

const known = { timeoutMs: true, maxThreads: true, name: true } as const;

describe("options", () => {
  it("that are unknown are refused, with the one that was probably meant", () => {
    expect(() => refuseUnknownOptions({ timeout: 5 }, known)).toThrow(
      expect.objectContaining({
        name: "TypeError",
        code: "ERR_SKEIN_UNKNOWN_OPTION",
        message: "Unknown option `timeout` in `options`. Did you mean `timeoutMs`?",
      }),
    );
    expect(() => refuseUnknownOptions({ filename: "x" }, known, "poolOptions")).toThrow(
      "Unknown option `filename` in `poolOptions`. Known options: timeoutMs, maxThreads, name",
    );
    expect(() => refuseUnknownOptions({ toString: undefined }, known)).toThrow("Unknown option `toString`");
  });

  it.each([
    ["timeoutms", "timeoutMs"],
    ["abortSignal", "signal"],
    ["retry", "retries"],
    ["retires", "retries"],
    ["maxThread", "maxThreads"],
  ])("`%s` was probably meant to be `%s`", (given, meant) => {
    expect(nearestName(given, ["signal", "timeoutMs", "retries", "maxThreads"])).toBe(meant);
  });

  it.each(["workerData", "x", "toString", "a".repeat(10_000)])("nothing is near %.20s", (given) => {
    expect(nearestName(given, ["signal", "timeoutMs", "retries", "maxThreads"])).toBeUndefined();
  });

  it("are read once each, and none of a bag that is refused", () => {
    let reads = 0;
    const bag = {
      get name(): string {
        return `${++reads}`;
      },
    };
    expect(ownOptions<{ name?: string }>(bag, { name: true }).name).toBe("1");
    expect(() => ownOptions(untyped(Object.assign(Object.create(null), { y: 1 })), {})).toThrow("`y`");
    expect(reads).toBe(1);
  });

  it("are the own enumerable ones: what was inherited, hidden or is a symbol is neither read nor refused", () => {
    const inherited = Object.create({ timeoutMs: 1, other: 2 }) as { name?: string; timeoutMs?: number };
    inherited.name = "x";
    Object.defineProperty(inherited, "hidden", { value: 1 });
    Object.assign(inherited, { [Symbol("s")]: 1 });
    const own = ownOptions(inherited, { name: true, timeoutMs: true });
    expect([own.name, own.timeoutMs, Object.getPrototypeOf(own)]).toEqual(["x", undefined, null]);
  });

  it("are no instance of a class without any: a signal is none", () => {
    const { signal } = new AbortController();
    expect(() => refuseUnknownOptions(signal, { ...known, signal: true })).toThrow(
      expect.objectContaining({
        code: "ERR_SKEIN_INVALID_ARG_TYPE",
        message:
          "Expected `options` to be an object with options, such as { signal }, got an instance of AbortSignal",
      }),
    );
    for (const other of [new Map(), [], new Date()])
      expect(() => refuseUnknownOptions(other, known)).toThrow("an object with options");
    class Options {
      timeoutMs = 1;
    }
    const ofOtherRealm = runInNewContext("({})") as object;
    for (const bag of [
      {},
      Object.create(null),
      Object.create({ x: 1 }),
      ofOtherRealm,
      new Options(),
    ] as object[])
      expect(() => refuseUnknownOptions(bag, known)).not.toThrow();
  });

  it("are an object or undefined", () => {
    expect(ownOptions(undefined, {})).toEqual({});
    for (const wrong of [null, 5, "x", [], () => 1]) {
      expect(() => ownOptions(untyped(wrong), {}, "bag")).toThrow("Expected `bag` to be an object");
    }
  });

  it("are checked wherever this package takes any", () => {
    expect(() => new AsyncLocal(untyped({ nam: "x" }))).toThrow("Did you mean `name`?");
    expect(() => new AsyncVariable(untyped({ default: 1 }))).toThrow("Did you mean `defaultValue`?");
    expect(() => correlation(untyped({ headers: "x" }))).toThrow("Did you mean `header`?");
    expect(() => contextHeaders(untyped({ locals: "x" }))).toThrow("Did you mean `local`?");
    expect(() => contextHeaders(untyped({ local: {} }))).toThrow(
      "Expected `options.local` to be an AsyncLocal",
    );
    expect(() => contextHeaders({ header: "a b" })).toThrow("Expected `options.header` to be the name");
  });
});

describe("the nearest name", () => {
  it.each([
    ["maxThread", "maxThreads"],
    ["TIMEOUTMS", "timeoutMs"],
    ["tiemoutMs", "timeoutMs"],
    ["nmae", "name"],
    ["x", undefined],
    ["", undefined],
    ["entirely different", undefined],
  ])("to %o is %o", (name, nearest) => {
    expect(nearestName(name, Object.keys(known))).toBe(nearest);
  });
});
