/** Jobs that may not fork: those of a process of a pool, which no other process can help. Under a registered symbol, as in current-job.ts. */
import { NotSupportedError } from "../errors.ts";
import { runningJob } from "./current-job.ts";

const key: unique symbol = Symbol.for("skein.pool.refuses-forks");
const holder = globalThis as { [key]?: string };

/** Jobs of this thread may not fork. @param engine For the error. */
export function refuseForks(engine: string): void {
  Object.defineProperty(holder, key, { value: engine });
}

/** @throws NotSupportedError in a job that may not. */
export function assertForks(option: string): void {
  const engine = holder[key];
  if (engine !== undefined && runningJob() !== null) throw new NotSupportedError("forkJoin", engine, option);
}
