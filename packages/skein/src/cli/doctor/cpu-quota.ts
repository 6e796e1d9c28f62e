/** How much CPU time the control groups of this process leave it. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The CPU limit in cores, such as 1.5: the least of this process's control group and of those around it, of version 2 or 1. Infinity where
 * there is none, and on systems without control groups.
 *
 * @param root Where `/proc` and `/sys` are. @default "/"
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
 * @see https://docs.kernel.org/scheduler/sched-bwc.html
 */
export function cpuQuota(root = "/"): number {
  let quota = Infinity;
  for (const line of (read(join(root, "proc/self/cgroup")) ?? "").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const isUnified = controllers === "";
    if (!isUnified && !controllers.split(",").includes("cpu")) continue;
    const limitOf = isUnified ? limitV2 : limitV1;
    for (const mount of isUnified ? ["", "unified"] : [controllers, "cpu"]) {
      const top = join(root, "sys/fs/cgroup", mount);
      // Inside a container the path may be that on the host: the mount is then the group itself.
      for (let folder = join(top, path); folder.startsWith(top); folder = dirname(folder))
        quota = Math.min(quota, limitOf(folder));
    }
  }
  return quota;
}

/** `cpu.max`: quota and period in microseconds, or "max" and the period. */
function limitV2(folder: string): number {
  const [quota, period] = (read(join(folder, "cpu.max")) ?? "").trim().split(" ").map(Number);
  return coresOf(quota, period);
}

/** -1 is no limit. */
function limitV1(folder: string): number {
  return coresOf(
    Number(read(join(folder, "cpu.cfs_quota_us")) ?? Number.NaN),
    Number(read(join(folder, "cpu.cfs_period_us")) ?? Number.NaN),
  );
}

function coresOf(quota = Number.NaN, period = Number.NaN): number {
  return quota > 0 && period > 0 ? quota / period : Infinity;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
