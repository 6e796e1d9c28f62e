/** The kinds of jobs, how often each comes, and what each must give. */
import { AsyncLocalStorage } from "node:async_hooks";
import { inspect } from "node:util";
import { move, stream, type ThreadPool } from "@skein/pool";
import type { Ledger, Outcome } from "./ledger.ts";
import * as Jobs from "./soak.jobs.ts";

/** A pool under test, and the threads that were ended on purpose. */
export interface Arena {
  readonly pool: ThreadPool;
  readonly jobs: ReturnType<typeof ThreadPool.prototype.module<typeof Jobs>>;
  /** Kills that have begun, and those whose consequences are over. A job may crash only when one falls into its life. */
  readonly kills: { begun: number; over: number };
  /** Runs of `tick` that were promised to happen, and their counter. */
  readonly ticks: { readonly counter: Int32Array; atLeast: number; atMost: number };
}

export interface Turn extends Arena {
  readonly ledger: Ledger;
  readonly random: () => number;
  readonly number: number;
}

interface Kind {
  readonly name: string;
  /** Per 100 000 turns. */
  readonly weight: number;
  readonly submit: (turn: Turn) => void;
}

const storage = new AsyncLocalStorage<number>();
const text = "x".repeat(5000);
const shared = Array.from({ length: 4 }, () => new Int32Array(new SharedArrayBuffer(4096)));

type Check = (value: unknown) => string | null;

const gives =
  (right: unknown): Check =>
  (value) =>
    Object.is(value, right) ? null : `gave ${String(value)}, not ${String(right)}`;

/** Whoever runs while a thread is ended may crash with it. */
function follow(
  turn: Turn,
  kind: string,
  task: PromiseLike<unknown>,
  outcomes: Partial<Record<Outcome, Check>>,
  jobs = 1,
): void {
  const { kills, ledger } = turn;
  const before = kills.over;
  ledger.follow(
    kind,
    task,
    (outcome, value) => {
      if (outcome === "crashed" && kills.begun > before) return null;
      const check = outcomes[outcome];
      if (check === undefined) return `${outcome}: ${inspect(value)}`;
      return check(value);
    },
    jobs,
  );
}

const fine: Check = () => null;

function kill(turn: Turn, kind: string, submit: () => PromiseLike<unknown>): void {
  turn.kills.begun++;
  const task = submit();
  const over = (): void => void setTimeout(() => turn.kills.over++, 2000).unref();
  task.then(over, over);
  follow(turn, kind, task, {});
}

function filled(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(4);
}

const kinds: readonly Kind[] = [
  {
    name: "plain",
    weight: 60_000,
    submit: (turn) => follow(turn, "plain", turn.jobs.add(turn.number, 1), { done: gives(turn.number + 1) }),
  },
  {
    name: "inline function",
    weight: 5000,
    submit: (turn) =>
      follow(
        turn,
        "inline function",
        turn.pool.run((n: number) => n * 2, [turn.number]),
        { done: gives(turn.number * 2) },
      ),
  },
  {
    name: "object",
    weight: 8000,
    submit: (turn) => {
      const value = { n: turn.number, list: [1, "two", { three: 3 }], at: new Date(turn.number) };
      follow(turn, "object", turn.jobs.echo(value), {
        done: (copy) =>
          JSON.stringify(copy) === JSON.stringify(value) ? null : `gave ${JSON.stringify(copy)}`,
      });
    },
  },
  {
    name: "text",
    weight: 4000,
    submit: (turn) => follow(turn, "text", turn.jobs.echo(text), { done: gives(text) }),
  },
  {
    name: "priority and policy",
    weight: 4000,
    submit: (turn) => {
      const priority = (["high", "normal", "low"] as const)[turn.number % 3]!;
      const continuations = (["inline", "asynchronous", "yield"] as const)[Math.floor(turn.random() * 3)]!;
      follow(turn, "priority and policy", turn.pool.run(turn.jobs.add, [1, 2], { priority, continuations }), {
        done: gives(3),
      });
    },
  },
  {
    name: "awaits a timer",
    weight: 1500,
    submit: (turn) =>
      follow(turn, "awaits a timer", turn.jobs.echoLater("later", 1), { done: gives("later") }),
  },
  {
    name: "context",
    weight: 5000,
    submit: (turn) => {
      const later = turn.random() < 0.2;
      const { number } = turn;
      Jobs.request.run(number, () =>
        Jobs.trace.run({ id: `t${number % 50}` }, () =>
          storage.run(number, () => {
            const task = turn.jobs.readContext(later);
            follow(turn, "context", task, { done: gives(`${number} t${number % 50}`) });
            const seen = task.then(
              () => `${storage.getStore()} ${Jobs.request.value}`,
              () => `${storage.getStore()} ${Jobs.request.value}`,
            );
            follow(turn, "context of the continuation", seen, { done: gives(`${number} ${number}`) }, 0);
          }),
        ),
      );
    },
  },
  {
    name: "counts its run",
    weight: 4000,
    submit: (turn) => {
      turn.ticks.atMost++;
      follow(turn, "counts its run", turn.jobs.tick(turn.ticks.counter), {
        done: () => (turn.ticks.atLeast++, null),
      });
    },
  },
  {
    name: "jobs left behind",
    weight: 300,
    submit: (turn) => {
      turn.ticks.atMost += 3;
      follow(turn, "jobs left behind", turn.jobs.leaveBehind(turn.ticks.counter, 3), { done: fine });
    },
  },
  {
    name: "progress",
    weight: 800,
    submit: (turn) => {
      const seen: unknown[] = [];
      const task = turn.pool.run(turn.jobs.report, [4], { onProgress: (value) => seen.push(value) });
      follow(turn, "progress", task, {
        done: () => (seen.join() === "0,1,2,3" ? null : `progress was ${seen.join()}`),
      });
    },
  },
  {
    name: "cancelled",
    weight: 1200,
    submit: (turn) => {
      const controller = new AbortController();
      const { signal } = controller;
      const { jobs, random } = turn;
      const job = random() < 0.5 ? jobs.untilCancelled : jobs.spinUntilCancelled;
      const task = turn.pool.run(job, [], { signal });
      const when = random();
      if (when < 0.3) controller.abort();
      else if (when < 0.6) setImmediate(() => controller.abort());
      else setTimeout(() => controller.abort(), 5);
      follow(turn, "cancelled", task, { canceled: fine });
    },
  },
  {
    name: "cancelled or done",
    weight: 2000,
    submit: (turn) => {
      const controller = new AbortController();
      const task = turn.pool.run(turn.jobs.add, [2, 2], { signal: controller.signal });
      if (turn.random() < 0.5) controller.abort();
      else setImmediate(() => controller.abort());
      follow(turn, "cancelled or done", task, { canceled: fine, done: gives(4) });
    },
  },
  {
    name: "out of time",
    weight: 200,
    submit: (turn) =>
      follow(turn, "out of time", turn.pool.run(turn.jobs.untilCancelled, [], { timeoutMs: 5 }), {
        "timed out": fine,
      }),
  },
  {
    name: "fork and join",
    weight: 1000,
    submit: (turn) => follow(turn, "fork and join", turn.jobs.fibonacci(8), { done: gives(21) }),
  },
  {
    name: "parallelFor",
    weight: 200,
    submit: (turn) => {
      const target = new Int32Array(new SharedArrayBuffer(4000));
      follow(turn, "parallelFor", turn.jobs.fillAll(target, 3), { done: gives(3000) });
    },
  },
  {
    name: "jobs that await jobs",
    weight: 800,
    submit: (turn) => follow(turn, "jobs that await jobs", turn.jobs.sumOfSquares(6), { done: gives(55) }),
  },
  {
    name: "nested",
    weight: 600,
    submit: (turn) => follow(turn, "nested", turn.jobs.nest(4), { done: gives(4) }),
  },
  {
    name: "map",
    weight: 100,
    submit: (turn) => {
      const chunkSize = turn.random() < 0.5 ? 1 : 8;
      const ordered = turn.random() < 0.5;
      const all = async (): Promise<number> => {
        let sum = 0;
        const items = Array.from({ length: 40 }, (_, i) => i);
        for await (const n of turn.pool.map((i: number) => i + 1, items, {
          chunkSize,
          ordered,
          concurrency: 4,
        }))
          sum += n;
        return sum;
      };
      follow(turn, "map", all(), { done: gives(820) }, 40);
    },
  },
  {
    name: "map, broken off",
    weight: 60,
    submit: (turn) => {
      const some = async (): Promise<number> => {
        let seen = 0;
        const items = Array.from({ length: 100 }, (_, i) => i);
        for await (const _ of turn.pool.map((i: number) => i, items, { concurrency: 3 }))
          if (++seen === 3) break;
        return seen;
      };
      follow(turn, "map, broken off", some(), { done: gives(3) }, 6);
    },
  },
  {
    name: "broadcast",
    weight: 30,
    submit: (turn) =>
      follow(turn, "broadcast", turn.pool.broadcast(turn.jobs.add, [1, 1]), {
        done: (results) => ((results as number[]).every((n) => n === 2) ? null : `gave ${String(results)}`),
      }),
  },
  {
    name: "moved",
    weight: 1500,
    submit: (turn) => {
      const bytes = filled(turn.random() < 0.5 ? 3000 : 30_000);
      const { length } = bytes;
      const task =
        turn.random() < 0.5
          ? turn.pool.run(turn.jobs.increment, [bytes], { transfer: [bytes.buffer] })
          : turn.jobs.increment(move(bytes, [bytes.buffer]));
      if (bytes.length !== 0) turn.ledger.fault("moved: the sender still has it");
      follow(turn, "moved", task, {
        done: (back) => {
          const { length: now, 0: first, 1: second } = back as Uint8Array;
          return now === length && first === 5 && second === 4
            ? null
            : `came back as ${now} bytes ${first} ${second}`;
        },
      });
    },
  },
  {
    name: "shared memory",
    weight: 1500,
    submit: (turn) => {
      const memory =
        turn.random() < 0.05
          ? new Int32Array(new SharedArrayBuffer(1024))
          : shared[turn.number % shared.length]!;
      follow(turn, "shared memory", turn.jobs.echo(memory), {
        done: (back) =>
          (back as Int32Array).buffer.byteLength === memory.buffer.byteLength
            ? null
            : "another memory came back",
      });
    },
  },
  {
    name: "stream",
    weight: 500,
    submit: (turn) => {
      const to = Math.floor(turn.random() * 60);
      const leftAt = turn.random() < 0.3 ? 5 : Infinity;
      const read = async (): Promise<number> => {
        let next = 0;
        for await (const n of turn.jobs.count(to)) {
          if (n !== next++) throw new Error(`${n} came in place of ${next - 1}`);
          if (next === leftAt) break;
        }
        return next;
      };
      follow(turn, "stream", read(), { done: gives(Math.min(to, leftAt)) });
    },
  },
  {
    name: "stream there and back",
    weight: 300,
    submit: (turn) => {
      const items = Array.from({ length: 40 }, (_, i) => [i, "item".repeat(i), filled(i * 40)][i % 3]);
      const read = async (): Promise<string> => {
        const back: unknown[] = [];
        for await (const item of turn.jobs.pass(stream(items) as AsyncIterable<unknown>)) back.push(item);
        return inspect(back);
      };
      follow(turn, "stream there and back", read(), { done: gives(inspect(items)) });
    },
  },
  {
    name: "large",
    weight: 15,
    submit: (turn) => {
      const bytes = new Uint8Array(1 << (18 + Math.floor(turn.random() * 5))).fill(turn.number);
      follow(turn, "large", turn.jobs.checksum(bytes), { done: gives(Jobs.checksum(bytes)) });
    },
  },
  {
    name: "fails",
    weight: 2000,
    submit: (turn) =>
      follow(turn, "fails", turn.jobs.fail(turn.number), {
        failed: (error) => {
          const { message, code, id, cause } = error as RangeError & { code: string; id: number };
          const isRight =
            error instanceof RangeError &&
            message === `failed ${turn.number}` &&
            code === "E_SOAK" &&
            id === turn.number &&
            cause instanceof TypeError;
          return isRight ? null : `rejected with ${String((error as Error).stack)}`;
        },
      }),
  },
  {
    name: "fails later, with several",
    weight: 300,
    submit: (turn) =>
      follow(turn, "fails later, with several", turn.jobs.failLater(turn.number), {
        failed: (error) =>
          (error as AggregateError).errors?.length === 2
            ? null
            : `rejected with ${String((error as Error).stack)}`,
      }),
  },
  {
    name: "cannot be cloned",
    weight: 400,
    submit: (turn) => {
      follow(turn, "result cannot be cloned", turn.jobs.returnsFunction(), { "not cloneable": fine });
      follow(turn, "argument cannot be cloned", turn.jobs.echo({ call: () => 1 }), { "not cloneable": fine });
    },
  },
  {
    name: "ended with onCancel: terminate",
    weight: 3,
    submit: (turn) => {
      const controller = new AbortController();
      const task = turn.pool.run(turn.jobs.ignoreCancellation, [], {
        signal: controller.signal,
        onCancel: "terminate",
        graceMs: 0,
      });
      setTimeout(() => controller.abort(), 20);
      // Nobody else is harmed, so this is no kill.
      follow(turn, "ended with onCancel: terminate", task, { canceled: fine });
    },
  },
  { name: "exits", weight: 3, submit: (turn) => kill(turn, "exits", () => turn.jobs.exit()) },
  {
    name: "throws in a timer",
    weight: 3,
    submit: (turn) => kill(turn, "throws in a timer", () => turn.jobs.throwsInTimer()),
  },
];

const total = kinds.reduce((sum, { weight }) => sum + weight, 0);

export function submitAny(turn: Turn): void {
  let at = turn.random() * total;
  for (const kind of kinds) if ((at -= kind.weight) < 0) return kind.submit(turn);
}
