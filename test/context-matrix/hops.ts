/** The rows of the matrix: how code comes to run on somebody's behalf, and what it must see then. */
import { EventEmitter, once } from "node:events";
import { subscribe, tracingChannel, unsubscribe } from "node:diagnostics_channel";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { contextOf, MultiProducerConcurrentConsumer } from "@skein/batching";
import { AsyncScope } from "@skein/context";
import { contextHeaders, contextInterceptor, correlation, correlationId } from "@skein/context/http";
import { PiscinaEngine } from "@skein/piscina/engine";
import { ThreadPool } from "@skein/pool";
import { Piscina } from "piscina";
import { Agent, request } from "undici";
import { EventLoopScheduler, SynchronizationContext, Task } from "@skein/scheduling";
import { KINDS, type Kind, leaveBehind, see, type Seen } from "./ambient.ts";
import type * as Loaded from "./loaded.jobs.ts";
import type * as Jobs from "./matrix.jobs.ts";
import { frameworks, startServer } from "./servers.ts";

/** mine: the value of whoever began it; nothing; safe: either, never anybody else's. */
export type Right = "mine" | "nothing" | "safe";
type Rights = Readonly<Record<Kind, Right>>;

const inJob: Rights = {
  local: "nothing",
  thread: "mine",
  wire: "mine",
  foreign: "nothing",
  flowing: "mine",
  span: "mine",
  sync: "nothing",
};
const onMain: Rights = {
  local: "mine",
  thread: "mine",
  wire: "mine",
  foreign: "mine",
  flowing: "mine",
  span: "mine",
  sync: "safe",
};
const nobody: Rights = {
  local: "nothing",
  thread: "nothing",
  wire: "nothing",
  foreign: "nothing",
  flowing: "nothing",
  span: "nothing",
  sync: "nothing",
};
const inJobAndAfter: Rights = { ...inJob, foreign: "safe", local: "safe", sync: "safe" };

export interface Stage {
  readonly pool: ThreadPool;
  readonly jobs: ReturnType<typeof ThreadPool.prototype.module<typeof Jobs>>;
  /** Whose turn it is. */
  readonly owner: string;
}

export interface Hop {
  readonly name: string;
  readonly rights: Rights;
  /** Called in its owner's context; everything that it gives must be right. */
  readonly run: (stage: Stage) => Promise<readonly Seen[]>;
}

const gate = (): Int32Array => new Int32Array(new SharedArrayBuffer(4));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function opened(word: Int32Array): Promise<void> {
  while (Atomics.load(word, 0) === 0) await turn();
}

/** What subscribers of a job channel see, of the jobs that `body` submits. */
async function atChannel(name: string, { owner }: Stage, body: () => PromiseLike<unknown>): Promise<Seen[]> {
  const seen: { task: unknown; seen: Seen }[] = [];
  const listener = (message: unknown): void =>
    void seen.push({ task: (message as { task: unknown }).task, seen: see() });
  subscribe(name, listener);
  const task = body();
  await task.then(null, () => {});
  await turn();
  unsubscribe(name, listener);
  const mine = seen.filter((entry) => entry.task === task).map((entry) => entry.seen);
  if (mine.length === 0) throw new Error(`${name} was not published for ${owner}`);
  return mine;
}

/** What a subscriber of a TracingChannel sees at the end of `body`. */
async function atTracingEnd(name: string, body: () => PromiseLike<unknown>): Promise<Seen[]> {
  const seen: Seen[] = [];
  const listener = (): void => void seen.push(see());
  const { asyncEnd } = tracingChannel(name);
  asyncEnd.subscribe(listener);
  await body();
  asyncEnd.unsubscribe(listener);
  return seen;
}

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
  const url = await startServer(framework, async () => [
    see(),
    await ThreadPool.shared.module<typeof Jobs>(jobsUrl).seeIt(),
  ]);
  // A timer that undici keeps has the context of the first request of the process, on Node 22.
  const agent = new Agent();
  await (await request(url, { dispatcher: agent })).body.dump();
  await agent.close();
  return url;
}

/** Of nobody's: Piscina makes its threads in the context of whoever makes it. */
let piscina: Piscina | undefined;

export const hops: readonly Hop[] = [
  {
    name: "getters while arguments are encoded",
    rights: onMain,
    run: async ({ pool }) => {
      let seen: Seen | undefined;
      const value = {
        get x() {
          seen = see();
          return 1;
        },
      };
      await pool.run((v: object) => v, [value]);
      return [seen!];
    },
  },
  { name: "a job", rights: inJob, run: async ({ jobs }) => [await jobs.seeIt()] },
  { name: "a job behind its own await", rights: inJob, run: async ({ jobs }) => [await jobs.seeLater()] },
  {
    name: "flowContext: false",
    rights: nobody,
    run: async ({ pool, jobs }) => [await pool.run(jobs.seeIt, [], { flowContext: false })],
  },
  {
    name: "await of a job",
    rights: onMain,
    run: async ({ jobs }) => {
      await jobs.seeIt();
      return [see()];
    },
  },
  {
    name: "await of a job that fails",
    rights: onMain,
    run: async ({ jobs }) => {
      try {
        await jobs.fail();
      } catch {
        return [see()];
      }
      return [];
    },
  },
  {
    name: "then, catch and finally of a job",
    rights: onMain,
    run: async ({ jobs }) => {
      const seen: Seen[] = [];
      const look = (): void => void seen.push(see());
      await jobs.seeIt().then(look);
      await jobs.fail().catch(look);
      await jobs.seeIt().finally(look);
      return seen;
    },
  },
  {
    name: "Task.delay, then a timer",
    rights: onMain,
    run: async () => {
      await Task.delay(1);
      const behindDelay = see();
      const inTimer = await new Promise<Seen>((resolve) => setTimeout(() => resolve(see()), 1));
      return [behindDelay, inTimer];
    },
  },
  {
    name: "a nested job, and what follows it",
    rights: inJobAndAfter,
    run: async ({ jobs }) => await jobs.seeNested(),
  },
  {
    name: "a nested job in another context",
    rights: inJob,
    run: async ({ jobs, owner }) =>
      (await jobs.nestedAsOther(`inner ${owner}`)).map(({ thread, wire, flowing, span, ...others }) =>
        Object.assign(others, {
          span: span.replace("inner ", ""),
          flowing: flowing.replace("inner ", ""),
          thread: thread.replace("inner ", ""),
          wire: wire.replace("inner ", ""),
        }),
      ),
  },
  {
    name: "fork and join, and what follows it",
    rights: inJobAndAfter,
    run: async ({ jobs }) => await jobs.seeForked(),
  },
  { name: "fork, awaited", rights: inJobAndAfter, run: async ({ jobs }) => await jobs.seeForkAwaited() },
  ...[1, 3].map((chunkSize): Hop => ({
    name: `map with chunkSize ${chunkSize}, its jobs`,
    rights: inJob,
    run: async ({ pool, jobs }) =>
      await collected(pool.map(jobs.seeItem, [1, 2, 3, 4, 5], { chunkSize, concurrency: 2 })),
  })),
  {
    name: "map, the body of the loop",
    rights: onMain,
    run: async ({ pool, jobs }) => {
      const seen: Seen[] = [];
      for await (const _ of pool.map(jobs.seeItem, [1, 2, 3], { concurrency: 2 })) seen.push(see());
      return seen;
    },
  },
  {
    name: "map, its source",
    rights: onMain,
    run: async ({ pool, jobs }) => {
      const seen: Seen[] = [];
      const source = async function* (): AsyncGenerator<number> {
        for (let i = 0; i < 4; i++) {
          seen.push(see());
          yield i;
        }
      };
      await collected(pool.map(jobs.seeItem, source(), { concurrency: 2 }));
      return seen;
    },
  },
  { name: "broadcast", rights: inJob, run: async ({ pool, jobs }) => await pool.broadcast(jobs.seeIt, []) },
  {
    name: "the progress listener",
    rights: onMain,
    run: async ({ pool, jobs }) => {
      const seen: Seen[] = [];
      await pool.run(jobs.reportIt, [], { onProgress: () => seen.push(see()) });
      return seen;
    },
  },
  {
    name: "a listener of job.signal",
    rights: inJobAndAfter,
    run: async () => {
      const pool = idlePools.pop()!;
      const jobs = pool.module<typeof Jobs>(jobsUrl);
      const word = gate();
      const controller = new AbortController();
      const task = pool.run(jobs.keepAbortListener, [word], { signal: controller.signal });
      await opened(word);
      controller.abort();
      await task.then(null, () => {});
      let seen: Seen | undefined;
      while (seen === undefined) seen = await jobs.readAbort();
      return [seen];
    },
  },
  {
    name: "what follows a cancellation by somebody else",
    rights: onMain,
    run: async ({ pool, jobs }) => {
      const word = gate();
      const controller = new AbortController();
      const task = pool.run(jobs.abortListener, [word], { signal: controller.signal });
      const seen = task.then(null, () => see());
      await opened(word);
      abortFromOutside(controller);
      return [await seen];
    },
  },
  ...(["inline", "asynchronous", "yield", "scheduler"] as const).map((policy): Hop => ({
    name: `a continuation, ${policy}`,
    rights: onMain,
    run: async ({ pool, jobs }) => {
      const continuations = policy === "scheduler" ? new EventLoopScheduler() : policy;
      const task = pool.run(jobs.seeIt, [], { continuations });
      const both = await Promise.all([
        task.then(() => see()),
        task.continueWith(() => see(), { policy: continuations }),
      ]);
      return both;
    },
  })),
  ...["submit", "end"].map((event): Hop => ({
    name: `a subscriber of skein:job:${event}`,
    rights: onMain,
    run: (stage) => atChannel(`skein:job:${event}`, stage, () => stage.jobs.seeIt()),
  })),
  {
    name: "a subscriber of skein:job:error",
    rights: onMain,
    run: (stage) => atChannel("skein:job:error", stage, () => stage.jobs.fail()),
  },
  {
    name: "a subscriber of skein:job:cancel",
    rights: onMain,
    run: (stage) =>
      atChannel("skein:job:cancel", stage, () => {
        const controller = new AbortController();
        const word = gate();
        const task = stage.pool.run(stage.jobs.abortListener, [word], { signal: controller.signal });
        void opened(word).then(() => abortFromOutside(controller));
        return task;
      }),
  },
  {
    name: "a subscriber of skein:job:start, on the thread",
    rights: inJobAndAfter,
    run: async () => {
      const jobs = idlePools.pop()!.module<typeof Jobs>(jobsUrl);
      await jobs.listenForStarts();
      await jobs.seeIt();
      return await jobs.takeStarts();
    },
  },
  {
    name: "an unhandled rejection of a job",
    rights: onMain,
    run: async ({ jobs }) => {
      const seen = Promise.withResolvers<Seen>();
      const listener = (): void => seen.resolve(see());
      process.on("unhandledRejection", listener);
      void jobs.fail();
      const result = await seen.promise;
      process.off("unhandledRejection", listener);
      return [result];
    },
  },
  { name: "initialize", rights: nobody, run: async ({ jobs }) => [await jobs.initialized()] },
  {
    name: "a job module while it loads",
    rights: nobody,
    run: async ({ pool, owner }) => [
      await pool
        .module<typeof Loaded>(new URL(`./loaded.jobs.ts?${encodeURIComponent(owner)}`, import.meta.url))
        .atLoad(),
    ],
  },
  {
    name: "a timer that a job has left",
    rights: inJobAndAfter,
    run: async () => {
      const jobs = idlePools.pop()!.module<typeof Jobs>(jobsUrl);
      await jobs.leaveTimer();
      return [await jobs.readTimer()];
    },
  },
  {
    name: "the next job after one that left everything changed",
    rights: inJob,
    run: async () => {
      const jobs = idlePools.pop()!.module<typeof Jobs>(jobsUrl);
      await jobs.leaveAll("somebody before");
      const first = await jobs.seeIt();
      await jobs.leaveAllLater("somebody before");
      return [first, await jobs.seeLater(), await jobs.seeIt()];
    },
  },
  {
    name: "a subscriber of skein:thread:start",
    rights: nobody,
    run: async () => {
      const seen: Seen[] = [];
      const listener = (): void => void seen.push(see());
      subscribe("skein:thread:start", listener);
      const own = new ThreadPool({ maxThreads: 1 });
      await own.run(() => 1, []);
      unsubscribe("skein:thread:start", listener);
      await own.close();
      return seen;
    },
  },
  {
    name: "a pool made in a request, used by others",
    rights: inJob,
    run: async ({ owner }) => {
      const own = new ThreadPool({ maxThreads: 1 });
      const jobs = own.module<typeof Jobs>(jobsUrl);
      const seen = [await jobs.seeIt()];
      await jobs.leaveAll(`${owner}, earlier`);
      seen.push(await jobs.seeIt());
      await own.close();
      return seen;
    },
  },
  {
    name: "a pool made in a request, left open",
    rights: inJob,
    run: async () => {
      const own = new ThreadPool({ maxThreads: 1 });
      leftOpen.push(own);
      return [await own.module<typeof Jobs>(jobsUrl).seeLater()];
    },
  },
  {
    name: "ThreadPool.shared, first touched in a request",
    rights: inJob,
    run: async () => [await ThreadPool.shared.module<typeof Jobs>(jobsUrl).seeIt()],
  },
  {
    name: "an idle pool that ran one job",
    rights: inJob,
    run: async () => [await idlePools.pop()!.module<typeof Jobs>(jobsUrl).seeIt()],
  },
  {
    name: "an idle pool after a job that failed",
    rights: nobody,
    run: async () => {
      await idlePools
        .pop()!
        .module<typeof Jobs>(jobsUrl)
        .fail()
        .then(null, () => {});
      return [];
    },
  },
  {
    name: "an idle pool after a job that was cancelled",
    rights: nobody,
    run: async () => {
      const word = gate();
      const controller = new AbortController();
      const own = idlePools.pop()!;
      const task = own.run(own.module<typeof Jobs>(jobsUrl).abortListener, [word], {
        signal: controller.signal,
        onProgress: () => {},
      });
      void opened(word).then(() => abortFromOutside(controller));
      await task.then(null, () => {});
      return [];
    },
  },
  {
    name: "an idle pool after a map that was broken off",
    rights: nobody,
    run: async () => {
      const own = idlePools.pop()!;
      for await (const _ of own.map(own.module<typeof Jobs>(jobsUrl).seeItem, [1, 2, 3, 4, 5, 6], {
        concurrency: 2,
      }))
        break;
      return [];
    },
  },
  {
    name: "an idle pool after a thread that died",
    rights: nobody,
    run: async () => {
      await idlePools
        .pop()!
        .run(() => process.exit(3), [])
        .then(null, () => {});
      return [];
    },
  },
  {
    name: "a batch handler, by contextOf",
    rights: { ...onMain, foreign: "safe", local: "safe" },
    run: async () => {
      const seen: Seen[] = [];
      const consumer = new MultiProducerConcurrentConsumer<number>({
        batchSize: 2,
        pushIntervalMs: 2,
        maxConcurrency: 1,
        slots: 1,
        flowContext: true,
      });
      consumer.start((items) => {
        for (const index of items.keys()) seen.push(contextOf(items, index).run(see));
      });
      for (let i = 0; i < 3; i++) consumer.push(i, 0);
      await consumer.complete();
      return seen;
    },
  },
  {
    name: "a batch handler that others feed",
    rights: Object.fromEntries(KINDS.map((kind) => [kind, "safe"])) as Rights,
    run: async () => {
      const seen: Seen[] = [];
      sharedConsumer().push(() => seen.push(see()), 0);
      while (seen.length === 0) await turn();
      return seen;
    },
  },
  {
    name: "a batch handler, of items that a job has pushed to a SharedProducer",
    rights: inJob,
    run: async ({ jobs }) => {
      const seen: Seen[] = [];
      const consumer = new MultiProducerConcurrentConsumer<string>({
        batchSize: 1,
        pushIntervalMs: 1,
        maxConcurrency: 1,
        slots: 1,
        flowContext: true,
      });
      consumer.start((items) => void seen.push(contextOf(items, 0).run(see)));
      await jobs.pushIt(consumer.producer(0).handle);
      await consumer.complete();
      return seen;
    },
  },
  {
    name: "a job that runs again because its thread dies",
    rights: inJob,
    run: async () => {
      const own = idlePools.pop()!;
      return [await own.run(own.module<typeof Jobs>(jobsUrl).seeSecond, [gate()], { retries: 1 })];
    },
  },
  {
    name: "an inline function, behind its await",
    rights: inJobAndAfter,
    run: async ({ pool }) => [
      await pool.run(
        async (url: string) => ((await import(url)) as { see: () => Seen }).see(),
        [ambientUrl.href],
      ),
    ],
  },
  {
    name: "log lines of a job: contextFields()",
    rights: { ...inJobAndAfter, flowing: "nothing" },
    run: async ({ jobs }) => [await jobs.logged()],
  },
  {
    name: "a generator method, behind a job",
    rights: onMain,
    run: ({ jobs }) =>
      Task.async(function* () {
        yield* jobs.seeIt();
        return [see()];
      })(),
  },
  {
    name: "the caller of a generator method that leaves all changed",
    rights: onMain,
    run: async () => {
      const task = Task.async(function* () {
        leaveBehind("a method");
        yield* Task.delay(1);
      })();
      const after = see();
      await task;
      return [after, see()];
    },
  },
  {
    name: "SynchronizationContext.post",
    rights: onMain,
    run: () =>
      new Promise((resolve) => SynchronizationContext.current!.post((done) => done([see()]), resolve)),
  },
  {
    name: "Task.fromEvent, of an emitter of nobody's",
    rights: onMain,
    run: async () => {
      const emitter = new EventEmitter();
      const ticks = AsyncScope.root.run(() => setInterval(() => emitter.emit("tick"), 1));
      const task = Task.fromEvent(emitter, "tick");
      const continued = task.continueWith(() => see());
      await task;
      clearInterval(ticks);
      return [see(), await continued];
    },
  },
  {
    name: "the end of a call at the TracingChannel skein:job",
    rights: onMain,
    run: ({ jobs }) => atTracingEnd("skein:job", () => jobs.seeIt()),
  },
  {
    name: "the end of an iteration at the TracingChannel skein:map",
    rights: onMain,
    run: ({ pool, jobs }) => atTracingEnd("skein:map", () => collected(pool.map(jobs.seeItem, [1, 2]))),
  },
  {
    name: "a run at the TracingChannel skein:job:run, on the thread",
    rights: inJob,
    run: async () => {
      const jobs = idlePools.pop()!.module<typeof Jobs>(jobsUrl);
      await jobs.listenForRuns();
      await jobs.seeLater();
      return await jobs.takeRuns();
    },
  },
  {
    name: "a job on a Piscina",
    rights: inJob,
    run: async () => {
      piscina ??= AsyncScope.root.run(() => new Piscina({ maxThreads: 1 }));
      return [await new PiscinaEngine(piscina).module<typeof Jobs>(jobsUrl).seeLater()];
    },
  },
  ...Object.keys(frameworks).map((framework): Hop => ({
    name: `a request to ${framework}, and a job of it`,
    rights: Object.fromEntries(KINDS.map((kind) => [kind, "safe"])) as Rights,
    run: (stage) => asked(framework, stage),
  })),
  {
    name: "http, in and out, with a job between",
    rights: {
      ...onMain,
      local: "safe",
      thread: "safe",
      wire: "safe",
      foreign: "safe",
      flowing: "safe",
      span: "safe",
    },
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
];

const ambientUrl = new URL("./ambient.ts", import.meta.url);
const jobsUrl = new URL("./matrix.jobs.ts", import.meta.url);
/** Made in nobody's context. */
const idlePools = Array.from({ length: 40 }, () => new ThreadPool({ maxThreads: 1 }));
const leftOpen: ThreadPool[] = [];

let consumer: MultiProducerConcurrentConsumer<() => void> | undefined;
function sharedConsumer(): MultiProducerConcurrentConsumer<() => void> {
  if (consumer === undefined) {
    consumer = new MultiProducerConcurrentConsumer<() => void>({
      batchSize: 1,
      pushIntervalMs: 1,
      maxConcurrency: 1,
      slots: 1,
    });
    consumer.start((items) => {
      for (const item of items) item();
    });
  }
  return consumer;
}

/** In nobody's context: from a timer that was made before anybody's. */
const toAbort: AbortController[] = [];
setInterval(() => {
  for (const controller of toAbort.splice(0)) controller.abort();
}, 1).unref();
function abortFromOutside(controller: AbortController): void {
  toAbort.push(controller);
}
