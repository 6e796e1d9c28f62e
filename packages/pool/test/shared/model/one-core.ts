/** Threads that go on in turns do best on one core: whoever waits makes way for whoever it waits for. */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/**
 * Keeps this process, with the threads that it starts, to one core, a different one for each worker of the test runner. Across cores a
 * turn costs a look-out that spins or a wake-up of the other core; on one it costs a switch, on a machine that is full as well.
 * @returns false where that cannot be had: not Linux, or other numbers of cores.
 */
export function keepToOneCore(): boolean {
  const core = Number(process.env["VITEST_POOL_ID"] ?? 0) % availableParallelism();
  return spawnSync("taskset", ["-a", "-c", "-p", String(core), String(process.pid)]).status === 0;
}
