/** Behind a job, on the thread that called it. */
import { EventEmitter } from "node:events";
import { AsyncScope } from "@skein/context";
import { EventLoopScheduler, SynchronizationContext, Task } from "@skein/scheduling";
import { leaveBehind, see, type Seen } from "../ambient.ts";
import { onCaller } from "../rights.ts";
import { abortFromOutside, collected, gate, type Hop, opened } from "../stage.ts";

export const callerHops: readonly Hop[] = [
  {
    name: "getters while arguments are encoded",
    rights: onCaller,
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
  {
    name: "await of a job",
    rights: onCaller,
    run: async ({ jobs }) => {
      await jobs.seeIt();
      return [see()];
    },
  },
  {
    name: "await of a job that fails",
    rights: onCaller,
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
    rights: onCaller,
    run: async ({ jobs }) => {
      const seen: Seen[] = [];
      const look = (): void => void seen.push(see());
      await jobs.seeIt().then(look);
      await jobs.fail().catch(look);
      await jobs.seeIt().finally(look);
      return seen;
    },
  },
  ...(["inline", "asynchronous", "yield", "scheduler"] as const).map((policy): Hop => ({
    name: `a continuation, ${policy}`,
    rights: onCaller,
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
  {
    name: "a generator method, behind a job",
    rights: onCaller,
    run: ({ jobs }) =>
      Task.async(function* () {
        yield* jobs.seeIt();
        return [see()];
      })(),
  },
  {
    name: "the caller of a generator method that leaves all changed",
    rights: onCaller,
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
    name: "map, the body of the loop",
    rights: onCaller,
    run: async ({ pool, jobs }) => {
      const seen: Seen[] = [];
      for await (const _ of pool.map(jobs.seeItem, [1, 2, 3], { concurrency: 2 })) seen.push(see());
      return seen;
    },
  },
  {
    name: "map, its source",
    rights: onCaller,
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
  {
    name: "a generator job, the body of the loop",
    rights: onCaller,
    run: async ({ jobs }) => {
      const seen: Seen[] = [];
      for await (const _ of jobs.seeEach()) seen.push(see());
      return seen;
    },
  },
  {
    name: "the progress listener",
    rights: onCaller,
    run: async ({ pool, jobs }) => {
      const seen: Seen[] = [];
      await pool.run(jobs.reportIt, [], { onProgress: () => seen.push(see()) });
      return seen;
    },
  },
  {
    name: "what follows a cancellation by somebody else",
    rights: onCaller,
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
  {
    name: "Task.delay, then a timer",
    rights: onCaller,
    run: async () => {
      await Task.delay(1);
      const behindDelay = see();
      const inTimer = await new Promise<Seen>((resolve) => setTimeout(() => resolve(see()), 1));
      return [behindDelay, inTimer];
    },
  },
  {
    name: "SynchronizationContext.post",
    rights: onCaller,
    run: () =>
      new Promise((resolve) => SynchronizationContext.current!.post((done) => done([see()]), resolve)),
  },
  {
    name: "Task.fromEvent, of an emitter of nobody's",
    rights: onCaller,
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
];
