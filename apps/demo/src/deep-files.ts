/**
 * A thread with a large stack, for the rare file that nests too deeply to be parsed on an ordinary one.
 *
 * The main thread's stack and a worker's differ in size, and how much of it a recursion takes depends on what V8 has
 * optimised so far. Where the parser runs out is therefore a matter of luck. Such files come here, whatever thread met them
 * first, so that the result does not depend on the number of threads. The thread starts with the first of them.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { ExecutionContext } from "@skein/context";
import type { DeepRequest } from "./deep-thread.ts";
import type { AnalysisOptions, FileReport } from "./file-report.ts";

const STACK_SIZE_MB = 64;

export class DeepFiles {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Analyses one file after the other, under the caller's context. Rejects when the thread dies. */
  analyse(path: string, options: AnalysisOptions): Promise<FileReport> {
    const context = ExecutionContext.capture()?.toCarrier() ?? null;
    const report = this.#last.then(() => this.#ask({ path, options, context }));
    this.#last = report.catch(() => undefined);
    return report;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  async #ask(request: DeepRequest): Promise<FileReport> {
    const worker = (this.#worker ??= startThread());
    const exited = new AbortController();
    const onExit = (): void => exited.abort(new Error("the thread with the large stack ended"));
    worker.once("exit", onExit);
    try {
      worker.postMessage(request);
      const [report] = (await once(worker, "message", { signal: exited.signal })) as [FileReport];
      return report;
    } catch (error) {
      this.#worker = undefined;
      throw exited.signal.aborted ? exited.signal.reason : error;
    } finally {
      worker.off("exit", onExit);
    }
  }
}

function startThread(): Worker {
  const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  const worker = new Worker(new URL(`./deep-thread${extension}`, import.meta.url), {
    resourceLimits: { stackSizeMb: STACK_SIZE_MB },
  });
  worker.unref();
  return worker;
}
