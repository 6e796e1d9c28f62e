/** Who chooses the thread of a task, where that is not the pool. */
import type { PiscinaTask } from "./task-queues.ts";
import type { PiscinaWorker } from "./worker-record.ts";

/** @returns one of the workers; null when the task is to wait. */
export type PiscinaLoadBalancer = (task: PiscinaTask, workers: PiscinaWorker[]) => PiscinaWorker | null;

/** The first thread without a task; otherwise, for a task that can share a thread, the one with the fewest, if that has room. */
export function leastBusy(maxUsage: number): PiscinaLoadBalancer {
  return (task, workers) => {
    let best: PiscinaWorker | null = null;
    for (const worker of workers) {
      const { currentUsage } = worker;
      if (currentUsage === 0) return worker;
      const mayShare = !task.isAbortable && !worker.isRunningAbortableTask && currentUsage < maxUsage;
      if (mayShare && (best === null || currentUsage < best.currentUsage)) best = worker;
    }
    return best;
  };
}
