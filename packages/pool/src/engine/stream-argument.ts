/** `stream`: an argument that its job reads piece by piece. */
import type { ReadableStream } from "node:stream/web";
import type { Transferable } from "node:worker_threads";
import { AsyncScope } from "@skein/context";
import { argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import { type MarkedStream, markStream } from "../codec/marked-streams.ts";
import { checkUntaken } from "../submit/argument-pumps.ts";
import { ArgumentSource, expectFailure, isReadable, isWebStream } from "../submit/argument-source.ts";
import { integer } from "./option-values.ts";

/**
 * What `stream` returns: an argument for one job, inside which it is an async iterable. Iterated on this thread it gives the items of its source, so a
 * function can be called with it directly as well.
 */
export interface StreamArgument<T> extends AsyncIterable<T> {
  readonly [Symbol.toStringTag]: "StreamArgument";
}

/** What `stream` takes. */
export interface StreamArgumentOptions<T> {
  /** What of an item is moved instead of copied, as `transfer` of a call. Called on this thread. @default what `move` was told of the item */
  readonly move?: ((item: T) => readonly Transferable[]) | undefined;
  /** How many items may be read ahead of the job, 1 MiB of them at most. 1 to 65 535. @default 16 */
  readonly highWaterMark?: number | undefined;
}

const names: OptionNames<StreamArgumentOptions<unknown>> = { move: true, highWaterMark: true };

/**
 * Marks what a job is to read piece by piece: the argument itself, or a part of it. Inside the job it is an async iterable, to be read once. Nothing is
 * read before the job asks for the first item; after that the source is at most `highWaterMark` items and 1 MiB ahead of it. Items arrive in
 * order, copied, or moved if `move` says so. While both sides are busy, an item costs no message.
 *
 * The source is read on this thread, in the context of the call. What it throws arrives in the job as that error. When the job leaves the
 * loop, or ends in whatever way without having read everything, the iterator's `return` is called, the ReadableStream is cancelled, or the Readable is
 * destroyed: once, also when the job was refused or never ran. What that throws is ignored. Only a call that throws, because of a bad argument or
 * option, leaves its streams as they were. A Readable that fails before the job asks for an item does not end the process: the job is told.
 *
 * A job that is cancelled while it waits for an item gets JobCanceledError there. An item that cannot be copied ends the stream in the job with
 * NotCloneableError, whose path names the argument and the item, from 0. Not together with `retries`.
 *
 * @param source An iterable, an async iterable, a ReadableStream or a Node Readable. A job that gets it twice, or a second job, rejects with
 * SkeinError ERR_SKEIN_STREAM_TAKEN.
 * @throws TypeError or RangeError for a bad argument or option, naming it: for what is not iterable, and for a ReadableStream that is locked.
 * @example
 * const digest = await jobs.hash(stream(createReadStream(file)));
 */
export function stream<T>(
  source: AsyncIterable<T> | Iterable<T> | ReadableStream<T>,
  options?: StreamArgumentOptions<T>,
): StreamArgument<T> {
  if (typeof source !== "object" || source === null || !isReadable(source))
    throw argumentTypeError(
      "source",
      "an iterable, an async iterable, a ReadableStream or a Readable",
      source,
    );
  if (isWebStream(source) && source.locked)
    throw argumentTypeError("source", "a ReadableStream that is not locked", source);
  const { move, highWaterMark } = ownOptions(options, names);
  if (move !== undefined && typeof move !== "function") throw argumentTypeError("move", "a function", move);
  const parts = {
    source,
    highWaterMark: integer("highWaterMark", highWaterMark, 1, 65_535) ?? 16,
    move: (move as MarkedStream["move"] | undefined) ?? null,
  };
  expectFailure(source);
  return new MarkedArgument<T>(parts);
}

class MarkedArgument<T> implements StreamArgument<T> {
  readonly #marked: MarkedStream;

  constructor(parts: Pick<MarkedStream, "source" | "highWaterMark" | "move">) {
    this.#marked = markStream(this, parts);
  }

  get [Symbol.toStringTag](): "StreamArgument" {
    return "StreamArgument";
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    checkUntaken([this.#marked], [this]);
    this.#marked.isTaken = true;
    const source = new ArgumentSource(this.#marked.source, AsyncScope.capture());
    try {
      for (let step = await source.next(); step.done !== true; step = await source.next())
        yield step.value as T;
    } finally {
      source.release();
    }
  }
}
