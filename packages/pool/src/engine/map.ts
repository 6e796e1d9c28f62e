/** `map`: a job for each of many items, a bounded number at once, results as they are wanted. */
import type { AsyncScope } from "@skein/context";
import { Task } from "@skein/scheduling";
import { abortOnce } from "@skein/scheduling/internal";
import { cancellationError } from "../submit/cancel-signal.ts";
import type { FunctionSource } from "../jobs/function-source.ts";
import type { ResolvedMapOptions } from "./map-options.ts";
import { IterationLeft } from "./map-results.ts";
import { setImmediate } from "../shared/timers.ts";
import { isLastStep } from "../submit/iterator-step.ts";
import { OpenedStream } from "../submit/job-stream.ts";
import { Promise } from "../shared/intrinsics.ts";

export interface Iteration {
  readonly options: ResolvedMapOptions;
  /** What is called with each item. */
  readonly source: FunctionSource;
  /** Where the source of the items and the jobs run. */
  readonly scope: AsyncScope;
  /** Aborting it with an IterationLeft ends the iteration. */
  readonly controller: AbortController;
}

/**
 * Runs `run` on each item. Never more than `concurrency` items are under way or wait for the consumer, and the source is read no further
 * ahead. When the consumer stops, a job fails or the source does, what is under way is cancelled and the source closed.
 *
 * @param run The job of an item; `signal` is the same for all.
 */
export async function* mapItems<A, R>(
  items: Iterable<A> | AsyncIterable<A>,
  run: (item: A, signal: AbortSignal) => Task<R>,
  { options, source: fn, scope, controller }: Iteration,
): AsyncGenerator<R, void, undefined> {
  const { concurrency, ordered, signal } = options;
  if (signal !== undefined && signal.aborted) throw cancellationError(signal, fn);
  const abort = (): void => controller.abort(cancellationError(signal!, fn));
  const source = scope.run(() =>
    isAsyncIterable(items) ? items[Symbol.asyncIterator]() : items[Symbol.iterator](),
  );
  /** What the consumer gets next: in the order of the items, or of completion. */
  const queue: Task<R>[] = [];
  /** Of streams whose items come as they are ready: what asks for the next, when the item in the queue was taken. */
  const takes = new Map<Task<R>, () => void>();
  /** Under way and not in the queue: only when the order is that of completion. */
  let running = 0;
  let readingEnded = false;
  /** The source owes an item. */
  let isAsked = false;
  /** The source has said that it is done, or has failed: it need not be closed. */
  let isExhausted = false;
  const changed = new Pulse();

  const start = (item: A): void => {
    const task = run(item, controller.signal);
    if (ordered) {
      // Awaited when its turn comes; until then its failure is nobody's surprise.
      task.catch(() => {});
      queue.push(task);
      return;
    }
    running++;
    const arrive = (arrived: Task<R>): void => {
      running--;
      queue.push(arrived);
      changed.send();
    };
    const merge = (stream: OpenedStream): void => {
      stream.next().then(
        ({ done, value }) => {
          if (done === true) {
            running--;
            changed.send();
            return;
          }
          const item = Task.fromResult(value as R);
          takes.set(item, () => {
            running++;
            merge(stream);
          });
          arrive(item);
        },
        (error: unknown) => {
          const failed = Task.fromError<R>(error);
          failed.catch(() => {});
          arrive(failed);
        },
      );
    };
    task
      .then(
        (result) => (result instanceof OpenedStream ? merge(result) : arrive(task)),
        () => arrive(task),
      )
      .catch(() => {});
  };

  /** Null: there are no more. */
  const take = async (): Promise<IteratorYieldResult<A> | null> => {
    isAsked = true;
    try {
      const next = await scope.run(() => source.next());
      isExhausted = isLastStep(next);
      return isExhausted ? null : (next as IteratorYieldResult<A>);
    } catch (error) {
      isExhausted = true;
      throw error;
    } finally {
      isAsked = false;
    }
  };

  // Beside the consumer: a slow source does not hold results back.
  const read = async (): Promise<void> => {
    try {
      while (!controller.signal.aborted) {
        if (queue.length + running >= concurrency) {
          await changed.next();
          continue;
        }
        const next = await take();
        if (next === null) return;
        if (!controller.signal.aborted) scope.run(start, next.value);
        changed.send();
      }
    } finally {
      readingEnded = true;
      changed.send();
    }
  };

  /** Waits for it to be closed, but not behind an item that it owes: it may never come. */
  const close = async (isFailing: boolean): Promise<void> => {
    const closing = scope.run(async () => void (await source.return?.()));
    // As in `for await`: the error that ends the iteration is not replaced by one of closing.
    const closed = isFailing ? closing.catch(() => {}) : closing;
    await (isAsked ? Promise.race([closed, new Promise((resolve) => setImmediate(resolve))]) : closed);
  };

  signal?.addEventListener("abort", abort, abortOnce);
  // It may have fired while the source gave its iterator.
  if (signal?.aborted === true) abort();
  controller.signal.addEventListener("abort", () => changed.send(), abortOnce);
  const reading = read();
  reading.catch(() => {});
  let isFailing = false;
  try {
    for (;;) {
      if (controller.signal.aborted) throw controller.signal.reason;
      const task = queue[0];
      if (task !== undefined) {
        const result = await task;
        const takeNext = takes.get(task);
        if (result instanceof OpenedStream) yield* result as unknown as AsyncIterable<R>;
        // Not before: until it is over, it counts.
        queue.shift();
        takes.delete(task);
        takeNext?.();
        changed.send();
        if (!(result instanceof OpenedStream)) yield result;
      } else if (readingEnded && running === 0) {
        await reading;
        return;
      } else {
        await changed.next();
      }
    }
  } catch (error) {
    if (error instanceof IterationLeft) return;
    isFailing = true;
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
    controller.abort();
    if (!isExhausted) await close(isFailing);
  }
}

/** Wakes everybody who waits for the next change. */
class Pulse {
  #waiting: PromiseWithResolvers<void> | null = null;

  next(): Promise<void> {
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#waiting.promise;
  }

  send(): void {
    this.#waiting?.resolve();
    this.#waiting = null;
  }
}

export function isAsyncIterable<A>(items: Iterable<A> | AsyncIterable<A>): items is AsyncIterable<A> {
  return Symbol.asyncIterator in items;
}
