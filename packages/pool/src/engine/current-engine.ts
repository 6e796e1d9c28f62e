/** The pool as a job of it sees it. */
import { InvalidOperationError } from "@skein/context/errors";
import { Task } from "@skein/scheduling";
import { BaseEngine } from "./base-engine.ts";
import type { CurrentPool } from "../worker/current-pool.ts";

export class CurrentEngine extends BaseEngine {
  constructor({ submitter, functions, places }: CurrentPool) {
    super({
      functions: submitter.functions,
      maxThreads: () => places.maxThreads,
      refusal: () => null,
      exportOf: functions.lookUpExport,
      submit: (...job) => submitter.jobs.submit(...job).task,
    });
  }

  override close(): Task<void> {
    return Task.fromError(
      new InvalidOperationError("A job cannot close the pool that runs it; close it where it was made"),
    );
  }
}
