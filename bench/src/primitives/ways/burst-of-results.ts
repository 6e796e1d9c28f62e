/** Many results in one turn of the event loop, each followed by a little work: how long nothing else gets a turn. */
import { EventLoopScheduler } from "@skein/scheduling";
import { burst, promiseBurst } from "../../../../packages/scheduling/bench/burst.ts";
import type { Burst } from "../../../../packages/scheduling/bench/burst.ts";
import type { Round } from "../cost.ts";

export const RESULTS = 20_000;
export const WORK_US = 5;

type Name = "asynchronous" | "inline" | "yield" | "EventLoopScheduler" | "promises";

export function rounds(divisor: number): Record<Name, Round> {
  const results = RESULTS / divisor;
  const native = "native await";
  return {
    asynchronous: async () => shown(await burst("asynchronous", native, WORK_US, results)),
    inline: async () => shown(await burst("inline", native, WORK_US, results)),
    yield: async () => shown(await burst("yield", native, WORK_US, results)),
    EventLoopScheduler: async () =>
      shown(await burst(new EventLoopScheduler({ budgetMs: 16 }), native, WORK_US, results)),
    promises: async () => shown(await promiseBurst(WORK_US, results)),
  };
}

function shown({ longestStallMs, totalMs, turns }: Burst): Record<string, number> {
  return { longestStallMs, totalMs, turns };
}
