import type { EngineJobs } from "../adapter/engine-jobs.ts";
import { distributionOf, type PoolStats } from "../host/pool-stats.ts";
import { now } from "../shared/timers.ts";
import type { ProcessJobs } from "./process-jobs.ts";

export function readProcessStats({ counts }: EngineJobs, processes: ProcessJobs): PoolStats {
  const { supply, times } = processes;
  const all = Array.from(supply.all);
  const running = all.filter(({ begun }) => begun > 0).length;
  const [high, normal, low] = processes.waitingByPriority();
  return {
    threads: { total: all.length, idle: all.length - running, parked: all.length - running, running },
    queued: { high: high!, normal: normal!, low: low!, local: 0, placed: 0 },
    ...counts,
    stray: 0,
    stolen: 0,
    recycled: supply.recycling.replaced,
    waitMs: distributionOf(times.wait),
    runMs: distributionOf(times.run),
    perThread: all.map(({ pid, executed, busyUs, startedAt }) => {
      const busyMs = busyUs / 1000;
      return {
        threadId: pid,
        executed,
        stolen: 0,
        busyMs,
        parkedMs: Math.max(0, now() - startedAt - busyMs),
      };
    }),
  };
}
