/** What the pool has recorded, as the wire has it: slices as rows of numbers. */
import { sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { RecordedBatch, RecordedSlice } from "@skein/pool/engine";
import { type Batch, KINDS, OUTCOMES, POLICIES, PRIORITIES, type ThreadBatch } from "../wire.ts";

const folder = `${process.cwd()}${sep}`;
const folderUrl = pathToFileURL(folder).href;
/** By name, for speed. */
const kinds = indices(KINDS);
const outcomes = indices(OUTCOMES);
const policies = indices(POLICIES);
const priorities = indices(PRIORITIES);

export function encodeBatch(
  { nowUs, threads, functions, contexts, details }: RecordedBatch,
  oneIn: number,
  queued: Batch["queued"],
): Batch {
  return {
    type: "batch",
    nowUs: rounded(nowUs),
    oneIn,
    queued,
    threads: threads.map(({ threadId, index, dropped, exit, slices }): ThreadBatch => {
      const numbers: number[] = [];
      for (const slice of slices) append(numbers, slice);
      return { threadId, index, dropped, exit, slices: numbers };
    }),
    functions: functions.map(({ id, name }) => [id, name] as const),
    contexts: contexts.map(({ job, values }) => [job, values] as const),
    details: details.map(({ job, error, frames }) => [job, error, frames === null ? null : inFolder(frames)]),
  };
}

/** Files of the program as they are called from the folder in which it was started. */
function inFolder(frames: string): string {
  return frames.replaceAll(folderUrl, "").replaceAll(folder, "");
}

function append(numbers: number[], slice: RecordedSlice): void {
  const { kind, startUs, endUs, job, fn, priority, policy, outcome, parent, submittedUs } = slice;
  numbers.push(
    kinds.get(kind)!,
    rounded(startUs),
    endUs === null ? -1 : rounded(endUs),
    job,
    fn,
    priorities.get(priority)!,
    policy === null ? (outcome === null ? -1 : outcomes.get(outcome)!) : policies.get(policy)!,
    parent === 0 ? rounded(submittedUs) : parent,
  );
}

function indices<T extends string>(names: readonly T[]): ReadonlyMap<T, number> {
  return new Map(names.map((name, i) => [name, i]));
}

/** To a tenth of a microsecond. */
function rounded(us: number): number {
  return Math.round(us * 10) / 10;
}
