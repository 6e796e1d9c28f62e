/** Jobs that may not fork: those of a process of a pool, which no other process can help. Under a registered symbol, as in current-job.ts. */
import { NotSupportedError } from "../errors.ts";
import { OnGlobal } from "../shared/on-global.ts";
import { runningJob } from "./current-job.ts";

const refusing = new OnGlobal<string>("skein.pool.refuses-forks");

/** Jobs of this thread may not fork. @param engine For the error. */
export function refuseForks(engine: string): void {
  refusing.put(engine);
}

/** @throws NotSupportedError in a job that may not. */
export function assertForks(option: string): void {
  const engine = refusing.value;
  if (engine !== undefined && runningJob() !== null) throw new NotSupportedError("forkJoin", engine, option);
}
