/** How many cores this process may use: what Node says, and no more than the CPU limit of its control groups. */
import os from "node:os";
import path from "node:path";
import { process } from "../shared/intrinsics.ts";

// As they were when this file was loaded: a timer asks, and tests put something else in their place.
const { availableParallelism } = os;
// oxlint-disable-next-line typescript/unbound-method -- none of them looks at `this`
const { dirname, join } = path;
const { readFileSync } = process.getBuiltinModule("node:fs");

/**
 * The threads that can compute at once: `os.availableParallelism()`, or the whole cores of the CPU limit if that is less; at least 1.
 *
 * libuv counts the limit in too, but not everywhere: not below one core (Node 22.18), not for version 1 when `cpu` is mounted alone, and not
 * where both versions are mounted.
 */
export function availableCores(
  quota: number = cpuQuota(),
  parallelism: number = availableParallelism(),
): number {
  return Math.min(parallelism, Math.max(1, Math.floor(quota)));
}

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
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) continue;
    const isUnified = controllers === "";
    if (!isUnified && !controllers.split(",").includes("cpu")) continue;
    const limitOf = isUnified ? limitV2 : limitV1;
    for (const mount of isUnified ? ["", "unified"] : [controllers, "cpu"]) {
      const top = join(root, "sys/fs/cgroup", mount);
      // Inside a container the path may be that on the host: the mount is then the group itself.
      for (let folder = join(top, group); folder.startsWith(top); folder = dirname(folder))
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

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
