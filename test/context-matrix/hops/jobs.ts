/** Inside jobs. */
import { ambientUrl, collected, gate, type Hop, idlePool, opened } from "../stage.ts";
import type { Seen } from "../ambient.ts";
import { all, inJob } from "../rights.ts";

/** The value of the inner one passes for his own, and his own for somebody else's. */
function ofInner(value: string, owner: string): string {
  return value === `inner ${owner}` ? owner : value === owner ? "the outer one" : value;
}

export const jobHops: readonly Hop[] = [
  { name: "a job", rights: inJob, run: async ({ jobs }) => [await jobs.seeIt()] },
  { name: "a job behind its own await", rights: inJob, run: async ({ jobs }) => [await jobs.seeLater()] },
  {
    name: "flowContext: false",
    rights: all("nothing d"),
    run: async ({ pool, jobs }) => [await pool.run(jobs.seeIt, [], { flowContext: false })],
  },
  {
    name: "a nested job, and what follows it",
    rights: inJob,
    run: async ({ jobs }) => await jobs.seeNested(),
  },
  {
    name: "a nested job in another context",
    rights: inJob,
    run: async ({ jobs, owner }) =>
      (await jobs.nestedAsOther(`inner ${owner}`)).map(
        (seen) =>
          Object.fromEntries(
            Object.entries(seen).map(([kind, value]) => [kind, ofInner(value, owner)]),
          ) as Seen,
      ),
  },
  {
    name: "fork and join, and what follows it",
    rights: inJob,
    run: async ({ jobs }) => await jobs.seeForked(),
  },
  { name: "fork, awaited", rights: inJob, run: async ({ jobs }) => await jobs.seeForkAwaited() },
  ...[1, 3].map((chunkSize): Hop => ({
    name: `map with chunkSize ${chunkSize}, its jobs`,
    rights: inJob,
    run: async ({ pool, jobs }) =>
      await collected(pool.map(jobs.seeItem, [1, 2, 3, 4, 5], { chunkSize, concurrency: 2 })),
  })),
  {
    name: "a generator job, between its yields",
    rights: inJob,
    run: async ({ jobs }) => [
      ...(await collected(jobs.seeEach())),
      ...(await collected(jobs.seeEachAtOnce())),
    ],
  },
  { name: "broadcast", rights: inJob, run: async ({ pool, jobs }) => await pool.broadcast(jobs.seeIt, []) },
  {
    name: "an inline function, behind its await",
    rights: inJob,
    run: async ({ pool }) => [
      await pool.run(
        async (url: string) => ((await import(url)) as { see: () => Seen }).see(),
        [ambientUrl.href],
      ),
    ],
  },
  {
    name: "a job that runs again because its thread dies",
    rights: inJob,
    run: async () => {
      const { pool, jobs } = idlePool();
      return [await pool.run(jobs.seeSecond, [gate()], { retries: 1 })];
    },
  },
  {
    name: "a listener of job.signal",
    rights: inJob,
    run: async () => {
      const { pool, jobs } = idlePool();
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
    name: "log lines of a job: contextFields()",
    rights: { ...inJob, flowing: "nothing i" },
    run: async ({ jobs }) => [await jobs.logged()],
  },
];
