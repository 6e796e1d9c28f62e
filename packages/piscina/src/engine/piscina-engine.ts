/** Skein's jobs on a Piscina that the program has. */
import { fileURLToPath, URL } from "node:url";
import { type LostJob, PoolClosedError, ThreadCrashedError } from "@skein/pool";
import {
  announceClosing,
  BaseEngine,
  type CarriedJob,
  type CloseOptions,
  type EngineCapabilities,
  EngineJobs,
  everyCapability,
  JobFunctions,
  type JobReply,
  resolveCloseOptions,
} from "@skein/pool/engine";
import type { Task } from "@skein/scheduling";
import { AbortController } from "../intrinsics.ts";
import { infrastructureError } from "./piscina-error.ts";
import { checkPool, type PiscinaPool } from "./piscina-pool.ts";
import { ThreadExits } from "./thread-exits.ts";

/** Its queue is the Piscina's own, and nobody there reaches every thread. */
const capabilities: EngineCapabilities = Object.freeze({
  ...everyCapability,
  priorities: false,
  placement: false,
  broadcast: false,
  streams: false,
  streamArguments: false,
  timeline: false,
});

const filename: string = fileURLToPath(
  new URL(`./thread${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url),
);

/**
 * Runs Skein's jobs on an unmodified Piscina, version 5.3, beside the program's own tasks: with the caller's context, policies, progress,
 * deadlines and errors as on a ThreadPool.
 *
 * A job that is cancelled is asked to stop, and its thread stays; only with `onCancel: "terminate"` does Piscina end the thread. Piscina runs such
 * jobs, and `exclusive` ones, alone on their thread. Waiting jobs lie in Piscina's queue, in its order and under its `maxQueue`
 * (QueueFullError). A job that was given up stays there until a thread comes to it and finds that out. When the Piscina is closed or destroyed, jobs reject with
 * PoolClosedError.
 *
 * @example
 * const engine = new PiscinaEngine(new Piscina());
 * const area = await engine.run(jobs.area, [polygon], { timeoutMs: 1000 });
 * @see https://github.com/piscinajs/piscina
 */
export class PiscinaEngine extends BaseEngine {
  readonly #jobs: EngineJobs;

  /** @throws TypeError for what is no Piscina. */
  constructor(piscina: PiscinaPool) {
    checkPool(piscina);
    const exits = ThreadExits.of(piscina);
    const ending = new WeakMap<CarriedJob, AbortController>();
    const jobs = new EngineJobs({
      isElsewhere: true,
      carry(job, ends) {
        const { request, transfer, options } = job;
        // Piscina runs what can be aborted alone.
        const controller = options.isExclusive ? new AbortController() : null;
        if (controller !== null) ending.set(job, controller);
        exits.look();
        const run = piscina.run(request, {
          filename,
          name: "run",
          transferList: [...transfer],
          ...(controller !== null && { signal: controller.signal }),
        });
        run.then(
          (reply: JobReply) => ends.arrived(reply),
          (error: unknown) => {
            const hadThread = job.hasBegun || exits.hasEndedBy(error);
            const failure = infrastructureError(error, hadThread, piscina);
            const wasOpen = !job.isDecided;
            ends.failed(failure);
            // Otherwise it was given up before, or runs again.
            const isOver = wasOpen && job.isDecided;
            if (isOver && failure instanceof ThreadCrashedError && failure.exitCode !== undefined)
              exits.lost(lostJobOf(job));
          },
        );
      },
      terminate(job) {
        if (job.options.onCancel === "terminate") ending.get(job)?.abort();
      },
    });
    super({
      name: "PiscinaEngine",
      capabilities,
      functions: new JobFunctions(),
      maxThreads: () => piscina.options.maxThreads * piscina.options.concurrentTasksPerWorker,
      refusal: () => (jobs.isClosed ? new PoolClosedError() : null),
      exportOf: () => undefined,
      submit: (...job) => jobs.submit(...job),
    });
    this.#jobs = jobs;
  }

  /**
   * Ends the engine, as `ThreadPool.close` does, and leaves the Piscina open: it is the program's. At the deadline jobs with
   * `onCancel: "terminate"` end with their threads; others reject, and go on.
   *
   * @throws TypeError or RangeError for a bad option, naming it.
   */
  override close(options?: CloseOptions): Task<void> {
    const { drain, timeoutMs } = resolveCloseOptions(options);
    const closing = this.#jobs.close(drain, timeoutMs);
    announceClosing(this);
    return closing;
  }
}

/** As the messages of `skein:job:*` name it. */
function lostJobOf({ request: { fn }, task }: CarriedJob): LostJob {
  return fn.kind === "export" ? { url: fn.url, name: fn.name, task } : { url: null, name: null, task };
}
