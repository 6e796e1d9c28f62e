import { timeLimit } from "./time-limit.ts";

/**
 * Resolves once `condition` holds, asked again and again, with what it gave.
 * @throws when it has not come true in ample time; `what` says what was waited for.
 */
export async function eventually<T>(
  what: string,
  condition: () => T | PromiseLike<T>,
  limitMs = 30_000,
): Promise<NonNullable<T>> {
  const end = performance.now() + timeLimit(limitMs);
  for (;;) {
    const seen = await condition();
    if (seen !== false && seen !== undefined && seen !== null) return seen;
    if (performance.now() > end) throw new Error(`waited in vain for this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
