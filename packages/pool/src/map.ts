/** `map`: a job for each of many items, a bounded number at once, results as they are wanted. */
import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import type { Task } from "@skein/scheduling";

export interface MapOptions {
  /** How many jobs are under way at once, and so how far the source is read ahead. 1 to 65 536. @default 4 per thread */
  readonly concurrency?: number | undefined;
  /** Whether results come in the order of the items; otherwise as they are ready. @default true */
  readonly ordered?: boolean | undefined;
  /** Ends the iteration with its reason, and cancels what is under way. */
  readonly signal?: AbortSignal | undefined;
}

interface ResolvedMap {
  readonly concurrency: number;
  readonly ordered: boolean;
  readonly signal: AbortSignal | undefined;
}

const MAX_CONCURRENCY = 65_536;

/** @throws TypeError or RangeError naming the option. */
export function resolveMapOptions(options: MapOptions | undefined, defaultConcurrency: number): ResolvedMap {
  if (options !== undefined && (typeof options !== "object" || options === null)) {
    throw argumentTypeError("options", "an object", options);
  }
  const { concurrency, ordered, signal } = Object.assign(Object.create(null) as MapOptions, options);
  if (concurrency !== undefined) {
    const expected = `an integer from 1 to ${MAX_CONCURRENCY}`;
    if (typeof concurrency !== "number") throw argumentTypeError("concurrency", expected, concurrency);
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > MAX_CONCURRENCY) {
      throw argumentRangeError("concurrency", expected, concurrency);
    }
  }
  if (ordered !== undefined && typeof ordered !== "boolean")
    throw argumentTypeError("ordered", "a boolean", ordered);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw argumentTypeError("signal", "an AbortSignal", signal);
  return { concurrency: concurrency ?? defaultConcurrency, ordered: ordered ?? true, signal };
}

/**
 * Runs `run` on each item. The source is read only `concurrency` items ahead of the consumer; when that stops, or one job fails, or
 * the source does, what is under way is cancelled and the source closed.
 */
export async function* mapItems<A, R>(
  items: Iterable<A> | AsyncIterable<A>,
  run: (item: A, signal: AbortSignal) => Task<R>,
  { concurrency, ordered, signal }: ResolvedMap,
): AsyncGenerator<R, void, undefined> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal!.reason);
  const source = isAsync(items) ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  /** What the consumer gets next: in the order of the items, or of completion. */
  const queue: Task<R>[] = [];
  /** Under way and not in the queue: only when the order is that of completion. */
  let running = 0;
  let sourceEnded = false;
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

  // Beside the consumer: a slow source does not hold results back.
  const read = async (): Promise<void> => {
    try {
      while (!controller.signal.aborted) {
        if (queue.length + running >= concurrency) {
          await changed.next();
          continue;
        }
        const next = await source.next();
        if (next.done === true) return;
        if (!controller.signal.aborted) start(next.value);
        changed.send();
      }
    } finally {
      sourceEnded = true;
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
      } else if (sourceEnded && running === 0) {
        await reading;
        return;
      } else {
        await changed.next();
      }
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    controller.abort();
    if (!sourceEnded) await source.return?.();
  }
}

/** Wakes everybody who waits for the next change. */
class Pulse {
  #waiting = Promise.withResolvers<void>();

  next(): Promise<void> {
    return this.#waiting.promise;
  }

  send(): void {
    this.#waiting.resolve();
    this.#waiting = Promise.withResolvers<void>();
  }
}

function isAsync<A>(items: Iterable<A> | AsyncIterable<A>): items is AsyncIterable<A> {
  return Symbol.asyncIterator in items;
}
