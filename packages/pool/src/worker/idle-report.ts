/** Says when this thread has had nothing to do for a while. One timer that lags behind: resting and waking cost nothing more. */
import type { DispatchLoop } from "./dispatch-loop.ts";

export function reportIdleness(loop: DispatchLoop, timeoutMs: number, report: () => void): void {
  const check = (): void => {
    const restedMs = loop.restedMs;
    if (restedMs >= timeoutMs) report();
    // Asked again when the host wanted to keep the thread.
    setTimeout(check, restedMs >= timeoutMs ? timeoutMs : timeoutMs - restedMs).unref();
  };
  setTimeout(check, timeoutMs).unref();
}
