/**
 * `node:diagnostics_channel`: what happens in a pool, for those who look. Costs a few nanoseconds while nobody does. Messages are
 * published on the thread where it happens, synchronously: `start`, `steal` and `stray` on the pool thread, all others on the thread that
 * submitted the job or made the pool.
 */
import { type Channel, channel } from "node:diagnostics_channel";
import { calledTask } from "./called-tasks.ts";
import { type FunctionSource, shownAs } from "./function-source.ts";

/** Of `skein:job:submit`, `start`, `end`, `error`, `cancel` and `steal`. Every submitted job has exactly one of end, error, cancel. */
export interface JobMessage {
  /** The URL of the job module; null for a function shipped as its source. */
  readonly url: string | null;
  /** The name of the export; null for a function shipped as its source. */
  readonly name: string | null;
  /**
   * On the submitting thread: the same for all messages of one job, the task of its call; of a stream that had begun before anybody
   * subscribed, its `completion`. Null on the pool thread.
   */
  readonly task: object | null;
  /** Of `error` and `cancel`. */
  readonly error?: unknown;
}

/** Of `skein:thread:start` and `skein:thread:exit`. */
export interface ThreadMessage {
  /** The `name` of the pool. */
  readonly pool: string;
  /** The `id` of the pool: names may be shared. */
  readonly poolId: number;
  /** Of a ProcessPool: the id of the process. */
  readonly threadId: number;
  /** Of `exit`. Undefined when a signal ended the process. */
  readonly exitCode?: number | undefined;
  /** Of `exit` of a process: the signal that ended it, if one did. */
  readonly signal?: NodeJS.Signals | undefined;
  /** Of `exit`: the uncaught error that ended the thread, if one did. */
  readonly cause?: unknown;
  /**
   * Of `exit`: the jobs submitted here that were lost with the thread, and have rejected. Not those that run again, nor those that were given
   * up before.
   */
  readonly lostJobs?: readonly LostJob[];
}

/** A job, as the messages of `skein:job:*` name it. */
export type LostJob = Pick<JobMessage, "url" | "name" | "task">;

/** Of `skein:job:stray`, on the pool thread: an error that came when its job had returned. */
export interface StrayErrorMessage {
  /** The name of the job, as far as is known: otherwise of the one that ended last on the thread. */
  readonly job: string | null;
  readonly error: unknown;
  readonly origin: "uncaughtException" | "unhandledRejection";
}

type JobEvent = "submit" | "start" | "end" | "error" | "cancel" | "steal";

export const channels: Readonly<
  Record<JobEvent | "stray" | "threadStart" | "threadExit" | "poolOpen", Channel>
> = {
  submit: channel("skein:job:submit"),
  start: channel("skein:job:start"),
  end: channel("skein:job:end"),
  error: channel("skein:job:error"),
  cancel: channel("skein:job:cancel"),
  steal: channel("skein:job:steal"),
  stray: channel("skein:job:stray"),
  threadStart: channel("skein:thread:start"),
  threadExit: channel("skein:thread:exit"),
  poolOpen: channel("skein:pool:open"),
};

/** Whether somebody will hear how jobs end: then the context of each call is kept for that moment. */
export function someoneFollowsJobs(): boolean {
  return channels.end.hasSubscribers || channels.error.hasSubscribers || channels.cancel.hasSubscribers;
}

/** @param job Null on the pool thread. Its task may be made only because somebody listens. */
export function publishJob(
  name: JobEvent,
  source: FunctionSource,
  job: { readonly task: object } | null,
  error?: unknown,
): void {
  const target = channels[name];
  if (!target.hasSubscribers) return;
  const message: JobMessage = {
    ...named(source, job === null ? null : job.task),
    ...(name === "error" || name === "cancel" ? { error } : {}),
  };
  target.publish(message);
}

export function named(source: FunctionSource, ofJob: object | null): LostJob {
  const { url, name } = shownAs(source);
  return { url, name, task: ofJob === null ? null : calledTask(ofJob) };
}
