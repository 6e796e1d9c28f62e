/** The id of a request is in every line that it causes: on other threads, in what they fork, in a batch with others. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contextOf, MultiProducerConcurrentConsumer } from "@skein/batching";
import { correlation as correlate } from "@skein/context/http";
import { ThreadPool } from "@skein/pool";
import type { Scene, Stage } from "../scene.ts";
import { logStep, readSteps } from "./correlation-log.ts";
import type { LoggedStep } from "./correlation-log.ts";
import type * as Jobs from "./correlation.jobs.ts";
import type { Shipment } from "./correlation.jobs.ts";

const IDS = ["order-17", "order-18", "order-19"];
const STEPS = ["request", "job", "forked job", "batch"];
const COLOURS = ["cyan", "magenta", "yellow"] as const;

export const correlation: Scene = {
  title: "A correlation id: request, job, forked job, batch, log",
  about:
    "Three requests at once, each with an id in a header. What they do is spread over threads and ends in one batch. Every line of the log says whose it is, and no function passed an id on.",
  code: [
    new URL("correlation-log.ts", import.meta.url).href,
    new URL("correlation.jobs.ts", import.meta.url).href,
  ],
  async run(stage) {
    const directory = mkdtempSync(join(tmpdir(), "census-tour-"));
    const log = join(directory, "requests.log");
    writeFileSync(log, "");
    try {
      const replies = await serveAll(log, stage);
      const steps = readSteps(log);
      stage.draw(table(steps, stage));
      for (const id of IDS) {
        const own = steps.filter((step) => step.id === id).map(({ step }) => step);
        stage.check(`${id}: ${STEPS.join(" → ")}`, own.join() === STEPS.join());
      }
      stage.check(
        "no line is without an id, no reply has somebody else's",
        steps.length === IDS.length * STEPS.length && replies.join() === IDS.join(),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
};

/** @returns the id in each reply. */
async function serveAll(log: string, stage: Stage): Promise<(string | null)[]> {
  await using pool = new ThreadPool({ name: "correlation", minThreads: 2 });
  pool.start();
  await pool.ready();
  const jobs = pool.module<typeof Jobs>(new URL("./correlation.jobs.ts", import.meta.url));
  await using batches = new MultiProducerConcurrentConsumer<Shipment>({
    batchSize: IDS.length,
    pushIntervalMs: 50,
    maxConcurrency: 1,
    slots: 1,
    flowContext: true,
  });
  batches.start((shipments) => {
    for (const index of shipments.keys()) contextOf(shipments, index).run(() => logStep(log, "batch"));
  });
  const shipments = batches.producer(0).handle;
  const correlated = correlate();
  const server = createServer((request, response) => {
    void correlated(request, response, async () => {
      logStep(log, "request");
      await jobs.order(3, log, shipments, stage.fast ? 0 : 60);
      response.end();
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const watch = setInterval(() => stage.draw(table(readSteps(log), stage)), 40);
  const { port } = server.address() as AddressInfo;
  const replies = await Promise.all(
    IDS.map((id) =>
      fetch(`http://127.0.0.1:${port}/`, { headers: { "x-request-id": id, connection: "close" } }),
    ),
  );
  await batches.complete();
  await stage.pause(500);
  clearInterval(watch);
  server.close();
  return replies.map(({ headers }) => headers.get("x-request-id"));
}

function table(steps: readonly LoggedStep[], { style }: Stage): string[] {
  return steps.map(({ id, step, thread }) => {
    const colour = COLOURS[IDS.indexOf(id ?? "")];
    const name = (id ?? "no id").padEnd(10);
    return `${colour === undefined ? name : style(colour, name)} ${step.padEnd(11)} ${thread === 0 ? "main thread" : `thread ${thread}`}`;
  });
}
