import { setTimeout as pause } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";
import { SharedProducer } from "@skein/batching";
import type { ProducerHandle } from "@skein/batching";
// The ids in the rows flow only from threads that know the AsyncLocals that they belong to.
import "./correlation.ts";
import type { DeepFile, FileReport } from "./file-report.ts";
import { rowsOf } from "./row-tables.ts";
import type { Row } from "./row-tables.ts";

const RETRY_MS = 1;
const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/**
 * Pushes the rows of a file to the thread that writes them. Accepted rows are written whatever becomes of this thread.
 * @param producers by table; undefined: nothing is stored
 */
export function pushRows(
  path: string,
  report: FileReport | DeepFile,
  producers: readonly ProducerHandle[] | undefined,
): void {
  if (producers === undefined || report.kind === "deep") return;
  for (const [table, rows] of rowsOf(path, report).entries()) {
    const producer = SharedProducer.attach<Row>(producers[table]!);
    for (const row of rows) {
      // Full: the main thread is behind, and this one waits for it. Without a pool they are the same thread, which writes
      // between two files; one file has fewer rows than there is room for.
      if (isMainThread) producer.push(row);
      else pushWaiting(producer, row);
    }
  }
}

/** The same for a report that came from another process: this thread also writes the rows, so it must not block. */
export async function pushRowsFromMain(
  path: string,
  report: FileReport | DeepFile,
  producers: readonly ProducerHandle[] | undefined,
): Promise<void> {
  if (producers === undefined || report.kind === "deep") return;
  for (const [table, rows] of rowsOf(path, report).entries()) {
    const producer = SharedProducer.attach<Row>(producers[table]!);
    for (const row of rows) while (!producer.tryPush(row)) await pause(RETRY_MS);
  }
}

function pushWaiting(producer: SharedProducer<Row>, row: Row): void {
  while (!producer.tryPush(row)) Atomics.wait(never, 0, 0, RETRY_MS);
}
