/** What the pool has recorded, as the wire has it: slices as rows of numbers. That a thread has rested is left out: nobody shows it. */
import { sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { RecordedBatch, RecordedThread, SliceCursor } from "@skein/pool/engine";
import {
  type Batch,
  KINDS,
  OUTCOMES,
  POLICIES,
  PRIORITIES,
  SLICE_FIELDS,
  sliceCode,
  type ThreadBatch,
} from "../wire.ts";

/** A thread that is less late does what it always does: it is timed every 20 ms, and rests for some milliseconds at once. */
const LATE_US = 20_000;

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
    nowUs,
    oneIn,
    queued,
    threads: threads.map(threadBatch),
    functions: functions.map(({ id, name }) => [id, name] as const),
    contexts: contexts.map(({ job, values }) => [job, values] as const),
    details: details.map(({ job, error, frames }) => [job, error, frames === null ? null : inFolder(frames)]),
  };
}

/** Whether it has, besides slices, what is told once: whoever does not get this batch would never know. */
export function hasNews({ threads, functions, contexts, details }: Batch): boolean {
  return (
    functions.length + contexts.length + details.length > 0 ||
    threads.some(({ exit, loopDelayUs }) => exit !== null || (loopDelayUs ?? 0) > LATE_US)
  );
}

/** Files of the program as they are called from the folder in which it was started. */
function inFolder(frames: string): string {
  return frames.replaceAll(folderUrl, "").replaceAll(folder, "");
}

function threadBatch(thread: RecordedThread): ThreadBatch {
  const { threadId, index, dropped, loopDelayUs, exit } = thread;
  return { threadId, index, dropped, loopDelayUs, exit, slices: numbersOf(thread.cursor(), thread.count) };
}

function numbersOf(slice: SliceCursor, count: number): Float64Array {
  const numbers = new Float64Array(count * SLICE_FIELDS);
  let at = 0;
  while (slice.next()) {
    const { kind, endUs, policy, outcome, parent } = slice;
    if (kind === "parked" && endUs !== null) continue;
    const info = policy !== null ? policies.get(policy)! : outcome !== null ? outcomes.get(outcome)! : -1;
    numbers[at] = sliceCode(kinds.get(kind)!, priorities.get(slice.priority)!, info);
    numbers[at + 1] = slice.startUs;
    numbers[at + 2] = endUs ?? -1;
    numbers[at + 3] = slice.job;
    numbers[at + 4] = slice.fn;
    numbers[at + 5] = parent === 0 ? slice.submittedUs : parent;
    at += SLICE_FIELDS;
  }
  return numbers.subarray(0, at);
}

function indices<T extends string>(names: readonly T[]): ReadonlyMap<T, number> {
  return new Map(names.map((name, i) => [name, i]));
}
