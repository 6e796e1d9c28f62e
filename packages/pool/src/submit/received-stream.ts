/** What a job has where its caller has marked an argument with `stream`, over whatever brings the items. */
import { markReceived } from "../codec/marked-streams.ts";
import { rejectionOf } from "./pending-job.ts";
import { NO_ITEM, StreamReaders } from "./stream-readers.ts";
import { Promise } from "../shared/intrinsics.ts";

type Result = IteratorResult<unknown, unknown>;

/** To be iterated once, as a generator: each `for await` goes on where the last one was, unless that has left it. */
export abstract class ReceivedStream implements AsyncIterator<unknown, unknown>, AsyncDisposable {
  readonly #readers = new StreamReaders(() => (this.#isOver ? NO_ITEM : this.take()), null);
  /** Its source has ended, its job was asked to stop, or has left it. */
  #isOver = false;

  constructor() {
    markReceived(this);
  }

  /** As TakeItem. */
  protected abstract take(): unknown;
  /** Somebody waits: `serve` has to follow when there is an item. */
  protected abstract wanted(): void;
  /** The job wants no more: its source is to be released. */
  protected abstract left(): void;

  protected get isOver(): boolean {
    return this.#isOver;
  }

  protected get isAwaited(): boolean {
    return this.#readers.areWaiting;
  }

  /** Items may have come. Code of the job runs here, later. */
  protected serve(): void {
    this.#readers.serve();
  }

  /** No item follows. @param failure What the job is told in place of the end; null: nothing. */
  protected finish(failure: { readonly error: unknown } | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#readers.end((waiting) => {
      if (failure === null) waiting.resolve({ done: true, value: undefined });
      else waiting.reject(failure.error ?? rejectionOf(failure.error));
    });
  }

  next(): Promise<Result> {
    const next = this.#readers.tryNext();
    if (next !== null) return next as Promise<Result>;
    const waiting = this.#readers.wait(this);
    this.wanted();
    return waiting as Promise<Result>;
  }

  return(): Promise<Result> {
    this.#leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: unknown): Promise<Result> {
    this.#leave();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
  }

  #leave(): void {
    const wasOver = this.#isOver;
    this.finish(null);
    this.#readers.leave();
    if (!wasOver) this.left();
  }
}
