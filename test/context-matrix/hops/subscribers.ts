/** What subscribers of channels and listeners of the process see. */
import { subscribe, tracingChannel, unsubscribe } from "node:diagnostics_channel";
import { ThreadPool } from "@skein/pool";
import { see, type Seen } from "../ambient.ts";
import { all, inJob, onCaller } from "../rights.ts";
import { abortFromOutside, collected, gate, type Hop, idlePool, opened, type Stage, turn } from "../stage.ts";

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

export const subscriberHops: readonly Hop[] = [
  ...["submit", "end"].map((event): Hop => ({
    name: `a subscriber of skein:job:${event}`,
    rights: onCaller,
    run: (stage) => atChannel(`skein:job:${event}`, stage, () => stage.jobs.seeIt()),
  })),
  {
    name: "a subscriber of skein:job:error",
    rights: onCaller,
    run: (stage) => atChannel("skein:job:error", stage, () => stage.jobs.fail()),
  },
  {
    name: "a subscriber of skein:job:cancel",
    rights: onCaller,
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
    rights: inJob,
    run: async () => {
      const { jobs } = idlePool();
      await jobs.listenForStarts();
      await jobs.seeIt();
      return await jobs.takeStarts();
    },
  },
  {
    name: "a run at the TracingChannel skein:job:run, on the thread",
    rights: inJob,
    run: async () => {
      const { jobs } = idlePool();
      await jobs.listenForRuns();
      await jobs.seeLater();
      return await jobs.takeRuns();
    },
  },
  {
    name: "the end of a call at the TracingChannel skein:job",
    rights: onCaller,
    run: ({ jobs }) => atTracingEnd("skein:job", () => jobs.seeIt()),
  },
  {
    name: "the end of an iteration at the TracingChannel skein:map",
    rights: onCaller,
    run: ({ pool, jobs }) => atTracingEnd("skein:map", () => collected(pool.map(jobs.seeItem, [1, 2]))),
  },
  {
    name: "a subscriber of skein:thread:start",
    rights: all("nothing e"),
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
    name: "an unhandled rejection of a job",
    rights: onCaller,
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
];
