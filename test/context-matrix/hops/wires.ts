/** Over other pools, other processes and HTTP. */
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Cluster, serveJobs } from "@skein/cluster";
import { release, spawn } from "@skein/comlink";
import { AsyncScope } from "@skein/context";
import {
  contextFetch,
  contextHeaders,
  contextInterceptor,
  correlation,
  correlationId,
} from "@skein/context/http";
import { PiscinaEngine } from "@skein/piscina/engine";
import { ThreadPool } from "@skein/pool";
import { ProcessPool } from "@skein/pool/process";
import { Piscina } from "piscina";
import { Agent, fetch as undiciFetch, request, type RequestInit } from "undici";
import { startRedis } from "../../support/redis-server.ts";
import { see, type Seen } from "../ambient.ts";
import type * as Jobs from "../matrix.jobs.ts";
import { all, inJob, onCaller, onOtherMachine } from "../rights.ts";
import { frameworks, startServer } from "../servers.ts";
import { closing, collected, type Hop, jobsUrl, shared, type Stage } from "../stage.ts";

/** Asks a server that knows the caller by his header alone. The connection ends with it: one that is kept keeps whoever made it. */
async function asked(framework: string, { owner }: Stage): Promise<Seen[]> {
  servers[framework] ??= AsyncScope.root.run(started, framework);
  const sent = `id.${owner}`;
  const url = await servers[framework];
  const agent = new Agent();
  const { body } = await correlationId.run(sent, () =>
    request(url, { dispatcher: agent.compose(contextInterceptor()) }),
  );
  const { id, seen } = (await body.json()) as { id: string; seen: Seen[] };
  await agent.close();
  if (id !== sent) throw new Error(`the handler saw ${id}, not ${sent}`);
  return seen;
}
const servers: Record<string, Promise<string>> = {};

async function started(framework: string): Promise<string> {
  const { seeIt, idOfRequest } = ThreadPool.shared.module<typeof Jobs>(jobsUrl);
  const url = await startServer(framework, async () => [see(), await seeIt()], idOfRequest);
  await firstOf(request, url);
  return url;
}

/** Timers that undici keeps have the context of the first request of the process, on Node 22. */
async function firstOf(send: typeof request | typeof undiciFetch, url: string): Promise<void> {
  const agent = new Agent();
  const { body } = await send(url, { dispatcher: agent });
  if (body !== null) for await (const _ of body) continue;
  await agent.close();
}

/** Piscina makes its threads in the context of whoever makes it. */
const piscina = shared(() => new Piscina({ maxThreads: 1 }));

const processes = shared(() => {
  const pool = new ProcessPool({ maxThreads: 1 });
  closing.push(() => pool.close());
  return pool.module<typeof Jobs>(jobsUrl);
});

/** Null without a Redis. */
const cluster = shared(async () => {
  const redis = await startRedis();
  if (redis === null) return null;
  const pool = new ThreadPool({ maxThreads: 1 });
  const its = { connection: redis.url, name: "matrix" };
  const server = await serveJobs({ ...its, pool, modules: { matrix: jobsUrl } });
  const own = new Cluster(its);
  closing.push(
    () => own.close(),
    () => server.close(),
    () => pool.close(),
    () => redis[Symbol.asyncDispose](),
  );
  return own.module<typeof Jobs>(jobsUrl);
});

/** An object on a thread of its own. */
const watcher = shared(async () => {
  const pool = new ThreadPool({ maxThreads: 1 });
  closing.push(() => pool.close());
  return await spawn<typeof Jobs, "Watcher">(pool, jobsUrl, "Watcher", []);
});

/** Answers with the id that it was sent. */
const echo = shared(async () => {
  const server = createServer((asked, answer) => answer.end(asked.headers["x-request-id"]));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await firstOf(undiciFetch, url);
  return url;
});

export const wireHops: readonly Hop[] = [
  {
    name: "a job on a Piscina",
    rights: inJob,
    run: async () => {
      return [await new PiscinaEngine(piscina()).module<typeof Jobs>(jobsUrl).seeLater()];
    },
  },
  {
    name: "a job in another process, over a ProcessPool",
    rights: inJob,
    run: async () => [await processes().seeIt(), await processes().seeLater()],
  },
  {
    name: "a job on another machine, over a Cluster",
    rights: onOtherMachine,
    run: async () => {
      const jobs = await cluster();
      return jobs === null ? null : [await jobs.seeIt(), await jobs.seeLater()];
    },
  },
  {
    name: "await of a job on another machine",
    rights: onCaller,
    run: async () => {
      const jobs = await cluster();
      if (jobs === null) return null;
      await jobs.seeIt();
      const whole = see();
      await jobs.fail().catch(() => {});
      return [whole, see()];
    },
  },
  {
    name: "a call of an object on a thread, over Comlink",
    rights: inJob,
    run: async () => {
      const object = await watcher();
      const other = await new object.Other();
      const seen = [await object.see(), await object.seeLater(), await object.property, await other.seen];
      await release(other);
      return seen;
    },
  },
  {
    name: "a callback of such a call, and what follows it",
    rights: onCaller,
    run: async () => {
      const object = await watcher();
      return [await object.callBack(() => see()), see()];
    },
  },
  ...Object.keys(frameworks).map((framework): Hop => ({
    name: `a request to ${framework}, and a job of it`,
    rights: all("safe g"),
    run: (stage) => asked(framework, stage),
  })),
  {
    name: "http, in and out, with a job between",
    rights: { ...all("safe g"), sync: "safe c" },
    run: async ({ pool, owner }) => {
      const withCorrelation = correlation();
      const server = createServer((request, response) => {
        void withCorrelation(request, response, async () => {
          await pool.run(() => 1, []);
          response.end(`${contextHeaders()["x-request-id"]} ${correlationId.value}`);
        });
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const id = `id.${owner.replaceAll(" ", "-")}`;
      const { port } = server.address() as AddressInfo;
      const [response] = (await once(
        get({ port, agent: false, host: "127.0.0.1", headers: { "x-request-id": id } }),
        "response",
      )) as [IncomingMessage];
      const body = (await collected(response)).join("");
      server.close();
      if (body !== `${id} ${id}`) throw new Error(`the server saw ${body}, not ${id}`);
      return [see()];
    },
  },
  {
    name: "contextFetch, and what follows it",
    rights: onCaller,
    run: async ({ owner }) => {
      const agent = new Agent();
      const send = contextFetch(undefined, async (input, init) => {
        return await undiciFetch(input as string, { ...init, dispatcher: agent } as RequestInit);
      });
      const id = `id.${owner}`;
      const answer = await correlationId.run(id, async () => await send(await echo()));
      const received = await answer.text();
      await agent.close();
      if (received !== id) throw new Error(`the server got ${received}, not ${id}`);
      return [see()];
    },
  },
];
