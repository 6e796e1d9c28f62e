/** The pool as a job of it sees it. */
import { InvalidOperationError } from "@skein/context/errors";
import { Task } from "@skein/scheduling";
import { BaseEngine } from "./base-engine.ts";
import type { CurrentPool } from "../worker/thread-of-pool.ts";
import type { FunctionEntry } from "../submit/function-registry.ts";
import { type EngineCapabilities, everyCapability } from "./capabilities.ts";

/** A job cannot reach all threads, nor choose one: a thread that waits for what only it may run would wait for ever. */
const currentCapabilities: EngineCapabilities = Object.freeze({
  ...everyCapability,
  placement: false,
  broadcast: false,
});

export class CurrentEngine extends BaseEngine<FunctionEntry> {
  constructor({ submitter, functions, places }: CurrentPool) {
    super({
      name: "ThreadPool.current",
      capabilities: currentCapabilities,
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
