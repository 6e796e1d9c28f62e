/**
 * Pinning: with cores to spare, one is left to the system and to whoever else is there, and what is measured stays on the others.
 * On two cores there is nothing to leave: pinned to both is not pinned, and pinned to one, a pool and its caller would share it.
 */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

export interface Pinning {
  /** Goes in front of the command. */
  readonly prefix: readonly string[];
  /** For the report. */
  readonly description: string;
}

const FEWEST_CORES = 4;

export function choosePinning(
  cores: number = availableParallelism(),
  taskset: boolean = hasTaskset(),
): Pinning {
  if (cores < FEWEST_CORES) {
    return {
      prefix: [],
      description: `not pinned: with ${cores} cores, threads and their caller need all of them`,
    };
  }
  if (!taskset) return { prefix: [], description: "not pinned: this system has no taskset" };
  const list = `1-${cores - 1}`;
  return { prefix: ["taskset", "--cpu-list", list], description: `pinned to cores ${list} of ${cores}` };
}

function hasTaskset(): boolean {
  return spawnSync("taskset", ["--version"]).status === 0;
}
