/**
 * What must hold in any surroundings: `node program.ts NAMES MOMENT`, or imported. Prints one line for each column, `COLUMN<tab>ok` or what was wrong;
 * after the last one the process must end by itself.
 *
 * MOMENT  before   the setup comes before Skein is loaded
 *         after    Skein is loaded and has run a job
 *         thread   the setup is on the pool threads
 *         both     after, and thread
 *         none     the surroundings are flags, not a setup
 */
import { revoked } from "./revoked.ts";
import type { Transferable } from "node:worker_threads";
import type * as Jobs from "./columns.jobs.ts";
import { putUp, type Raised, real } from "./setups.ts";

/** Nowhere: for a function that has lost it on its way. */
declare const elsewhere: unknown;

const { env } = process;
const getBuiltinModule = process.getBuiltinModule.bind(process);
const thisFile = getBuiltinModule("node:url").fileURLToPath(import.meta.url);
const exit = process.reallyExit.bind(process);
const { writeSync } = getBuiltinModule("node:fs");
const { apply, ownKeys } = Reflect;
const { is } = Object;
const NativePromise = Promise;
const limitMs = Number(env["SKEIN_COLUMN_LIMIT_MS"] ?? 10_000);

const HANGS = "never settled";

class Wrong {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function same(what: string, seen: unknown, right: unknown): void {
  if (!is(seen, right)) throw new Wrong(`${what} is ${String(seen)}, not ${String(right)}`);
}

function within<T>(task: PromiseLike<T>): Promise<T> {
  return new NativePromise((resolve, reject) => {
    const limit = real.setTimeout(() => {
      reject(new Wrong(HANGS));
    }, limitMs);
    task.then(
      (value) => {
        real.clearTimeout(limit);
        resolve(value);
      },
      (error) => {
        real.clearTimeout(limit);
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is what the task rejected with
        reject(error);
      },
    );
  });
}

async function failure(task: PromiseLike<unknown>): Promise<Record<string, unknown>> {
  let value: unknown;
  try {
    value = await within(task);
  } catch (error) {
    if (error instanceof Wrong) throw error;
    return error as Record<string, unknown>;
  }
  throw new Wrong(`resolved with ${String(value)}`);
}

function describe(error: unknown): string {
  if (error instanceof Wrong) return error.text;
  try {
    const { name, message, stack } = error as Error;
    const where =
      typeof stack === "string" ? (stack.split("\n").find((line) => line.includes(" at ")) ?? "") : "";
    const { cause } = error as Error;
    return `${name}: ${message} ${where.trim()}${cause === undefined ? "" : ` because of ${describe(cause)}`}`;
  } catch {
    return String(error);
  }
}

export async function main(surrounding: string | null, moment: string): Promise<void> {
  let raised: Raised | undefined;
  const put = async (): Promise<void> => {
    if (surrounding !== null) raised = await putUp(surrounding);
  };
  const onThread = moment === "thread" || moment === "both";
  if (onThread && surrounding !== null) env["SKEIN_SURROUNDING_ON_THREAD"] = surrounding;
  if (moment === "before") await put();
  const { ThreadPool } = await import("@skein/pool");
  const { MultiProducerConcurrentConsumer } = await import("@skein/batching");
  const { CancellationTokenSource, Task } = await import("@skein/scheduling");
  const { tenant } = await import("./columns.jobs.ts");
  const url = new URL("./columns.jobs.ts", import.meta.url);
  const makePool = () =>
    new ThreadPool({
      maxThreads: 2,
      ...(onThread ? { initialize: new URL("./thread-setup.ts", import.meta.url) } : {}),
    });
  let pool = makePool();
  let jobs = pool.module<typeof Jobs>(url);
  if (moment === "after" || moment === "both") {
    same("the first job", await within(jobs.add(1, 2)), 3);
    await put();
  }
  const gates = (): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(4));
  const opened = async (gate: Int32Array): Promise<void> => {
    const word = (): number => gate[0]!;
    await within(
      new NativePromise<void>((resolve) => {
        const look = (): void => {
          if (word() === 0) real.setTimeout(look, 1);
          else resolve();
        };
        look();
      }),
    );
  };

  const columns: Record<string, () => Promise<void>> = {
    jobs: async () => {
      same("add", await within(jobs.add(1, 2)), 3);
      same("an inline function", await within(pool.run((a: number, b: number) => a * b, [6, 7])), 42);
      const value = {
        constructor: "Bosch",
        list: [1, { two: "ü" }],
        big: 5n,
        at: new Date(5),
        bytes: new Uint8Array([1, 2]),
      };
      const copy = (await within(jobs.echo(value))) as typeof value;
      same("constructor", copy.constructor, "Bosch");
      same("own keys", apply(Array.prototype.join, ownKeys(copy), [","]), "constructor,list,big,at,bytes");
      same("in a list", copy.list[0], 1);
      same("deeper", (copy.list[1] as { two: string }).two, "ü");
      same("a Date", copy.at.getTime(), 5);
      same("bytes", copy.bytes[1], 2);
      const tasks: PromiseLike<number>[] = [];
      for (let i = 0; i < 200; i++) tasks[i] = jobs.add(i, 1);
      for (let i = 0; i < 200; i++) same(`job ${i}`, await within(tasks[i]!), i + 1);
    },
    errors: async () => {
      for (const fail of [jobs.fail, jobs.failLater]) {
        const error = await failure(fail("boom"));
        same("message", error["message"], "boom");
        same("code", error["code"], "E_BOOM");
        same("the class", error instanceof RangeError, true);
      }
      const notCloneable = await failure(jobs.echo({ deep: [() => 1] }));
      same("not cloneable", notCloneable["code"], "ERR_SKEIN_NOT_CLONEABLE");
      const notFound = await failure(
        (jobs as unknown as Record<string, () => PromiseLike<unknown>>)["missing"]!(),
      );
      same("not found", notFound["code"], "ERR_SKEIN_JOB_NOT_FOUND");
      const free = await failure(pool.run(() => elsewhere, []));
      same("a free variable", free["code"], "ERR_SKEIN_FREE_VARIABLE");
      same(
        "what cannot be looked at",
        (await failure(jobs.failRevoked()))["code"],
        "ERR_SKEIN_NOT_CLONEABLE",
      );
    },
    nested: async () => {
      same("nested", await within(jobs.nested(5)), 5);
      same("fork and join", await within(jobs.fibonacci(12)), 144);
    },
    map: async () => {
      for (const chunkSize of [1, 4]) {
        const results = pool.map((n: number) => n * 2, [1, 2, 3, 4, 5, 6, 7, 8, 9], {
          chunkSize,
          concurrency: 3,
        });
        let sum = 0;
        for (let step = await within(results.next()); step.done !== true; step = await within(results.next()))
          sum += step.value;
        same("the sum", sum, 90);
      }
      const everywhere = await within(pool.broadcast(jobs.add, [3, 4]));
      same("broadcast", everywhere[0], 7);
    },
    context: async () => {
      same("in the job", await within(tenant.run("acme", () => jobs.readTenant())), "acme");
      same("afterwards", await within(jobs.readTenant()), undefined);
    },
    progress: async () => {
      let seen = 0;
      same("report", await within(pool.run(jobs.report, [5], { onProgress: () => seen++ })), 5);
      same("listened", seen, 5);
    },
    cancel: async () => {
      for (const untilIts of [jobs.untilCancelled, jobs.untilSignal]) {
        for (const reason of [undefined, revoked()]) {
          const gate = gates();
          const controller = new AbortController();
          const task = pool.run(untilIts, [gate], { signal: controller.signal });
          await opened(gate);
          controller.abort(reason);
          same("its name", (await failure(task))["name"], "AbortError");
        }
      }
    },
    timeout: async () => {
      const gate = gates();
      const task = pool.run(jobs.untilCancelled, [gate], { timeoutMs: 300 });
      task.then(null, () => {});
      await opened(gate);
      raised?.advance?.(400);
      same("its code", (await failure(task))["code"], "ERR_SKEIN_JOB_TIMEOUT");
    },
    moved: async () => {
      const memory = new ArrayBuffer(100_000);
      same("moved", await within(pool.run(jobs.byteLength, [memory], { transfer: [memory] })), 100_000);
      same("its owner's", memory.byteLength, 0);
      // One that is locked is found before anything is taken away.
      const { ReadableStream } = getBuiltinModule("node:stream/web");
      const kept = new ArrayBuffer(8);
      const locked = new ReadableStream();
      locked.getReader();
      let code: unknown;
      try {
        await within(pool.run(jobs.byteLength, [kept], { transfer: [kept, locked] }));
      } catch (error) {
        code = (error as { code?: unknown }).code;
      }
      same("a stream that is locked", code, "ERR_SKEIN_INVALID_ARG_TYPE");
      same("what came before it", kept.byteLength, 8);
      const busy = new CancellationTokenSource();
      const begun = [gates(), gates()];
      for (let i = 0; i < 2; i++)
        pool.run(jobs.untilCancelled, [begun[i]!], { signal: busy.token }).then(null, () => {});
      for (let i = 0; i < 2; i++) await opened(begun[i]!);
      const canceled = new CancellationTokenSource();
      const file = await getBuiltinModule("node:fs/promises").open(thisFile);
      const transfer = [file] as unknown as Transferable[];
      const dropped = pool.run(jobs.add, [1, 1], { transfer, signal: canceled.token });
      same("its owner's", file.fd, -1);
      canceled.cancel();
      busy.cancel();
      same("a file that nobody receives", (await failure(dropped))["name"], "AbortError");
    },
    crash: async () => {
      same("its code", (await failure(jobs.exit()))["code"], "ERR_SKEIN_THREAD_CRASHED");
      same("the next job", await within(jobs.add(2, 2)), 4);
      const gate = gates();
      const controller = new AbortController();
      const task = pool.run(jobs.untilSignal, [gate], {
        signal: controller.signal,
        onCancel: "terminate",
        graceMs: 0,
      });
      await opened(gate);
      controller.abort();
      same("the name of who is ended", (await failure(task))["name"], "AbortError");
      raised?.advance?.(10);
      same("the job after it", await within(jobs.add(2, 3)), 5);
    },
    tasks: async () => {
      const delay = Task.delay(20);
      raised?.advance?.(30);
      await within(delay);
      await within(Task.yield());
      const method = Task.async(function* (n: number): Generator<unknown, number, never> {
        yield* Task.yield();
        return n + 1;
      } as never) as unknown as (n: number) => PromiseLike<number>;
      same("a method", await within(method(1)), 2);
      let ran = 0;
      for (const policy of ["inline", "asynchronous", "yield"] as const) {
        await within(Task.run(() => 1, undefined).continueWith(() => ran++, { policy }));
        same("a job with the policy", await within(pool.run(jobs.add, [1, 1], { continuations: policy })), 2);
      }
      same("continuations", ran, 3);
    },
    batching: async () => {
      let sum = 0;
      const consumer = new MultiProducerConcurrentConsumer<number>({
        batchSize: 2,
        pushIntervalMs: 10,
        maxConcurrency: 1,
        slots: 1,
      });
      consumer.start((items) => {
        for (let i = 0; i < items.length; i++) sum += items[i]!;
      });
      for (let i = 1; i <= 5; i++) consumer.push(i, 0);
      await within(consumer.complete());
      same("the sum", sum, 15);
    },
    processes: async () => {
      if (env["SKEIN_WITH_PROCESSES"] === undefined) return;
      const { ProcessPool } = await import("@skein/pool/process");
      // Before the first module of a process is.
      const preload = ["--import", new URL("./thread-setup.ts", import.meta.url).href];
      const processes = new ProcessPool({ maxThreads: 1, ...(onThread ? { execArgv: preload } : {}) });
      const its = processes.module<typeof Jobs>(url);
      same("add", await within(its.add(1, 2)), 3);
      same("an error's code", (await failure(its.fail("boom")))["code"], "E_BOOM");
      same("its death", (await failure(its.exit()))["code"], "ERR_SKEIN_THREAD_CRASHED");
      const last = its.add(2, 2);
      await within(processes.close());
      same("the last job", await within(last), 4);
    },
    afterwards: async () => {
      if (raised?.undo === undefined) return;
      raised.undo();
      same("a job when it is over", await within(jobs.add(3, 4)), 7);
      raised = undefined;
    },
    close: async () => {
      const last = jobs.add(4, 5);
      await within(pool.close());
      same("the last job", await within(last), 9);
      same("a job after it", (await failure(jobs.add(1, 1)))["code"], "ERR_SKEIN_POOL_CLOSED");
    },
  };

  for (const [name, column] of Object.entries(columns)) {
    let outcome = "ok";
    try {
      await column();
    } catch (error) {
      outcome = describe(error).replaceAll(/\s+/g, " ");
      // What failed keeps nobody from trying the rest on a new pool; after what hangs the rest would only hang too.
      if (name !== "close") {
        pool = makePool();
        jobs = pool.module(url);
      }
    }
    writeSync(1, `${name}\t${outcome}\n`);
    if (outcome === HANGS) exit(9);
  }
}

if (process.argv[1] === thisFile) {
  const [, , name, moment] = process.argv;
  await main(name === "-" ? null : name!, moment!);
}
