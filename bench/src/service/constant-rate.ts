/**
 * Load at a constant rate: requests are sent when they are due, whether earlier ones have been answered or not, and their time
 * counts from then. So a server that stands still is charged for everybody who would have come meanwhile; a client that waits
 * for a reply before it asks again would not notice them (coordinated omission).
 */
import { Agent, get } from "node:http";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { arrivals } from "./arrivals.ts";
import { clockMs } from "./clock.ts";
import type { MetronomeData } from "./metronome.worker.ts";
import type { ConstantRateOutcome, ConstantRatePlan } from "./protocol.ts";
import { ReplyCheck } from "./reply-check.ts";

/** Time for the metronome to start. */
const LEAD_MS = 150;

export async function constantRate(
  plan: ConstantRatePlan,
  digests: readonly number[],
): Promise<ConstantRateOutcome> {
  const { dueMs, isHeavy } = arrivals(plan.seed, plan.ratePerSecond, plan.seconds);
  const agent = new Agent({ keepAlive: true, maxSockets: plan.connections });
  const check = new ReplyCheck(digests);
  const lightMs: number[] = [];
  const heavyMs: number[] = [];
  const latenessMs: number[] = [];
  const startMs = clockMs() + LEAD_MS;
  const all = Promise.withResolvers<void>();
  let open = dueMs.length;

  const send = (index: number): void => {
    const due = startMs + dueMs[index]!;
    latenessMs.push(clockMs() - due);
    const seed = isHeavy[index] ? index % digests.length : null;
    const id = `${plan.seed}.${index}`;
    const settle = (): void => {
      if (--open === 0) all.resolve();
    };
    const request = get(
      {
        agent,
        host: "127.0.0.1",
        port: plan.port,
        path: seed === null ? `/light/${index % 100}` : `/heavy/${seed}`,
        headers: { "x-request-id": id },
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (body += chunk));
        response.on("end", () => {
          (seed === null ? lightMs : heavyMs).push(clockMs() - due);
          check.reply(response.statusCode ?? 0, body, id, seed);
          settle();
        });
      },
    );
    request.on("error", (error) => {
      check.error(error.message);
      settle();
    });
  };

  const data: MetronomeData = { dueMs, startMs };
  const metronome = new Worker(new URL("metronome.worker.ts", import.meta.url), { workerData: data });
  metronome.on("message", send);
  metronome.on("error", all.reject);
  const ended = once(metronome, "exit");
  await all.promise;
  await ended;
  agent.destroy();
  return { lightMs, heavyMs, latenessMs, ...check.faults };
}
