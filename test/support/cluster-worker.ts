/** A worker of a cluster, as a process: `node cluster-worker.ts '{"url": …, "name": …, "modules": …}'`. Says "ready"; SIGTERM closes it. */
import { type ServeOptions, serveJobs } from "@skein/cluster";
import { ThreadPool } from "@skein/pool";

const { threads, ...options } = JSON.parse(process.argv[2]!) as ServeOptions & { threads: number };
const pool = new ThreadPool({ maxThreads: threads, jobsPerThread: 1000 });
const server = await serveJobs({ ...options, pool, concurrency: threads });

process.once("SIGTERM", () => {
  void (async () => {
    await server.close();
    await pool.close();
  })();
});
console.log("ready");
