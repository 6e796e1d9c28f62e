/** Who waits for items of a stream, and in what order they get them: everything about a StreamSource but where its items come from. */
import { AsyncScope } from "@skein/context";
import { Promise } from "../shared/intrinsics.ts";
import { takeFirst } from "./take-first.ts";

type Result = IteratorResult<unknown, unknown>;

/** One call of `next` that has no item yet. */
export interface Waiting {
  readonly promise: PromiseLike<Result>;
  /** Held until then. */
  by: object | null;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Whoever awaits it goes on as with any promise. */
export class WaitingPromise implements Waiting {
  readonly promise: Promise<Result>;
  by: object | null;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;

  /** Nobody's, and always there: see TaskJob.kept. */
  static readonly kept: WaitingPromise = AsyncScope.root.run(() => new WaitingPromise(null));

  constructor(by: object | null) {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.promise = promise;
    this.by = by;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** No item is there. */
export const NO_ITEM: unique symbol = Symbol("no item");

/** Gives the next item, or NO_ITEM. @throws what is to be told in its place. */
export type TakeItem = () => unknown;

/** Makes what a call of `next` waits for. */
export type MakeWaiting = (by: object | null) => Waiting;

/** Tells who waits how the stream has ended. */
export type TellEnd = (waiting: Waiting) => void;

/** The calls of `next`, first come, first served. User code runs in `serve` and `end`, by inline continuations: they are the last step of whoever calls them. */
export class StreamReaders {
  readonly #take: TakeItem;
  readonly #makeWaiting: MakeWaiting | null;
  readonly #waiting: Waiting[] = [];
  /** Null: the stream goes on. */
  #tellEnd: TellEnd | null = null;
  #isEndTold = false;

  /** @param makeWaiting Null: who awaits an item goes on as with any promise. */
  constructor(take: TakeItem, makeWaiting: MakeWaiting | null) {
    this.#take = take;
    this.#makeWaiting = makeWaiting;
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
    return this.#tellEnd === null ? null : this.#last(this.#tellEnd);
  }

  /** Until there is an item, or the end. */
  wait(by: object): PromiseLike<Result> {
    const waiting = this.#make(by);
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** As `wait`, for one who has waited since before there were readers. */
  join(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.serve();
  }

  /** Items may have come. */
  serve(): void {
    while (this.areWaiting) {
      let item: unknown;
      try {
        item = this.#take();
      } catch (error) {
        takeFirst(this.#waiting).reject(error);
        continue;
      }
      if (item === NO_ITEM) break;
      takeFirst(this.#waiting).resolve({ done: false, value: item });
    }
    if (this.#tellEnd === null) return;
    while (this.areWaiting) this.#endOne(takeFirst(this.#waiting), this.#tellEnd);
  }

  /** The stream is over: when the items are read, this is what follows. */
  end(tellEnd: TellEnd): void {
    this.#tellEnd = tellEnd;
    this.serve();
  }

  /** The reader has left: nobody is told how the stream ends. */
  leave(): void {
    this.#isEndTold = true;
    while (this.areWaiting) takeFirst(this.#waiting).resolve({ done: true, value: undefined });
  }

  #endOne(waiting: Waiting, tellEnd: TellEnd): void {
    if (this.#isEndTold) {
      waiting.resolve({ done: true, value: undefined });
      return;
    }
    this.#isEndTold = true;
    tellEnd(waiting);
  }

  #last(tellEnd: TellEnd): PromiseLike<Result> {
    const waiting = this.#make();
    this.#endOne(waiting, tellEnd);
    return waiting.promise;
  }

  #settled(result: Result): PromiseLike<Result> {
    if (this.#makeWaiting === null) return Promise.resolve(result);
    const waiting = this.#make();
    waiting.resolve(result);
    return waiting.promise;
  }

  #failed(error: unknown): PromiseLike<Result> {
    const waiting = this.#make();
    waiting.reject(error);
    return waiting.promise;
  }

  #make(by: object | null = null): Waiting {
    return this.#makeWaiting === null ? new WaitingPromise(by) : this.#makeWaiting(by);
  }
}
