/**
 * What `skein:thread:exit` says of the threads of a Piscina: which jobs were lost with one. Piscina rejects the tasks of a thread when that
 * emits `error` or `exit`, or when it ends it itself, which it tells by `workerDestroy`. So jobs that reject behind such an event, and before the
 * next one, were on that thread.
 */
import { channel } from "node:diagnostics_channel";
import type { Worker } from "node:worker_threads";
import { AsyncScope } from "@skein/context";
import type { LostJob, ThreadMessage } from "@skein/pool";
import { newPoolId } from "@skein/pool/engine";
import { setImmediate } from "../timers.ts";
import type { PiscinaPool } from "./piscina-pool.ts";

interface Ending {
  readonly lostJobs: LostJob[];
  /** Of `error`. */
  cause?: unknown;
}

const threadExit = channel("skein:thread:exit");
const known = new WeakMap<PiscinaPool, ThreadExits>();

export class ThreadExits {
  readonly #piscina: PiscinaPool;
  readonly #poolId = newPoolId();
  readonly #seen = new WeakSet<Worker>();
  /** Of threads that have not ended, by their ids. */
  readonly #endings = new Map<number, Ending>();
  /** The thread of which there was news last. */
  #ending: Ending | null = null;

  private constructor(piscina: PiscinaPool) {
    this.#piscina = piscina;
    piscina.on("workerCreate", () => this.look());
    piscina.on("workerDestroy", ({ id }) => {
      this.#ending = this.#endings.get(id) ?? this.#ending;
    });
    this.look();
  }

  /** One for each Piscina, however many engines there are. Keeps nothing alive. */
  static of(piscina: PiscinaPool): ThreadExits {
    let exits = known.get(piscina);
    if (exits === undefined) known.set(piscina, (exits = new ThreadExits(piscina)));
    return exits;
  }

  /** Threads that have no listener yet. To be called before they are given jobs. */
  look(): void {
    for (const worker of this.#piscina.threads) {
      if (this.#seen.has(worker)) continue;
      this.#seen.add(worker);
      this.#listen(worker);
    }
  }

  /** A job has rejected because its thread has ended. */
  lost(job: LostJob): void {
    this.#ending?.lostJobs.push(job);
  }

  /** Whether this is the error that has ended a thread, just now. */
  hasEndedBy(error: unknown): boolean {
    return this.#ending !== null && this.#ending.cause === error;
  }

  #listen(worker: Worker): void {
    // It has none when it has ended.
    const { threadId } = worker;
    const ending: Ending = { lostJobs: [] };
    this.#endings.set(threadId, ending);
    worker.on("error", (error) => {
      ending.cause = error;
      this.#ending = ending;
    });
    worker.once("exit", (exitCode) => {
      this.#ending = ending;
      this.#endings.delete(threadId);
      // Behind the rejections, which are microtasks.
      AsyncScope.root.run(setImmediate, () => this.#publish(threadId, exitCode, ending));
    });
  }

  #publish(threadId: number, exitCode: number, { cause, lostJobs }: Ending): void {
    if (lostJobs.length === 0 || !threadExit.hasSubscribers) return;
    const pool = "piscina";
    const message: ThreadMessage = { pool, poolId: this.#poolId, threadId, exitCode, cause, lostJobs };
    threadExit.publish(message);
  }
}
