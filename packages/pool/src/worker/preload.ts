/** Modules that `--import` and `--require` name run on each pool thread too, before its first module and with no job around them. */
import { isLoadingModule } from "../jobs/module-loading.ts";
import { generation } from "../jobs/pool-thread.ts";
import { runningJob } from "./current-job.ts";

/** Whether the caller is one of them, on a pool thread, or went on from there: a pool that it makes must not run it once more. */
export function isMadeByPreload(): boolean {
  return generation > 0 && runningJob() === null && !isLoadingModule();
}
