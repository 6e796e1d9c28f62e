/** Jobs that are generators: what they give comes piece by piece. */
type Streamed = AsyncIterable<unknown> | Iterable<unknown>;

/** Whether a result is a stream, as a pool gives it, or a generator, as a direct call does. */
export function isStreamed(result: unknown): result is Streamed {
  if (typeof result !== "object" || result === null) return false;
  return Symbol.asyncIterator in result || Object.prototype.toString.call(result) === "[object Generator]";
}

/** Reads it to its end. */
export async function drain(result: Streamed): Promise<void> {
  if (Symbol.asyncIterator in result) for await (const _ of result);
  else for (const _ of result);
}
