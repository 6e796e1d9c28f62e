/** The process that serves. Its arguments: where heavy work is done, and how much of it a heavy request is. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { AddressInfo } from "node:net";
import { buildApp } from "./app.ts";
import { heavyWork } from "./heavy-work.ts";
import type { ServerMeasured, ServerQuestion } from "./protocol.ts";
import type { Place } from "./variants.ts";

const RESOLUTION_MS = 1;

const place = JSON.parse(process.argv[2] ?? "") as Place;
const steps = Number(process.argv[3]);

// A client that hangs up ends no job: what still runs would disturb the next round.
let underWay = 0;
let whenIdle: () => void = () => {};
const work = heavyWork(place);
const app = buildApp(
  {
    ...work,
    async run(...args) {
      underWay++;
      try {
        return await work.run(...args);
      } finally {
        if (--underWay === 0) whenIdle();
      }
    },
  },
  steps,
);
await app.listen({ host: "127.0.0.1", port: 0 });

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
let cpuBefore = process.cpuUsage();

process.on("message", (question: ServerQuestion) => void answer(question));
process.on("disconnect", abandoned);
process.send?.((app.server.address() as AddressInfo).port);

async function answer({ ask }: ServerQuestion): Promise<void> {
  switch (ask) {
    case "begin":
      cpuBefore = process.cpuUsage();
      delay.reset();
      delay.enable();
      process.send?.(null);
      return;
    case "measured":
      process.send?.(await measured());
      return;
    case "stop":
      await app.close();
      // Nothing may be left that keeps the process: it ends by itself, or is found out.
      process.off("disconnect", abandoned);
      process.send?.(null, undefined, undefined, () => process.disconnect());
  }
}

function abandoned(): void {
  process.exit(1);
}

async function measured(): Promise<ServerMeasured> {
  delay.disable();
  const { user, system } = process.cpuUsage(cpuBefore);
  if (underWay > 0) await new Promise<void>((resolve) => (whenIdle = resolve));
  return {
    delayP50Ms: late(delay.percentile(50)),
    delayP99Ms: late(delay.percentile(99)),
    cpuMs: (user + system) / 1000,
  };
}

/** The histogram holds the time from one run of the timer to the next. */
function late(betweenNs: number): number {
  return Math.max(0, betweenNs / 1e6 - RESOLUTION_MS);
}
