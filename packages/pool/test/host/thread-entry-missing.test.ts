import { describe, expect, it } from "vitest";
import { SkeinError } from "@skein/context/errors";
import { explained, noThreadEntry } from "../../src/host/thread-entry-missing.ts";

describe("an error that ended a thread, when the thread entry is there", () => {
  it.each([
    ["another module was not found", Object.assign(new Error("x"), { code: "MODULE_NOT_FOUND" })],
    ["another ES module was not found", Object.assign(new Error("x"), { code: "ERR_MODULE_NOT_FOUND" })],
    ["anything else", new Error("x")],
    ["no error", undefined],
    ["null", null],
  ])("is left as it is: %s", (_, error) => {
    expect(explained(error)).toBe(error);
  });
});

describe("the error for a bundle without a thread entry", () => {
  it("says what to do and keeps what Node said", () => {
    const cause = new Error("Cannot find module");
    const error = noThreadEntry(cause);
    expect(SkeinError.isSkeinError(error)).toBe(true);
    expect(error).toMatchObject({ code: "ERR_SKEIN_THREAD_ENTRY", cause });
    expect(error.message).toContain("add @skein/unplugin to the bundler");
    expect(error.message).toContain("https://");
  });
});
