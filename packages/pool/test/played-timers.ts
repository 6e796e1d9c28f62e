/**
 * A clock and a `setImmediate` that the test plays. For `vi.mock("…/src/shared/timers.ts", playTimers)`: the pool has taken Node's own
 * when it was loaded, so replacing the global ones changes nothing.
 */
import type * as Timers from "../src/shared/timers.ts";

export const played: { nowMs: number; immediates: (() => void)[] } = { nowMs: 0, immediates: [] };

export async function playTimers(original: () => Promise<typeof Timers>): Promise<object> {
  return {
    ...(await original()),
    now: () => played.nowMs,
    setImmediate: (callback: () => void) => void played.immediates.push(callback),
  };
}
