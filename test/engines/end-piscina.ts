import type { Piscina } from "piscina";
import { eventually } from "../support/eventually.ts";

/**
 * Ends a Piscina once nothing is under way on it: it emits `error` for what a thread sends after `destroy`, and its `close` may not see that
 * all is done when a thread has just been replaced.
 */
export async function endPiscina(piscina: Piscina): Promise<void> {
  await eventually("the Piscina is idle", () => {
    return piscina.queueSize === 0 && piscina.idleThreads === piscina.threads.length;
  });
  await piscina.destroy();
}
