/** Who waits for items of a stream, and in what order they get them: everything about a StreamSource but where its items come from. */
import { type Task, TaskCompletionSource } from "@skein/scheduling";
import { rejectionOf } from "./pending-job.ts";
import type { SubmitOptions } from "./submit-options.ts";

type Result = IteratorResult<unknown, unknown>;

/** One call of `next` that has no item yet. */
interface Waiting {
  readonly promise: PromiseLike<Result>;
  /** Held until then. */
  readonly by: object | null;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** No item is there. */
export const NO_ITEM: unique symbol = Symbol("no item");

/** Gives the next item, or NO_ITEM. @throws what is to be told in its place. */
export type TakeItem = () => unknown;

/** The calls of `next`, first come, first served. User code runs in `serve` and `end`, by inline continuations: they are the last step of whoever calls them. */
export class StreamReaders {
  readonly #policy: SubmitOptions["continuations"];
  readonly #take: TakeItem;
  readonly #waiting: Waiting[] = [];
  /** Null: the stream goes on. */
  #completion: Task<unknown> | null = null;
  #isEndTold = false;

  constructor(policy: SubmitOptions["continuations"], take: TakeItem) {
    this.#policy = policy;
    this.#take = take;
  }

  get areWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** @returns the item, if there is one; null: `wait` may follow. */
  tryNext(): PromiseLike<Result> | null {
    if (this.areWaiting) return null;
    try {
      const item = this.#take();
      if (item !== NO_ITEM) return this.#settled({ done: false, value: item });
    } catch (error) {
      return this.#failed(error);
    }
    return this.#completion === null ? null : this.#last(this.#completion);
  }

  /** Until there is an item, or the end. */
  wait(by: object): PromiseLike<Result> {
    const waiting = this.#makeWaiting(by);
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** Items may have come. */
  serve(): void {
    while (this.areWaiting) {
      let item: unknown;
      try {
        item = this.#take();
      } catch (error) {
        this.#waiting.shift()!.reject(error);
        continue;
      }
      if (item === NO_ITEM) break;
      this.#waiting.shift()!.resolve({ done: false, value: item });
    }
    if (this.#completion === null) return;
    while (this.areWaiting) this.#endOne(this.#waiting.shift()!, this.#completion);
  }

  /** The stream is over: when the items are read, this is what follows. */
  end(completion: Task<unknown>): void {
    this.#completion = completion;
    this.serve();
  }

  /** The reader has left: nobody is told how the stream ends. */
  leave(): void {
    this.#isEndTold = true;
    while (this.areWaiting) this.#waiting.shift()!.resolve({ done: true, value: undefined });
  }

  #endOne(waiting: Waiting, completion: Task<unknown>): void {
    if (this.#isEndTold) {
      waiting.resolve({ done: true, value: undefined });
      return;
    }
    this.#isEndTold = true;
    if (completion.status === "succeeded") waiting.resolve({ done: true, value: completion.result });
    else void completion.then(undefined, (error: unknown) => waiting.reject(error));
  }

  #last(completion: Task<unknown>): PromiseLike<Result> {
    const waiting = this.#makeWaiting();
    this.#endOne(waiting, completion);
    return waiting.promise;
  }

  /** The policy decides how who awaits an item goes on; by default as with any promise. */
  #settled(result: Result): PromiseLike<Result> {
    if (this.#policy === undefined) return Promise.resolve(result);
    const waiting = this.#makeWaiting();
    waiting.resolve(result);
    return waiting.promise;
  }

  #failed(error: unknown): PromiseLike<Result> {
    const waiting = this.#makeWaiting();
    waiting.reject(error);
    return waiting.promise;
  }

  #makeWaiting(by: object | null = null): Waiting {
    if (this.#policy === undefined) return { ...Promise.withResolvers<Result>(), by };
    const source = new TaskCompletionSource<Result>(this.#policy);
    return {
      promise: source.task,
      by,
      resolve: (result) => void source.trySetResult(result),
      reject: (error) => void source.trySetError(rejectionOf(error)),
    };
  }
}
