/**
 * A thread with a large stack, for the rare file that nests too deeply to be parsed on an ordinary one.
 *
 * The main thread's stack and a worker's differ in size, and how much of it a recursion takes depends on what V8 has
 * optimised so far. Where the parser runs out is therefore a matter of luck. Such files come here, whatever thread met them
 * first, so that the result does not depend on the number of threads. The thread starts with the first of them.
 */
import { Worker } from "node:worker_threads";
import { ExecutionContext } from "@skein/context";
import type { DeepRequest } from "./deep-thread.ts";
import type { AnalysisOptions, FileReport } from "./file-report.ts";

const STACK_SIZE_MB = 64;

export class DeepFiles {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Analyses one file after the other, under the caller's context. Rejects when the thread dies. */
  analyse(path: string, options: AnalysisOptions, signal: AbortSignal): Promise<FileReport> {
    const context = ExecutionContext.capture()?.toCarrier() ?? null;
    const report = this.#last.then(() => {
      signal.throwIfAborted();
      return this.#ask({ path, options, context }, signal);
    });
    this.#last = report.catch(() => undefined);
    return report;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(request: DeepRequest, signal: AbortSignal): Promise<FileReport> {
    const worker = (this.#worker ??= startThread());
    const { promise, resolve, reject } = Promise.withResolvers<FileReport>();
    const onError = (error: unknown): void => {
      this.#worker = undefined;
      reject(error);
    };
    const onExit = (): void => onError(new Error("the thread with the large stack ended"));
    // The parser asks nobody whether it is still wanted.
    const onAbort = (): void => {
      onError(signal.reason);
      void worker.terminate();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    worker.once("message", resolve).once("error", onError).once("exit", onExit).ref();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(request);
    return promise.finally(() => {
      signal.removeEventListener("abort", onAbort);
      worker.off("message", resolve).off("error", onError).off("exit", onExit).unref();
    });
  }
}

function startThread(): Worker {
  const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  return new Worker(new URL(`./deep-thread${extension}`, import.meta.url), {
    resourceLimits: { stackSizeMb: STACK_SIZE_MB },
  });
}
