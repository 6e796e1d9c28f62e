import { SkeinError } from "@skein/context/errors";
import { describe, expect, it } from "vitest";

import {
  JobCanceledError,
  JobModuleError,
  JobNotFoundError,
  JobTimeoutError,
  NotCloneableError,
  PoolClosedError,
  QueueFullError,
  ThreadCrashedError,
} from "../src/errors.ts";
import { inheriting } from "./inherited.ts";

describe("errors of the pool", () => {
  it.each<[error: SkeinError, name: string, code: string, advice: RegExp]>([
    [new JobCanceledError("r"), "AbortError", "ERR_SKEIN_JOB_CANCELED", /`reason`/],
    [new JobTimeoutError(50), "JobTimeoutError", "ERR_SKEIN_JOB_TIMEOUT", /50 ms.*`timeoutMs`/],
    [
      new JobTimeoutError(50, { limit: "runTimeoutMs" }),
      "JobTimeoutError",
      "ERR_SKEIN_JOB_TIMEOUT",
      /50 ms of its start.*`runTimeoutMs`/,
    ],
    [
      new ThreadCrashedError(3),
      "ThreadCrashedError",
      "ERR_SKEIN_THREAD_CRASHED",
      /code 3 .*`process.exit\(3\)`.*`retries`/,
    ],
    [
      new QueueFullError("maxQueue", 8),
      "QueueFullError",
      "ERR_SKEIN_QUEUE_FULL",
      /maxQueue is 8.*raise `maxQueue`/,
    ],
    [new PoolClosedError(), "PoolClosedError", "ERR_SKEIN_POOL_CLOSED", /create a new pool/],
    [
      new JobNotFoundError("file:///a.ts", "x", ["y", "z"]),
      "JobNotFoundError",
      "ERR_SKEIN_JOB_NOT_FOUND",
      /exports y, z/,
    ],
    [new JobModuleError("file:///a.ts", "why"), "JobModuleError", "ERR_SKEIN_JOB_MODULE", /why/],
    [
      new NotCloneableError("args[0].f", "is a function"),
      "NotCloneableError",
      "ERR_SKEIN_NOT_CLONEABLE",
      /^args\[0\]\.f is/,
    ],
  ])("%s has a stable code, a name and says what to do", (error, name, code, advice) => {
    expect(error).toMatchObject({ name, code, message: expect.stringMatching(advice) });
    expect(SkeinError.isSkeinError(error)).toBe(true);
    expect(error).toBeInstanceOf(Error);
  });

  it("carry what a program needs", () => {
    const cause = new Error("inside");
    const reason = { because: 1 };
    expect(new JobCanceledError(reason).reason).toBe(reason);
    expect(new JobTimeoutError(50).timeoutMs).toBe(50);
    expect(new ThreadCrashedError(3, { cause })).toMatchObject({ exitCode: 3, cause });
    expect(new ThreadCrashedError(undefined).message).toMatch(/could be started/);
    expect(new QueueFullError("maxQueue", 8)).toMatchObject({ limit: "maxQueue", value: 8 });
    expect(new JobNotFoundError("file:///a.ts", "x", [])).toMatchObject({
      url: "file:///a.ts",
      exportName: "x",
    });
    expect(new NotCloneableError("result", "is a symbol").path).toBe("result");
  });

  it("say why a thread ended: what it threw, process.exit, or the pool", () => {
    const texts = [{ cause: new Error("x") }, {}, { wasTerminated: true }].map(
      (options) => new ThreadCrashedError(3, options).message,
    );
    expect(texts[0]).toMatch(/Look at `cause`/);
    expect(texts[1]).toMatch(/`process\.exit\(3\)`/);
    expect(texts[1]).not.toMatch(/cause/);
    expect(texts[2]).toMatch(/The pool terminated it/);
    expect(texts[2]).not.toMatch(/cause|process\.exit/);
  });

  it("say nothing that plain objects inherit", () => {
    const make = () => [
      new ThreadCrashedError(3),
      new ThreadCrashedError(3, { wasTerminated: true }).forOneJob(),
      new JobTimeoutError(50, {}),
    ];
    const before = make();
    const inherited = {
      detail: "yesterday",
      pid: 1,
      signal: "SIGKILL",
      cause: "nobody",
      limit: "runTimeoutMs",
    };
    const after = inheriting({ ...inherited, wasTerminated: true }, make);
    for (const [i, error] of after.entries()) {
      expect(error.message).toBe(before[i]!.message);
      expect(Object.keys(error)).toEqual(Object.keys(before[i]!));
      expect(Object.hasOwn(error, "cause")).toBe(false);
    }
    const errorWithMessage = inheriting({ message: "nothing" }, () => new ThreadCrashedError(3));
    expect(errorWithMessage.message).toBe(before[0]!.message);
  });

  it("of a thread are made anew for each of its jobs", () => {
    const cause = new Error("inside");
    const error = new ThreadCrashedError(3, { cause, detail: "long ago" });
    const other = error.forOneJob();
    expect(other).not.toBe(error);
    expect(other).toMatchObject({ exitCode: 3, cause, message: error.message });
    expect(error.beforeItBegan()).toMatchObject({
      exitCode: 3,
      cause,
      message: expect.stringMatching(/before this job began/),
    });
    expect(Object.hasOwn(new ThreadCrashedError(3).forOneJob(), "cause")).toBe(false);
  });

  it("suggest the nearest job", () => {
    const missing = (name: string, available: string[]) =>
      new JobNotFoundError("file:///a.ts", name, available);
    expect(missing("aera", ["area", "perimeter"]).message).toMatch(
      /no exported function "aera"\. Did you mean "area"\? It exports area, perimeter$/,
    );
    expect(missing("zzz", ["area"]).message).toMatch(/"zzz"\. It exports area$/);
    expect(missing("area", []).message).toMatch(/exports no functions/);
    expect(
      missing(
        "a",
        Array.from({ length: 20 }, (_, i) => `job${i}`),
      ).message,
    ).toMatch(/job11, …$/);
  });
});
