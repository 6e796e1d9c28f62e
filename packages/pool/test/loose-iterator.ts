/** Gives `items`; its `done` is 0, and 1 at the end, which is false and true to the language. It must not be asked again after its end. */
function loose<T>(items: readonly T[]): { next(): IteratorResult<T> } {
  let at = 0;
  return {
    next() {
      if (at > items.length) throw new Error("asked again after its end");
      const value = items[at++];
      return { done: at > items.length ? 1 : 0, value } as never;
    },
  };
}

/** In turn, of all kinds of source: what `for await` reads of each is `items`. */
export function* looseSources<T>(items: readonly T[]): Generator<Iterable<T> | AsyncIterable<T>> {
  yield { [Symbol.iterator]: () => loose(items) };
  yield {
    [Symbol.asyncIterator]: () => {
      const steps = loose(items);
      return { next: async () => steps.next() };
    },
  };
}

/** The same: of each, the step behind the first item is no object, which is a TypeError. */
export function* brokenSources<T>(item: T): Generator<Iterable<T> | AsyncIterable<T>> {
  const steps = (): (() => IteratorResult<T>) => {
    let count = 0;
    return () => (count++ === 0 ? { done: false, value: item } : (5 as never));
  };
  yield { [Symbol.iterator]: () => ({ next: steps() }) };
  yield {
    [Symbol.asyncIterator]: () => {
      const next = steps();
      return { next: async () => next() };
    },
  };
}
