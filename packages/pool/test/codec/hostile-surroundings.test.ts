import { describe, expect, it } from "vitest";

import { runScript } from "../run-script.ts";

describe("values and errors cross", () => {
  it.each([
    "nothing special",
    "frozen Object.prototype",
    "frozen built-ins",
    "frozen Error",
    "a stack limit that is read-only",
    "a stack limit that is missing",
    "a stack limit whose accessors throw",
    "a formatter that returns call sites",
    "a formatter that returns an object",
    "a formatter that throws",
    "iterators that are patched",
    "arrays without an iterator",
    "Array.prototype that is patched",
    "Map and Set that are patched",
    "String.prototype that is patched",
    "RegExp.prototype that is patched",
    "typed arrays that are patched",
    "Function.prototype that is patched",
    "Object.prototype that is patched",
    "Object and Reflect that are patched",
    "globals that are gone",
    "Object.prototype with names of descriptors",
    "Object.prototype with a read-only property",
    "Object.prototype with an accessor",
    "Object.prototype with an accessor that throws",
  ])("with %s", async (name) => {
    const { code, stdout, stderr } = await runScript("hostile-codec.ts", name);
    expect(stderr).toBe("");
    expect(stdout).toBe("ok");
    expect(code).toBe(0);
  });
});
