/** What the caller of a streaming job gets, over whatever brings the items. */
import type { ReadableStream } from "node:stream/web";
import { isError } from "@skein/context/errors";
import type { Task } from "@skein/scheduling";
import { leaveWhenCollected } from "./abandoned-streams.ts";
import { readableOf } from "./stream-readable.ts";
import type { Waiting } from "./stream-readers.ts";

/** What `JobStream.toReadable` takes. */
export interface ReadableOptions {
  /** "bytes": a byte stream, which BYOB readers can read, of items that are typed arrays. @default a stream of the items as they are */
  readonly type?: "bytes" | undefined;
}

/**
 * The results of a job whose function is a generator, piece by piece, while the job runs: what `for await` takes. What a call of such a job gives can
 * be iterated at once; awaited, it is the same when a thread has begun the job, and rejects when none could.
 *
 * The thread runs ahead of the reader, by `highWaterMark` items and 1 MiB at most. Then the generator is suspended at its `yield`, and the
 * thread takes other jobs. Items arrive in order, copied, or moved if they were marked with `move`.
 *
 * Leaving the loop, `return` and `await using` end the generator: its `finally` runs on its thread, and the promise resolves after that. An async
 * generator that is waiting for something is ended when that is over; `job.signal` tells it. A stream that is dropped unread is ended when
 * it is collected.
 */
export interface JobStream<T, TReturn = unknown>
  // Not AsyncIterableIterator, which takes one type before TypeScript 5.6.
  extends AsyncIterator<T, TReturn | undefined, undefined>, AsyncDisposable {
  [Symbol.asyncIterator](): this;
  /** Resolves to the next item. Rejects once with what ended the job, after the items that came before; but at once if the job was cancelled. */
  next(): Promise<IteratorResult<T, TReturn | undefined>>;
  /**
   * Ends the generator. Rejects with what that throws, unless it is the AbortError of a generator that `job.signal` has told. An error
   * that the generator has met before, ahead of its reader, is told by `completion` alone.
   */
  return(): Promise<IteratorResult<T, TReturn | undefined>>;
  /** Ends the generator, then rejects with `error`. */
  throw(error: unknown): Promise<IteratorResult<T, TReturn | undefined>>;
  /**
   * Cancels the job, as its signal would: `next` and `completion` reject at once, with `reason` when that is an Error, otherwise with
   * JobCanceledError, and the generator ends as with `return`. A job that no thread has begun runs up to its first items.
   */
  cancel(reason?: unknown): void;
  /**
   * The outcome of the job: what the generator returned, or what ended it. Undefined when the reader has left. The items need not have been
   * read. Nobody has to look at it.
   */
  readonly completion: Task<TReturn | undefined>;
  /**
   * The same as a Web ReadableStream, of which this stream is the source: read one of them. Cancelling it ends the generator as `return` does.
   * For a Node stream there is `Readable.from(stream)`.
   *
   * @throws TypeError for a bad option, naming it.
   */
  toReadable(options?: ReadableOptions): ReadableStream<T>;
}

/** What a call of a streaming job gives: the stream itself; awaited, the same when a thread has begun the job. */
export interface JobStreamCall<T, TReturn = unknown>
  extends JobStream<T, TReturn>, PromiseLike<JobStream<T, TReturn>> {}

/** What brings the items. */
export interface StreamSource {
  readonly completion: Task<unknown>;
  readonly isOver: boolean;
  /** The generator has failed, and not because it was to end. */
  readonly hasFailedAhead: boolean;
  /** @param by The stream that was asked: held until it has an answer, so that it is not taken for one that nobody reads. */
  next(by: OpenedStream): PromiseLike<IteratorResult<unknown, unknown>>;
  /** The same for one who has asked before there was a stream. */
  join(waiting: Waiting): void;
  /** No item is wanted any more: the generator is to end. */
  leave(): void;
  cancel(reason: unknown): void;
}

/** Gives the next item to one who has asked before there was a stream. */
export let joinStream: (stream: OpenedStream, waiting: Waiting) => void;

/** It holds the source; the source must not hold it, but while somebody waits for an item. */
export class OpenedStream implements JobStream<unknown> {
  readonly #source: StreamSource;

  private constructor(source: StreamSource) {
    this.#source = source;
  }

  /** Of no caller, and always there: see TaskJob.kept. */
  static readonly kept: OpenedStream = new OpenedStream(null as never);

  static of(source: StreamSource): OpenedStream {
    const stream = new OpenedStream(source);
    leaveWhenCollected(stream, source);
    return stream;
  }

  static {
    joinStream = (stream, waiting) => {
      waiting.by = stream;
      stream.#source.join(waiting);
    };
  }

  get completion(): Task<unknown> {
    return this.#source.completion;
  }

  next(): Promise<IteratorResult<unknown, unknown>> {
    return this.#source.next(this) as Promise<IteratorResult<unknown, unknown>>;
  }

  async return(): Promise<IteratorResult<unknown, unknown>> {
    const { completion, isOver } = this.#source;
    this.#source.leave();
    if (!isOver)
      await completion.then(undefined, (error: unknown) => {
        // Nobody has asked for the item in whose place it stands.
        if (!this.#source.hasFailedAhead) throwUnlessAborted(error);
      });
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<never> {
    try {
      await this.return();
    } catch {
      // The caller's error is the one that counts, as in `for await`.
    }
    throw error;
  }

  cancel(reason?: unknown): void {
    this.#source.cancel(reason);
  }

  toReadable(options?: ReadableOptions): ReadableStream<unknown> {
    return readableOf(this, options);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  get [Symbol.toStringTag](): string {
    return "JobStream";
  }
}

/** The reader has left, and a generator that waited for something has heard of it. */
function throwUnlessAborted(error: unknown): void {
  if (!(isError(error) && error.name === "AbortError")) throw error;
}
