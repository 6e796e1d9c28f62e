/** What the channels hear of the threads of a pool. */
import { channels, type ThreadMessage } from "../jobs/channels.ts";
import type { PoolThread } from "./pool-thread.ts";

/** As messages name it. */
export interface PoolName {
  readonly name: string;
  readonly id: number;
}

export function publishThread(
  event: "threadStart" | "threadExit",
  { name, id }: PoolName,
  thread: PoolThread,
  details: Pick<ThreadMessage, "exitCode" | "cause" | "lostJobs">,
): void {
  const target = channels[event];
  if (!target.hasSubscribers) return;
  const message: ThreadMessage = { pool: name, poolId: id, threadId: thread.threadId, ...details };
  target.publish(message);
}
