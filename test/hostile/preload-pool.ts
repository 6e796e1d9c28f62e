/** A preload, as instrumentation has it: threads inherit it, and must not start threads of their own without end. */
import { threadId } from "node:worker_threads";
import { ThreadPool } from "@skein/pool";

// Ends the whole process before it fills the machine.
if (threadId > 16) process.kill(process.pid, "SIGKILL");
const pool = new ThreadPool({ maxThreads: 1 });
if ((await pool.run((a: number, b: number) => a + b, [1, 2])) !== 3)
  throw new Error("the pool of the preload is wrong");
