/** Clusters and worker processes for the tests of one file, on one server. */
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, afterEach, expect } from "vitest";
import { Gates } from "../../../test/engines/gates.ts";
import { timeLimit } from "../../../test/support/time-limit.ts";
import { WorkerProcess } from "../../../test/support/worker-process.ts";
import { Cluster, type ClusterOptions } from "../src/index.ts";

export type Keep = <T extends AsyncDisposable>(each: T) => T;

/** @param module The name of the job module. @param server Null: there is none, and the tests are skipped. It ends after the last one. */
export function useClusters<M>(
  module: string,
  url: URL,
  server: (AsyncDisposable & { readonly url: string }) | null,
) {
  const connection = server?.url ?? "redis://localhost";
  const modules = { [module]: url.href };
  const gates = new Gates(false);
  const started: AsyncDisposable[] = [];
  let count = 0;

  afterEach(async () => {
    for (const each of started.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  }, timeLimit(60_000));
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    gates.remove();
  });

  /** Until the test has ended. */
  const own: Keep = (each) => {
    started.push(each);
    return each;
  };

  /** A cluster of its own. @param keep Disposes of all of it, in reverse. */
  function start(options?: ClusterOptions, keep: Keep = own) {
    const name = `${module}-${++count}`;
    const cluster = keep(new Cluster({ connection, name, ...options }));
    const worker = (more?: { lockMs?: number; threads?: number; skewMs?: number }): WorkerProcess =>
      keep(new WorkerProcess({ connection, name, modules, ...more }));
    return { name, cluster, jobs: cluster.module<M>(url), worker };
  }

  /** The Redis server itself, as anybody who reaches it sees it. */
  async function inStore<T>(name: string, use: (queue: Queue, client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(connection, { maxRetriesPerRequest: null });
    const queue = new Queue(`skein.${name}.${module}`, { connection: client });
    try {
      return await use(queue, client);
    } finally {
      await queue.close();
      client.disconnect();
    }
  }

  return { connection, modules, gates, started, own, start, inStore };
}

/** Parts of a test, disposed of in reverse. Node 22 has no AsyncDisposableStack. */
export class Parts implements AsyncDisposable {
  readonly #parts: AsyncDisposable[] = [];

  readonly use: Keep = (part) => {
    this.#parts.push(part);
    return part;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#parts.splice(0).toReversed()) await part[Symbol.asyncDispose]();
  }
}

export const errorOf = (task: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(task).then(
    () => expect.unreachable("it resolved"),
    (reason: unknown) => reason,
  );
