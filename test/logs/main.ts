/** Logs on the main thread and in jobs, and ends as programs do: the event loop is empty, or by `process.exit`. */
import { AsyncLocal } from "@skein/context";
import { ThreadPool } from "@skein/pool";
import type * as Lines from "./line.jobs.ts";
import { log } from "./logger.ts";

const tenant = new AsyncLocal<string>({ name: "tenant", flow: "thread" });
const pool = new ThreadPool({ maxThreads: 2 });
const lines = pool.module<typeof Lines>(new URL("./line.jobs.ts", import.meta.url));

await Promise.all(
  Array.from({ length: 20 }, (_, index) =>
    tenant.run(`t${index}`, async () => {
      log.info({ index, step: 0 }, "submitted");
      await lines.work(index);
      log.info({ index, step: 3 }, "settled");
    }),
  ),
);
await pool.close();
if (process.env["LOG_END"] === "exit") process.exit(0);
