import { SkeinError } from "@skein/context/errors";
import { describe, expect, it } from "vitest";
import {
  InvalidOperationError,
  OperationCanceledError,
  TaskSchedulerError,
  TimeoutError,
} from "../src/index.ts";

describe("errors", () => {
  it("OperationCanceledError is an AbortError that keeps token and reason untouched", () => {
    const { signal } = new AbortController();
    const reason = { why: "enough" };
    const error = new OperationCanceledError("stopped", { token: signal, reason, cause: 1 });
    expect(error).toMatchObject({
      name: "AbortError",
      code: "ERR_SKEIN_OPERATION_CANCELED",
      message: "stopped",
      cause: 1,
    });
    expect(error.token).toBe(signal);
    expect(error.reason).toBe(reason);
    expect("cause" in new OperationCanceledError()).toBe(false);
  });

  it.each([
    [new OperationCanceledError(), "AbortError", "ERR_SKEIN_OPERATION_CANCELED"],
    [new TimeoutError(), "TimeoutError", "ERR_SKEIN_TIMEOUT"],
    [new TaskSchedulerError(new Error("cause")), "TaskSchedulerError", "ERR_SKEIN_TASK_SCHEDULER"],
    [new InvalidOperationError("message"), "InvalidOperationError", "ERR_SKEIN_INVALID_OPERATION"],
  ])("%s has a stable name and code, and is recognised as Skein's", (error, name, code) => {
    expect(error.name).toBe(name);
    expect(error.code).toBe(code);
    expect(error).toBeInstanceOf(Error);
    expect(SkeinError.isSkeinError(error)).toBe(true);
  });
});
