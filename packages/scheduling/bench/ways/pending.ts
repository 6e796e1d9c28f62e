/** Awaiting what is not there yet: one operation after the other is completed by somebody else. */
import { ManualResetValueTaskSource, Task } from "@skein/scheduling";

function nothing(): void {}

const settled = Promise.resolve();

/** A promise per operation. The producer gives way after each, or nobody would consume it. */
export async function pendingNative(count: number): Promise<number> {
  let resolve: (value: number) => void = nothing;
  const consume = async (): Promise<number> => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const operation = Promise.withResolvers<number>();
      resolve = operation.resolve;
      sum += await operation.promise;
    }
    return sum;
  };
  const consumer = consume();
  for (let i = 0; i < count; i++) {
    resolve(1);
    await settled;
  }
  return consumer;
}

/** The same with a thousand consumers who wait at once, so that the producer gives way once for all of them. */
export async function pendingNativeWide(count: number): Promise<number> {
  const WIDTH = 1000;
  const resolvers: ((value: number) => void)[] = [];
  let sum = 0;
  const consume = async (slot: number): Promise<void> => {
    for (let i = slot; i < count; i += WIDTH) {
      const { promise, resolve } = Promise.withResolvers<number>();
      resolvers[slot] = resolve;
      sum += await promise;
    }
  };
  const consumers = Array.from({ length: WIDTH }, (_, slot) => consume(slot));
  for (let i = 0; i < count; i += WIDTH) {
    for (let slot = 0; slot < WIDTH; slot++) resolvers[slot]?.(1);
    await Promise.resolve();
  }
  await Promise.all(consumers);
  return sum;
}

const source = new ManualResetValueTaskSource<number>();

const consumePending = Task.async(function* (count: number) {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    source.reset();
    sum += yield* source.valueTask();
  }
  return sum;
});

export function pendingReused(count: number): number {
  const consumer = consumePending(count);
  for (let i = 0; i < count; i++) source.setResult(1);
  return consumer.result;
}
