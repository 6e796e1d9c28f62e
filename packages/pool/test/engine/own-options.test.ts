import { describe, expect, it } from "vitest";
import { ownOptions } from "../../src/engine/own-options.ts";

interface Bag {
  readonly signal?: unknown;
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly maxThreads?: number;
}
const known = { signal: true, timeoutMs: true, retries: true, maxThreads: true } as const;

describe("an option bag", () => {
  it.each([
    ["timeout", "timeoutMs"],
    ["timeoutms", "timeoutMs"],
    ["abortSignal", "signal"],
    ["retry", "retries"],
    ["retires", "retries"],
    ["maxThread", "maxThreads"],
  ])("refuses `%s` and suggests `%s`", (given, meant) => {
    expect(() => ownOptions<Bag>({ [given]: undefined }, known)).toThrow(
      expect.objectContaining({
        name: "TypeError",
        code: "ERR_SKEIN_UNKNOWN_OPTION",
        message: `Unknown option \`${given}\` in \`options\`. Did you mean \`${meant}\`?`,
      }),
    );
  });

  it.each(["workerData", "x", "toString", "a".repeat(10_000)])("lists all options for %.20s", (given) => {
    expect(() => ownOptions<Bag>({ [given]: 1 }, known, "defaults")).toThrow(
      "in `defaults`. Known options: signal, timeoutMs, retries, maxThreads",
    );
  });

  it("reads each getter once, and none of a bag that it refuses", () => {
    let reads = 0;
    const bag = {
      get retries(): number {
        return ++reads;
      },
    };
    expect(ownOptions<Bag>(bag, known)).toEqual({ retries: 1 });
    expect(() => ownOptions<Bag>(Object.assign(bag, { other: 1 }), known)).toThrow("other");
    expect(reads).toBe(1);
  });

  it("has its own properties only", () => {
    expect(ownOptions<Bag>(Object.create({ retries: 1, unknown: 2 }) as Bag, known).retries).toBeUndefined();
    expect(Object.getPrototypeOf(ownOptions<Bag>({}, known))).toBeNull();
  });

  it.each([null, 3, "x", () => 1, []])("is not %o", (options) => {
    expect(() => ownOptions<Bag>(options as never, known, "trace")).toThrow(
      "Expected `trace` to be an object",
    );
  });
});
