/** A worker process of the census: `node cluster-worker.ts '{"connection": …}'`. Says when it is ready; ends by SIGTERM, or with its parent. */
import { serveJobs } from "@skein/cluster";
import { ThreadPool } from "@skein/pool";
import { MAX_PAYLOAD_BYTES } from "./cluster-engine.ts";

export interface WorkerSettings {
  readonly connection: string;
  readonly name: string;
  readonly threads: number;
}

/** A worker that says nothing for so long is lost, and its jobs run again. */
const LOCK_MS = 2000;

const { connection, name, threads } = JSON.parse(process.argv[2]!) as WorkerSettings;
const pool = new ThreadPool({ name: "census", maxThreads: threads });
const server = await serveJobs({
  modules: [new URL("./file.jobs.ts", import.meta.url)],
  connection,
  name,
  pool,
  // One runs, the other is there when it ends.
  concurrency: threads * 2,
  lockMs: LOCK_MS,
  closeTimeoutMs: LOCK_MS,
  maxPayloadBytes: MAX_PAYLOAD_BYTES,
  // That a connection was lost, or a job: it is made again, and runs again.
  onError: () => {},
});
const end = async (): Promise<void> => {
  await server.close();
  await pool.close();
  if (process.connected) process.disconnect();
};
process.once("SIGTERM", () => void end());
process.once("SIGINT", () => {}); // Its parent ends it.
process.once("disconnect", () => void end());
process.send?.("ready");
