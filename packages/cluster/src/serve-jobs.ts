/** The worker's side: takes jobs of its modules out of the store and runs them on a pool. */
import { within } from "./connection.ts";
import { Server } from "./server.ts";
import { resolveServeOptions, type ServeOptions } from "./serve-options.ts";

/** What `serveJobs` gives. */
export interface JobServer extends AsyncDisposable {
  /**
   * Takes no more jobs, and waits for those that run, for up to `closeTimeoutMs`; what still runs then is left to other workers, if it has
   * `retries`. Every call returns the same promise.
   */
  close(): Promise<void>;
}

/**
 * Runs jobs of a cluster in this process, until it is closed. Jobs run on a ThreadPool, so that one that computes for long neither holds up the
 * others nor passes for lost.
 *
 * @returns when it takes jobs.
 * @throws TypeError or RangeError for a bad option, naming it. Rejects with ClusterUnavailableError when the server does not answer within
 * `connectTimeoutMs`.
 * @example
 * const server = await serveJobs({ modules: [new URL("./geo.jobs.ts", import.meta.url)], connection: "redis://localhost:6379" });
 * process.once("SIGTERM", () => void server.close());
 */
export async function serveJobs(options: ServeOptions): Promise<JobServer> {
  const resolved = resolveServeOptions(options);
  const server = new Server(resolved);
  try {
    await within(server.started, resolved.connectTimeoutMs, () => server.lastError);
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}
