/** `map` with several items per job: what arrives for a chunk, taken apart again. */
import { Task } from "@skein/scheduling";
import { chunkOf, type ChunkOutcome, errorOfItem } from "../jobs/chunk-job.ts";
import type { Chunk } from "../codec/chunk.ts";
import { fromWire } from "../codec/error-wire.ts";
import { withJob } from "../codec/job-of-error.ts";
import { JobError } from "../errors.ts";
import { labelOf } from "../jobs/function-name.ts";
import type { FunctionSource } from "../jobs/function-source.ts";
import { cancellationError } from "../submit/cancel-signal.ts";
import { letGo, letGoAll } from "../submit/argument-pumps.ts";
import { isLastStep } from "../submit/iterator-step.ts";
import { forgetMoves } from "../transfer/move.ts";
import { isAsyncIterable, type Iteration, mapItems } from "./map.ts";
import { clearImmediate, setImmediate } from "../shared/timers.ts";
import { Promise } from "../shared/intrinsics.ts";

const STALLED = Symbol("stalled");

/** An outcome, with the error that ended it. */
interface Outcome<R> {
  readonly results: readonly R[];
  readonly failure: { readonly error: unknown } | null;
}

/** As `mapItems`. @param submit The job of a chunk; its task has a ChunkOutcome. */
export async function* mapChunks<A, R>(
  items: Iterable<A> | AsyncIterable<A>,
  submit: (chunk: Chunk, signal: AbortSignal) => Task<unknown>,
  iteration: Iteration,
): AsyncGenerator<R, void, undefined> {
  const { options, source } = iteration;
  const run = (batch: readonly A[], signal: AbortSignal): Task<Outcome<R>> => {
    const chunk = chunkOf(batch);
    const task = submit(chunk, signal);
    if (task.status !== "faulted" || chunk.encoded === batch.length) {
      forgetMoves(batch);
      return task.then((outcome) => taken(outcome as ChunkOutcome<R>, source));
    }
    const error = named(errorOfItem(task.error, "args[0].items"), source);
    const failed: Task<Outcome<R>> =
      chunk.encoded === 0
        ? Task.fromError(error)
        : // The items before it run, as if each had been submitted alone.
          run(batch.slice(0, chunk.encoded), signal).then((outcome) =>
            outcome.failure === null ? { ...outcome, failure: { error } } : outcome,
          );
    // Those that no job has by now.
    letGo([chunk]);
    letGoAll(chunk.met);
    return failed;
  };
  const { chunkSize, signal } = options;
  const chunks = isAsyncIterable(items)
    ? { [Symbol.asyncIterator]: () => new AsyncChunks(items, chunkSize) }
    : chunksOf(items, chunkSize);
  for await (const { results, failure } of mapItems(chunks, run, iteration)) {
    for (const result of results) {
      if (signal !== undefined && signal.aborted) throw cancellationError(signal, source);
      yield result;
    }
    if (failure !== null) throw failure.error;
  }
}

function taken<R>([results, failure]: ChunkOutcome<R>, source: FunctionSource): Outcome<R> {
  return { results, failure: failure === undefined ? null : { error: named(fromWire(failure), source) } };
}

/** As the error of a job with that item alone. */
function named(error: unknown, source: FunctionSource): unknown {
  return error instanceof JobError ? withJob(error, labelOf(source)) : error;
}

/** What comes before an error of the source is a chunk. */
function* chunksOf<A>(items: Iterable<A>, size: number): Generator<A[], void, undefined> {
  let chunk: A[] = [];
  try {
    for (const item of items) {
      if (chunk.push(item) < size) continue;
      yield chunk;
      chunk = [];
    }
  } catch (error) {
    if (chunk.length > 0) yield chunk;
    throw error;
  }
  if (chunk.length > 0) yield chunk;
}

/** The same. A chunk also ends when the source has nothing for a turn of the event loop: what is there need not wait. */
class AsyncChunks<A> implements AsyncIterator<A[], void> {
  readonly #source: AsyncIterator<A>;
  readonly #size: number;
  /** Asked for, and not in a chunk yet. */
  #pending: Promise<IteratorResult<A>> | null = null;
  #isDone = false;

  constructor(items: AsyncIterable<A>, size: number) {
    this.#source = items[Symbol.asyncIterator]();
    this.#size = size;
  }

  async next(): Promise<IteratorResult<A[], void>> {
    const chunk: A[] = [];
    if (await this.#take(chunk)) {
      let immediate: NodeJS.Immediate | undefined;
      const stalled = new Promise<typeof STALLED>((resolve) => {
        immediate = setImmediate(resolve, STALLED);
      });
      while (chunk.length < this.#size && (await this.#take(chunk, stalled)));
      clearImmediate(immediate);
    }
    return chunk.length > 0 ? { done: false, value: chunk } : { done: true, value: undefined };
  }

  /** Not behind an item that the source has promised: it may never come. */
  async return(): Promise<IteratorResult<A[], void>> {
    this.#isDone = true;
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  /** Puts the next item into the chunk. @returns false when the chunk ends here. @throws an error of the source, not behind items. */
  async #take(chunk: A[], stalled?: Promise<typeof STALLED>): Promise<boolean> {
    if (this.#isDone) return false;
    try {
      this.#pending ??= Promise.resolve(this.#source.next());
      const next = await (stalled === undefined ? this.#pending : Promise.race([this.#pending, stalled]));
      if (next === STALLED) return false;
      if (isLastStep(next)) this.#isDone = true;
      else chunk.push(next.value);
    } catch (error) {
      if (chunk.length > 0) {
        // It comes again with the next chunk.
        this.#pending = Promise.reject(error);
        this.#pending.catch(() => {});
        return false;
      }
      this.#isDone = true;
      throw error;
    }
    this.#pending = null;
    return !this.#isDone;
  }
}
