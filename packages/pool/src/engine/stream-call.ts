/**
 * What a call of a streaming job gives is a Task, as with every job: whether the function is a generator turns out on the thread. So that it can be
 * iterated at once, tasks have the methods of a stream: of the one that they will have as their result. They are not among the types of Task; a
 * handle's call has the type of the stream where its function is a generator.
 */
import { Task } from "@skein/scheduling";
import { addCallback, policyOf } from "@skein/scheduling/internal";
import { define, reflectDefine } from "../shared/intrinsics.ts";
import { joinStream, type JobStream, OpenedStream, type ReadableOptions } from "../submit/job-stream.ts";
import { readableOf } from "../submit/stream-readable.ts";
import { WaitingPromise } from "../submit/stream-readers.ts";

const { apply } = Reflect;

type Result = IteratorResult<unknown, unknown>;

/** Who has called `next` before the stream has opened. */
interface Early {
  readonly call: StreamCall;
  readonly waiting: WaitingPromise;
}

class StreamCall implements JobStream<unknown> {
  readonly #task: Task<unknown>;
  #stream: JobStream<unknown> | null = null;

  /** Of no caller, and always there: see TaskJob.kept. */
  static readonly kept: StreamCall = new StreamCall(null as never);

  constructor(task: Task<unknown>) {
    this.#task = task;
  }

  next(): Promise<Result> {
    if (this.#stream !== null) return this.#stream.next();
    if (policyOf(this.#task) !== "asynchronous") return this.#whenOpen((stream) => stream.next());
    // Goes on as with a promise: one is enough, and no task in between.
    const waiting = new WaitingPromise(null);
    addCallback<Early>(this.#task, StreamCall.#join, { call: this, waiting });
    return waiting.promise;
  }

  static readonly #join = ({ call, waiting }: Early): void => {
    try {
      joinStream(call.#opened(call.#task.result), waiting);
    } catch (error) {
      waiting.reject(error);
    }
  };

  return(): Promise<Result> {
    return this.#task.then(
      (result) => (result instanceof OpenedStream ? result.return() : done),
      () => done,
    ) as Promise<Result>;
  }

  async throw(error: unknown): Promise<never> {
    try {
      await this.return();
    } catch {
      // The caller's error is the one that counts.
    }
    throw error;
  }

  cancel(reason?: unknown): void {
    void this.#task.then(
      (result) => {
        if (result instanceof OpenedStream) result.cancel(reason);
      },
      () => {},
    );
  }

  get completion(): Task<unknown> {
    const completion = this.#whenOpen((stream) => stream.completion);
    // Nobody has to look at it.
    completion.then(undefined, () => {});
    return completion;
  }

  toReadable(options?: ReadableOptions): ReturnType<JobStream<unknown>["toReadable"]> {
    return readableOf(this, options);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #whenOpen<R>(use: (stream: JobStream<unknown>) => PromiseLike<R>): Task<R> & Promise<R> {
    return this.#task.then((result) => use(this.#opened(result))) as Task<R> & Promise<R>;
  }

  #opened(result: unknown): OpenedStream {
    if (!(result instanceof OpenedStream))
      throw new TypeError(
        "The job has given its result in one piece: only that of a generator can be iterated. Await it instead",
      );
    this.#stream = result;
    return result;
  }
}

const done: Result = { done: true, value: undefined };
const calls = new WeakMap<object, StreamCall>();

/**
 * Kept from the first time that it is asked for after the stream has opened. Before, whatever is called waits its turn behind the task, whoever
 * made the call: an entry in the map would cost each short stream for nothing.
 */
function callOf(task: Task<unknown>): StreamCall {
  let call = calls.get(task);
  if (call !== undefined) return call;
  call = new StreamCall(task);
  if (task.isCompleted) calls.set(task, call);
  return call;
}

let areStreams = false;

/** Once. Not when this file is loaded: bundlers are told that nothing happens then. */
export function letTasksStream(): void {
  if (areStreams) return;
  areStreams = true;
  for (const name of ["next", "return", "throw", "cancel", "toReadable", Symbol.asyncDispose] as const) {
    // oxlint-disable-next-line typescript/unbound-method -- called with its receiver
    const method = StreamCall.prototype[name] as (this: StreamCall, ...args: unknown[]) => unknown;
    const delegate = function (this: Task<unknown>, ...args: unknown[]): unknown {
      return apply(method, callOf(this), args);
    };
    define(Task.prototype, name, delegate, false);
  }
  // Its own for each loop: finding one by its task costs a tenth of a short stream.
  const iterate = function (this: Task<unknown>): StreamCall {
    return new StreamCall(this);
  };
  define(Task.prototype, Symbol.asyncIterator, iterate, false);
  // Whatever the descriptor would inherit.
  reflectDefine(Task.prototype, "completion", {
    __proto__: null,
    get(this: Task<unknown>) {
      return callOf(this).completion;
    },
    configurable: true,
  } as PropertyDescriptor);
}
