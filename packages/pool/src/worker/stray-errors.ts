/**
 * Errors that float on a thread after their job has returned: a promise that nobody awaits, a timer. They harm no other job, so the
 * thread goes on; and they are not lost: they are shown on stderr as Node would, once, with the name of the job, unless somebody
 * listens on the thread (`process.on("uncaughtException")`, the channel `skein:job:stray`). `stats()` counts them.
 *
 * | what                | whose it is                                                       | what happens                             |
 * | ------------------- | ----------------------------------------------------------------- | ---------------------------------------- |
 * | a rejection         | a job that has not ended, by its async context                    | the thread ends, as Node would           |
 * | a rejection         | anybody else's                                                    | shown and counted                        |
 * | a throw in a timer  | a job that has ended, by its async context                        | shown and counted                        |
 * | any other throw     | jobs have not ended                                               | the thread ends, its jobs reject with it |
 * | any other throw     | no job is there                                                   | shown and counted                        |
 *
 * A timer's context is that of whoever has set it; functions that were seen to return at once have none (job-runner.ts). That of a socket or a
 * port is of whoever has made it, and others may have asked for what comes: they would wait in vain.
 */
import { executionAsyncResource } from "node:async_hooks";
import { channels } from "../jobs/channels.ts";
import { COUNTERS, type Statistics } from "../shared/statistics.ts";
import { clearTimeout, idleImmediate, setTimeout } from "../shared/timers.ts";
import type { CurrentJob, RunningJob } from "./current-job.ts";
import { process } from "../shared/intrinsics.ts";

const timeout = setTimeout(() => {}, 1);
clearTimeout(timeout);
const Timeout = timeout.constructor as new () => object;
const Immediate = idleImmediate().constructor as new () => object;

export interface StrayErrorParts {
  readonly current: CurrentJob;
  /** Whether no job of this thread has begun and not ended. */
  readonly isIdle: () => boolean;
  readonly statistics: Statistics;
}

export function reportStrayErrors({ current, isIdle, statistics }: StrayErrorParts): void {
  process.on("uncaughtExceptionMonitor", (error: unknown, origin: string) => {
    const owner = current.storage.getStore();
    const isStray =
      origin === "unhandledRejection"
        ? owner === undefined || owner.isOver
        : (isIdle() && current.synchronous === null) || isLeftInTimer(owner, current);
    if (!isStray) return;
    statistics.count(COUNTERS.stray);
    const job = owner?.name ?? current.lastName;
    const isHeard = process.listenerCount("uncaughtException") > 0;
    // A listener for this one error: to Node it is handled then. With a callback that takes all errors nobody would call it.
    if (!process.hasUncaughtExceptionCaptureCallback()) process.once("uncaughtException", () => {});
    if (channels.stray.hasSubscribers) channels.stray.publish({ job, error, origin });
    else if (!isHeard) show(error, origin, job);
  });
}

/** Not while a job goes on that its context does not name: then the owner may be that of somebody else. */
function isLeftInTimer(owner: RunningJob | undefined, { surprising }: CurrentJob): boolean {
  if (owner === undefined || !owner.isOver || surprising.size > 0) return false;
  const resource = executionAsyncResource();
  return resource instanceof Timeout || resource instanceof Immediate;
}

function show(error: unknown, origin: string, job: string | null): void {
  const what = origin === "unhandledRejection" ? "Unhandled rejection" : "Uncaught error";
  const whose = job === null ? "on a pool thread" : `left behind by job ${job}`;
  process.stderr.write(`${what} ${whose}:\n${textOf(error)}\n`);
}

/** Never throws, whatever methods the error has: that would end the thread. */
function textOf(error: unknown): string {
  try {
    return process.getBuiltinModule("node:util").inspect(error);
  } catch {
    return "an error that cannot be shown";
  }
}
