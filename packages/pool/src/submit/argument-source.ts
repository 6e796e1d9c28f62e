/**
 * What an argument comes from, piece by piece, on the thread whose call it is: an iterable, a ReadableStream or a Readable.
 *
 * | state  | means                                          | goes on                                                        |
 * | ------ | ---------------------------------------------- | -------------------------------------------------------------- |
 * | FRESH  | nothing was read                               | to OPEN: `next`; to OVER: `release`                            |
 * | OPEN   | is read                                        | to OVER: it has no more, has thrown, or `release`              |
 * | OVER   | final: nothing is held of it, nor of the call  |                                                                |
 *
 * Whoever leaves FRESH or OPEN by `release` calls the `return` of the iterator, cancels the ReadableStream, or destroys the Readable: so that
 * happens once at most, and never to a source that has ended by itself. A source that is released while it is being called, by what it calls, is let
 * go behind that call. All of it is code of the user's, and runs in the context of the call.
 */
import type { ReadableStream } from "node:stream/web";
import type { AsyncScope } from "@skein/context";
import { isThenable } from "../jobs/thenable.ts";
import { isLastStep } from "./iterator-step.ts";
import { process } from "../shared/intrinsics.ts";

const getBuiltinModule = process.getBuiltinModule.bind(process);

interface Step {
  readonly done?: boolean;
  readonly value: unknown;
}

type AnyIterator = Pick<AsyncIterator<unknown> | Iterator<unknown>, "next" | "return">;

/** How a kind of source is read, and let go. */
interface Reading {
  next(): unknown;
  release(): unknown;
}

export class ArgumentSource {
  /** Null: OVER. */
  #source: object | null;
  #scope: AsyncScope | null;
  /** Null: not OPEN. */
  #reading: Reading | null = null;
  /** Whether the source is being called: a generator cannot be ended while it runs. */
  #isInside = false;
  /** It was released meanwhile. */
  #isLeft = false;

  /** @param scope The context of the call. */
  constructor(source: object, scope: AsyncScope) {
    this.#source = source;
    this.#scope = scope;
  }

  /**
   * The next step of a source that is not OVER. @throws what the source throws, as the promise rejects with it; it is OVER then, and when there
   * is no more.
   */
  async next(): Promise<Step> {
    try {
      const step = (await this.#step()) as Step;
      if (!isLastStep(step)) return { done: false, value: step.value };
      this.#forget();
      return { done: true, value: undefined };
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** Nothing more will be read. What that throws is nobody's: the job has its outcome, or has left. */
  release(): void {
    const source = this.#source;
    if (source === null) return;
    if (this.#isInside) {
      this.#isLeft = true;
      return;
    }
    const scope = this.#scope!;
    const reading = this.#reading;
    this.#forget();
    scope.run(ignoring, () => (reading ?? readingOf(source)).release());
  }

  #step(): unknown {
    let step: unknown;
    this.#isInside = true;
    try {
      step = this.#scope!.run(() => (this.#reading ??= readingOf(this.#source!)).next());
    } finally {
      this.#isInside = false;
    }
    if (this.#isLeft) this.release();
    return step;
  }

  #forget(): void {
    this.#source = null;
    this.#scope = null;
    this.#reading = null;
  }
}

/** Whether an object is one of those that can be read. */
export function isReadable(source: object): boolean {
  return Symbol.asyncIterator in source || Symbol.iterator in source || isWebStream(source);
}

/** Whether it is Node's own. The class is loaded only for what may be one: that takes a millisecond. */
export function isWebStream(source: object): source is ReadableStream<unknown> {
  if (!("getReader" in source)) return false;
  return source instanceof getBuiltinModule("node:stream/web").ReadableStream;
}

function readingOf(source: object): Reading {
  if (isWebStream(source)) return webReading(source);
  if (Symbol.asyncIterator in source) {
    const iterator = (source as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    // The iterator of a Readable that was not begun does not destroy it.
    const release = isNodeStream(source) ? () => source.destroy() : () => iterator.return?.();
    return { next: () => iterator.next(), release };
  }
  return syncReading((source as Iterable<unknown>)[Symbol.iterator]());
}

/** Items that are promises are awaited, as `for await` does. */
function syncReading(iterator: AnyIterator): Reading {
  let isReleased = false;
  const release = (): unknown => {
    if (isReleased) return undefined;
    isReleased = true;
    return iterator.return?.();
  };
  const next = (): unknown => {
    const step = iterator.next() as Step;
    return isLastStep(step) || !isThenable(step.value) ? step : awaited(step.value);
  };
  const awaited = async (item: PromiseLike<unknown>): Promise<Step> => {
    try {
      return { done: false, value: await item };
    } catch (error) {
      ignoring(release);
      throw error;
    }
  };
  return { next, release };
}

/** With a reader: cancelling that does not wait for what is being read. */
function webReading(source: ReadableStream<unknown>): Reading {
  if (source.locked)
    throw new TypeError(
      "The ReadableStream was locked after it had been marked with `stream`: somebody else reads it",
    );
  const reader = source.getReader();
  return {
    async next() {
      const step = await reader.read();
      if (step.done) reader.releaseLock();
      return step;
    },
    release: () => reader.cancel(),
  };
}

/**
 * A Readable may fail before its job asks for the first item, and an `error` that nobody listens to ends the process. Whoever reads it is told
 * all the same.
 */
export function expectFailure(source: object): void {
  if (!isNodeStream(source)) return;
  // Once, however often it is marked.
  source.off("error", ignore);
  source.on("error", ignore);
}

interface NodeStream {
  destroy(): unknown;
  on(event: "error", listener: () => void): unknown;
  off(event: "error", listener: () => void): unknown;
}

function isNodeStream(source: object): source is NodeStream {
  const { destroy, pipe, on, off } = source as Partial<Record<"destroy" | "pipe" | "on" | "off", unknown>>;
  const isEmitter = typeof on === "function" && typeof off === "function";
  return isEmitter && typeof destroy === "function" && typeof pipe === "function";
}

/** What it throws, or rejects with, is nobody's. */
function ignoring(release: () => unknown): void {
  try {
    const released = release();
    if (isThenable(released)) released.then(undefined, ignore);
  } catch {
    // As it says.
  }
}

function ignore(): void {}
