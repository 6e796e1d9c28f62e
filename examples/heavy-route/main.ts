/**
 * An HTTP service in which one route needs the CPU. That route submits a job, so the event loop keeps answering the others. When a client
 * disconnects its job stops, and when all threads are busy the service says so.
 */
import { correlation } from "@skein/context/fastify";
import { QueueFullError, ThreadPool } from "@skein/pool";
import { fastify } from "fastify";
import type * as Jobs from "./primes.jobs.ts";

// Deliberately small, so that two heavy requests are already too many: one thread, no queue.
const pool = new ThreadPool({ maxThreads: 1, maxQueue: 0 });
const jobs = pool.module<typeof Jobs>(new URL("./primes.jobs.ts", import.meta.url));

const app = fastify();
await app.register(correlation); // each request has its id, in handlers and in jobs

app.get("/health", () => ({ running: pool.stats().threads.running }));

app.get<{ Params: { limit: string } }>("/primes/:limit", async (request, reply) => {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return await pool.run(jobs.countPrimes, [Number(request.params.limit)], { signal: gone.signal });
});

app.setErrorHandler((error, _request, reply) => {
  if (!(error instanceof QueueFullError)) throw error;
  void reply.code(503).send({ error: "busy" });
});
app.addHook("onClose", async () => pool.close());

// From here on the clients.
const address = await app.listen({ port: 0, host: "127.0.0.1" });

async function get(path: string, init?: RequestInit): Promise<string> {
  const response = await fetch(address + path, init);
  return `${response.status} ${await response.text()}`;
}

async function poll(path: string, done: (answer: string) => boolean, init?: RequestInit): Promise<string> {
  for (;;) {
    const answer = await get(path, init);
    if (done(answer)) return answer;
  }
}

// A request that would take years. While its job runs, the light route answers, and the heavy one has no thread left.
const client = new AbortController();
const endless = get("/primes/1e15", { signal: client.signal }).catch((error: Error) => error.name);
console.log("health:", await poll("/health", (answer) => answer.includes('"running":1')));
console.log("primes:", await get("/primes/100000"));

// Its client goes away and the job stops. Now a patient client gets its answer, and the job has seen the id that it sent.
client.abort();
console.log("endless:", await endless);
const init = { headers: { "x-request-id": "report-7" } };
console.log("primes:", await poll("/primes/100000", (answer) => !answer.startsWith("503"), init));

await app.close();
