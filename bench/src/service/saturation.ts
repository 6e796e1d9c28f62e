/**
 * Load without pause: a number of requests over a few connections, each of which asks again as soon as it is answered. Tells how
 * much the server can do. Its latencies would say more about the number of connections than about the server: not taken.
 */
import autocannon from "autocannon";
import { HEAVY_ONE_IN } from "./arrivals.ts";
import { clockMs } from "./clock.ts";
import type { SaturationOutcome, SaturationPlan } from "./protocol.ts";
import { ReplyCheck } from "./reply-check.ts";

interface Asked {
  id: string;
  seed: number | null;
}

export async function saturation(
  plan: SaturationPlan,
  digests: readonly number[],
): Promise<SaturationOutcome> {
  const check = new ReplyCheck(digests);
  let asked = 0;
  let lastReplyMs = 0;
  const startMs = clockMs();
  const result = await autocannon({
    url: `http://127.0.0.1:${plan.port}`,
    connections: plan.connections,
    // A number, not a duration: after a duration the heavy requests would be those that are left unanswered.
    amount: plan.requests,
    timeout: 30,
    requests: [
      {
        setupRequest(request, context) {
          const index = asked++;
          const next = context as Asked;
          next.seed = index % HEAVY_ONE_IN === 0 ? (index / HEAVY_ONE_IN) % digests.length : null;
          next.id = `s.${index}`;
          return {
            ...request,
            path: next.seed === null ? `/light/${index % 100}` : `/heavy/${next.seed}`,
            headers: { "x-request-id": next.id },
          };
        },
        onResponse(status, body, context) {
          // Its own result ends with a whole sampling interval.
          lastReplyMs = clockMs();
          const { id, seed } = context as Asked;
          check.reply(status, body, id, seed);
        },
      },
    ],
  });
  if (result.errors > 0)
    check.error(`autocannon: ${result.errors} errors, ${result.timeouts} of them timeouts`);
  const replies = result["2xx"];
  if (replies !== plan.requests) check.error(`${replies} replies to ${plan.requests} requests`);
  return { replies, elapsedMs: lastReplyMs - startMs, ...check.faults };
}
