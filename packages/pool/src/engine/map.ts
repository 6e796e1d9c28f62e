/** `map`: a job for each of many items, a bounded number at once, results as they are wanted. */
import type { Task } from "@skein/scheduling";
import type { ResolvedMapOptions } from "./options.ts";

/**
 * Runs `run` on each item. The source is read only `concurrency` items ahead of the consumer; when that stops, or one job fails, or
 * the source does, what is under way is cancelled and the source closed.
 */
export async function* mapItems<A, R>(
  items: Iterable<A> | AsyncIterable<A>,
  run: (item: A, signal: AbortSignal) => Task<R>,
  { concurrency, ordered, signal }: ResolvedMapOptions,
): AsyncGenerator<R, void, undefined> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal!.reason);
  const source = isAsyncIterable(items) ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  /** What the consumer gets next: in the order of the items, or of completion. */
  const queue: Task<R>[] = [];
  /** Under way and not in the queue: only when the order is that of completion. */
  let running = 0;
  let readingEnded = false;
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
    const arrive = (): void => {
      running--;
      queue.push(task);
      changed.send();
    };
    task.then(arrive, arrive).catch(() => {});
  };

  const take = async (): Promise<IteratorResult<A>> => {
    try {
      const next = await source.next();
      isExhausted = next.done === true;
      return next;
    } catch (error) {
      isExhausted = true;
      throw error;
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
        if (next.done === true) return;
        if (!controller.signal.aborted) start(next.value);
        changed.send();
      }
    } finally {
      readingEnded = true;
      changed.send();
    }
  };

  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort, { once: true });
  controller.signal.addEventListener("abort", () => changed.send());
  const reading = read();
  reading.catch(() => {});
  try {
    for (;;) {
      controller.signal.throwIfAborted();
      const task = queue.shift();
      if (task !== undefined) {
        changed.send();
        yield await task;
      } else if (readingEnded && running === 0) {
        await reading;
        return;
      } else {
        await changed.next();
      }
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    controller.abort();
    if (!isExhausted) await source.return?.();
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
