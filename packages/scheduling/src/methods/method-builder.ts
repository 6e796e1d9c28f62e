/**
 * Makes what a generator method returns, and completes it: one object per call.
 *
 * The driver calls `setResult` or `setError` exactly once, perhaps before `task` is first read, then never again touches
 * the builder. An OperationCanceledError should cancel.
 *
 * @see https://learn.microsoft.com/dotnet/csharp/language-reference/language-specification/classes#15153-task-type-builder-pattern
 */
export interface AsyncMethodBuilder<R> {
  /** What the call returns. Read once, after the method has run until it completed or first had to wait. */
  readonly task: R;
  setResult(value: unknown): void;
  setError(error: unknown): void;
}

/** The body of a method: `yield*` what is ours, `yield` any other awaitable or promise. */
export type MethodBody<This, A extends unknown[], R> = (
  this: This,
  ...args: A
) => Generator<unknown, R, unknown>;
