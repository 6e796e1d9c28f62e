import { afterEach, describe, expect, it } from "vitest";
import { captureCallerFrames, frameLines, withCallerFrames } from "../../src/submit/caller-frames.ts";

function submit(): ReturnType<typeof captureCallerFrames> {
  return captureCallerFrames(submit, true);
}

const before = { ...Object.getOwnPropertyDescriptors(Error) };
afterEach(() => {
  Object.defineProperty(Error, "stackTraceLimit", before.stackTraceLimit);
  Object.defineProperty(Error, "prepareStackTrace", before.prepareStackTrace);
});

describe("the frames of whoever submits", () => {
  it("are the lines below the function that is named, eight at most", () => {
    Error.stackTraceLimit = 50;
    function theCaller(depth: number): ReturnType<typeof captureCallerFrames> {
      return depth === 0 ? submit() : theCaller(depth - 1);
    }
    const lines = frameLines(theCaller(20))!.split("\n");
    expect(lines).toHaveLength(8);
    expect(lines[0]).toMatch(/^\s+at theCaller .*caller-frames\.test\.ts/);
    expect(Error.stackTraceLimit).toBe(50);
  });

  it("are as many as the program allows, or none", () => {
    Error.stackTraceLimit = 2;
    expect(frameLines(submit())!.split("\n")).toHaveLength(2);
    Error.stackTraceLimit = 0;
    expect(frameLines(submit())).toBeUndefined();
    Error.stackTraceLimit = undefined as never;
    expect(frameLines(submit())).toBeUndefined();
    expect(Error.stackTraceLimit).toBeUndefined();
  });

  it("go through the program's formatter, which may return call sites", () => {
    Error.prepareStackTrace = (_, sites) => sites;
    expect(frameLines(submit())!.split("\n")[0]).toMatch(/^ {4}at .*caller-frames\.test\.ts/);
    Error.prepareStackTrace = () => "Error\n    at mapped (source.ts:1:1)";
    expect(frameLines(submit())).toBe("    at mapped (source.ts:1:1)");
  });

  it.each<[what: string, formatter: () => unknown]>([
    ["an object", () => ({})],
    ["undefined", () => undefined],
    ["a text without frames", () => "no frames here"],
    ["a list of what cannot be text", () => [Object.create(null)]],
    ["an error", () => { throw new Error("formatter"); }], // prettier-ignore
  ])("are left out when the formatter gives %s", (_what, formatter) => {
    Error.prepareStackTrace = formatter;
    expect(frameLines(submit())).toBeUndefined();
    const error = Object.defineProperty(new Error("x"), "stack", { value: "own", configurable: true });
    expect(withCallerFrames(error, submit()).stack).toBe("own");
  });

  it("go below the stack of an error of the engine", () => {
    const error = withCallerFrames(new RangeError("x"), submit());
    expect(error.stack).toMatch(
      /^RangeError: x\n[^]*\n {4}at \[job submitted from\]\n {4}at .*caller-frames\.test\.ts/,
    );
    expect(Object.keys(error)).toEqual([]);
    expect(withCallerFrames(error, null)).toBe(error);
  });
});
