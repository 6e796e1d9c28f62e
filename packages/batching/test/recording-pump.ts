import { TaskCompletionSource } from "@skein/scheduling";

export interface Call<T> {
  readonly items: readonly T[];
  readonly slot: number;
  readonly state: unknown;
  readonly signal: AbortSignal;
  finish(): void;
  fail(error: unknown): void;
}

/** A pump whose batches end when the test says so. Copies the items, as a pump must. */
export class RecordingPump<T> {
  readonly calls: Call<T>[] = [];

  readonly pump = (
    items: readonly T[],
    slot: number,
    state: unknown,
    signal: AbortSignal,
  ): PromiseLike<void> => {
    const source = new TaskCompletionSource<void>();
    this.calls.push({
      items: [...items],
      slot,
      state,
      signal,
      finish: () => source.setResult(),
      fail: (error) => source.setError(error),
    });
    return source.task;
  };

  /** The batches in the order of their starts. */
  get batches(): (readonly T[])[] {
    return this.calls.map(({ items }) => items);
  }

  finishAll(): void {
    for (const call of this.calls.splice(0)) call.finish();
  }
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
