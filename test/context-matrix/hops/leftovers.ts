/** What a thread or a pool keeps when a job, or whoever made it, is done. */
import { ThreadPool } from "@skein/pool";
import type { Seen } from "../ambient.ts";
import type * as Loaded from "../loaded.jobs.ts";
import type * as Jobs from "../matrix.jobs.ts";
import { all, inJob } from "../rights.ts";
import { abortFromOutside, closing, gate, type Hop, idlePool, jobsUrl, opened } from "../stage.ts";

export const leftoverHops: readonly Hop[] = [
  { name: "initialize", rights: all("nothing e"), run: async ({ jobs }) => [await jobs.initialized()] },
  {
    name: "a job module while it loads",
    rights: all("nothing e"),
    run: async ({ pool, owner }) => [
      await pool
        .module<typeof Loaded>(new URL(`../loaded.jobs.ts?${encodeURIComponent(owner)}`, import.meta.url))
        .atLoad(),
    ],
  },
  {
    name: "a timer that a job has left",
    rights: inJob,
    run: async () => {
      const { jobs } = idlePool();
      await jobs.leaveTimer();
      return [await jobs.readTimer()];
    },
  },
  {
    name: "the next job after one that left everything changed",
    rights: inJob,
    run: async () => {
      const { jobs } = idlePool();
      await jobs.leaveAll("somebody before");
      const first = await jobs.seeIt();
      await jobs.leaveAllLater("somebody before");
      return [first, await jobs.seeLater(), await jobs.seeIt()];
    },
  },
  {
    name: "a message to a thread, after a job that left everything changed",
    rights: all("nothing e"),
    run: async () => {
      const { pool, jobs } = idlePool();
      await jobs.answerMessages();
      await jobs.leaveAll("somebody before");
      const [thread] = pool.threads;
      const answer = Promise.withResolvers<Seen>();
      const listener = (seen: unknown): void => answer.resolve(seen as Seen);
      thread!.on("message", listener);
      thread!.postMessage("look");
      const seen = await answer.promise;
      thread!.off("message", listener);
      return [seen];
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
      closing.push(() => own.close());
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
    run: async () => [await idlePool().jobs.seeIt()],
  },
  {
    name: "an idle pool after a job that failed",
    rights: null,
    run: async () => {
      await idlePool()
        .jobs.fail()
        .then(null, () => {});
      return [];
    },
  },
  {
    name: "an idle pool after a job that was cancelled",
    rights: null,
    run: async () => {
      const word = gate();
      const controller = new AbortController();
      const { pool, jobs } = idlePool();
      const task = pool.run(jobs.abortListener, [word], {
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
    rights: null,
    run: async () => {
      const { pool, jobs } = idlePool();
      for await (const _ of pool.map(jobs.seeItem, [1, 2, 3, 4, 5, 6], {
        concurrency: 2,
      }))
        break;
      return [];
    },
  },
  {
    name: "an idle pool after a generator job that was broken off",
    rights: null,
    run: async () => {
      for await (const _ of idlePool().jobs.seeEach()) break;
      return [];
    },
  },
  {
    name: "an idle pool after a thread that died",
    rights: null,
    run: async () => {
      await idlePool()
        .pool.run(() => process.exit(3), [])
        .then(null, () => {});
      return [];
    },
  },
];
