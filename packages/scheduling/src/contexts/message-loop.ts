import { AsyncScope } from "@skein/context";
import { requireFunction } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { checkOptions, ownOption } from "../own-option.ts";
import { SlicedQueue } from "../sliced-queue.ts";
import { requireBudget } from "../durations.ts";
import { reportUncaught } from "../uncaught.ts";
import { SynchronizationContext, swapContext } from "./synchronization-context.ts";

export interface MessageLoopOptions {
  /** How long one turn may take, with the native continuations that it resumes. @default 4 */
  budgetMs?: number | undefined;
  /** Is given what posted code throws; what it throws itself is an uncaught exception. @default so is what posted code throws */
  onError?: ((error: unknown) => void) | undefined;
}

const knownOptions: OptionNames<MessageLoopOptions> = { budgetMs: true, onError: true };

/**
 * A single-threaded message loop: what is posted runs in the order of arrival, one message after the other, never inside another,
 * in turns of the event loop that are bounded in time. Keeps the process alive only while something is posted.
 *
 * @example
 * const loop = new MessageLoop({ budgetMs: 8 });
 * loop.post(render, model);
 */
export class MessageLoop extends SynchronizationContext {
  readonly #queue: SlicedQueue;
  #operations = 0;

  /** @throws TypeError, RangeError for an option of the wrong type or range. */
  constructor(options?: MessageLoopOptions) {
    super();
    checkOptions(options, knownOptions);
    const onError = ownOption(options, "onError") ?? reportUncaught;
    requireFunction("options.onError", onError);
    this.#queue = new SlicedQueue(requireBudget(ownOption(options, "budgetMs")), onError);
  }

  /** How many messages wait. */
  get pending(): number {
    return this.#queue.size;
  }

  /** How many `asyncVoid` methods that began here have not ended. */
  get operations(): number {
    return this.#operations;
  }

  /** Calls back in a later turn, in the caller's ExecutionContext, with this loop as the current context. */
  override post<S>(callback: (state: S) => void, state: S): void {
    requireFunction("callback", callback);
    this.#queue.add(new Message(this, callback, state));
  }

  override operationStarted(): void {
    this.#operations++;
  }

  override operationCompleted(): void {
    this.#operations--;
  }

  override createCopy(): SynchronizationContext {
    return this;
  }
}

class Message<S> {
  readonly #loop: MessageLoop;
  readonly #callback: (state: S) => void;
  readonly #state: S;
  readonly #scope = new AsyncScope();

  constructor(loop: MessageLoop, callback: (state: S) => void, state: S) {
    this.#loop = loop;
    this.#callback = callback;
    this.#state = state;
  }

  invoke(): void {
    const outside = swapContext(this.#loop);
    try {
      this.#scope.runOnce(this.#callback, this.#state);
    } finally {
      swapContext(outside);
    }
  }

  fail(error: unknown): void {
    reportUncaught(error);
  }
}
