/** The smallest engine there can be: jobs on a Worker of one's own. By the public entries of the pool alone. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { PoolClosedError, ThreadCrashedError } from "@skein/pool";
import {
  announceClosing,
  BaseEngine,
  type CloseOptions,
  EngineJobs,
  everyCapability,
  type JobEnds,
  JobFunctions,
  type JobReply,
  resolveCloseOptions,
} from "@skein/pool/engine";
import type { Task } from "@skein/scheduling";

/** The Worker takes its jobs in their order, and nobody ends it. */
const capabilities = Object.freeze({
  ...everyCapability,
  priorities: false,
  terminate: false,
  exclusive: false,
  placement: false,
  broadcast: false,
  streams: false,
  streamArguments: false,
  timeline: false,
});

export class WorkerEngine extends BaseEngine {
  readonly #jobs: EngineJobs;
  readonly #waiting = new Map<number, JobEnds>();
  #worker: Worker | null = null;
  #lastId = 0;

  constructor() {
    const jobs = new EngineJobs({
      isElsewhere: true,
      carry: ({ request, transfer }, ends) => {
        this.#worker ??= this.#start();
        const id = ++this.#lastId;
        this.#worker.postMessage([id, request], transfer);
        this.#waiting.set(id, ends);
      },
    });
    super({
      name: "WorkerEngine",
      capabilities,
      functions: new JobFunctions(),
      maxThreads: () => 1,
      refusal: () => (jobs.isClosed ? new PoolClosedError() : null),
      exportOf: () => undefined,
      submit: (...job) => jobs.submit(...job),
    });
    this.#jobs = jobs;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./worker-engine.thread.ts", import.meta.url));
    worker.on("message", ([id, reply]: [number, JobReply]) => {
      const ends = this.#waiting.get(id);
      this.#waiting.delete(id);
      ends?.arrived(reply);
    });
    worker.on("exit", (code) => {
      this.#worker = null;
      const lost = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const ends of lost) ends.failed(new ThreadCrashedError(code));
    });
    return worker;
  }

  override close(options?: CloseOptions): Task<void> {
    const { drain, timeoutMs } = resolveCloseOptions(options);
    const closed = this.#jobs.close(drain, timeoutMs);
    announceClosing(this);
    return closed;
  }

  async end(): Promise<void> {
    await this.close();
    if (this.#worker === null) return;
    const exit = once(this.#worker, "exit");
    await this.#worker.terminate();
    await exit;
  }
}
