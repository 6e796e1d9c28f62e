/** What both sides of a job of several items agree on. */
import { Chunk } from "../codec/chunk.ts";
import { type ErrorWire, toWire } from "../codec/error-wire.ts";
import { NotCloneableError } from "../errors.ts";
import { hasOwnProperty } from "../shared/intrinsics.ts";
import { forgetMoves, move, moveListOfArguments } from "../transfer/move.ts";

/** What a job of a Chunk results in: results, up to the first failure, if there was one. As it arrives: with an array. */
export type ChunkOutcome<R> = readonly [results: readonly R[], failure: ErrorWire | undefined];

/** What is moved along with an item is moved along with the chunk. */
export function chunkOf(items: readonly unknown[]): Chunk {
  const chunk = new Chunk(items);
  const list = moveListOfArguments(items, null);
  return list === null ? chunk : move(chunk, list);
}

/** Before it crosses. @param failure Null: there was none. */
export function chunkOutcome(
  results: readonly unknown[],
  failure: { readonly thrown: unknown } | null,
): unknown {
  return outcomeWith(results, failure === null ? undefined : toWire(failure.thrown));
}

/** What a job has returned was sent: it is marked no more, nor are the results in a chunk's outcome. */
export function forgetMovesOf(returned: unknown): void {
  forgetMoves([returned]);
  if (isOutcome(returned)) forgetMoves(returned[0].items);
}

function isOutcome(returned: unknown): returned is readonly [Chunk, ErrorWire | undefined] {
  return Array.isArray(returned) && returned[0] instanceof Chunk;
}

/** What is moved along with each of these results, and no other, is moved. */
function outcomeWith(results: readonly unknown[], failure: ErrorWire | undefined): unknown {
  const list = moveListOfArguments(results, null);
  const outcome = [new Chunk(results), failure];
  return list === null ? outcome : move(outcome, list);
}

/**
 * The error that an item at fault would have been alone.
 * @param error Of the chunk. @param before The path of the chunk's items.
 */
export function errorOfItem(error: unknown, before: string): unknown {
  if (!(error instanceof NotCloneableError) || !error.path.startsWith(before)) return error;
  const [text] = /^\[\d+\]/.exec(error.path.slice(before.length)) ?? [];
  if (text === undefined) return error;
  const [root] = before.split(".", 1);
  // What was added for the job of the chunk (job-of-error.ts) is not the item's.
  const end = hasOwnProperty(error, "job") ? -`. Job: ${error.job}`.length : undefined;
  const problem = error.message.slice(error.path.length + 1, end);
  const path = root!.replace("result[0]", "result") + error.path.slice(before.length + text.length);
  return new NotCloneableError(path, problem, { cause: error.cause });
}

/** An outcome that could not be encoded: what came before the item or failure at fault, and why that is missing. Else null. */
export function withoutUncloneable(outcome: unknown, error: unknown): unknown {
  if (!isOutcome(outcome)) return null;
  const { items, encoded } = outcome[0];
  const isFailure = error instanceof NotCloneableError && error.path.startsWith("result[1]");
  if (encoded === items.length && !isFailure) return null;
  const failure = toWire(errorOfItem(error, "result[0].items"));
  return outcomeWith(items.slice(0, encoded), failure);
}
