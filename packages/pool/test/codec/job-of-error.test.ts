import { expect, it } from "vitest";
import { jobLabel, withJob } from "../../src/codec/job-of-error.ts";
import { JobTimeoutError } from "../../src/errors.ts";

it("a job is shown with its module, if it has one", () => {
  expect(jobLabel("area", "file:///app/geo.jobs.ts")).toBe("area (file:///app/geo.jobs.ts)");
  expect(jobLabel("n => n + 1")).toBe("n => n + 1");
});

it.each([false, true])("an error names its job: property, message, stack; read before: %s", (wasRead) => {
  const error = new JobTimeoutError(50);
  const { message } = error;
  const header = wasRead ? error.stack!.split("\n")[0] : `JobTimeoutError: ${message}`;
  expect(header).toBe(`JobTimeoutError: ${message}`);
  expect(withJob(error, "area (file:///a.ts)")).toBe(error);
  expect(error.job).toBe("area (file:///a.ts)");
  expect(error.message).toBe(`${message}. Job: area (file:///a.ts)`);
  expect(error.stack!.split("\n")[0]).toBe(`JobTimeoutError: ${error.message}`);
});

it("an error that names a job keeps it: it came from a job of that job", () => {
  const error = withJob(withJob(new JobTimeoutError(50), "inner"), "outer");
  expect(error.job).toBe("inner");
  expect(error.message).toMatch(/Job: inner$/);
});
