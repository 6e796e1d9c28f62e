/**
 * From the start of the process to the first result. Plain JavaScript and one product only: nothing else is loaded or compiled.
 * Argument: the product.
 */
const product = process.argv[2];
const jobs = new URL("../jobs/", import.meta.url);
const file = (name) => new URL(`${name}.mjs`, jobs);

const open = {
  async skein() {
    const { ThreadPool } = await import("@skein/pool");
    return () => {
      const pool = new ThreadPool({ maxThreads: 1 });
      return pool.module(file("work")).echo;
    };
  },
  async piscina() {
    const { Piscina } = await import("piscina");
    return () => {
      const pool = new Piscina({ filename: file("work").href, name: "echo", minThreads: 1, maxThreads: 1 });
      return (value) => pool.run(value);
    };
  },
  async tinypool() {
    const { Tinypool } = await import("tinypool");
    return () => {
      const pool = new Tinypool({ filename: file("work").href, name: "echo", minThreads: 1, maxThreads: 1 });
      return (value) => pool.run(value);
    };
  },
  async workerpool() {
    const { default: workerpool } = await import("workerpool");
    return () => {
      const pool = workerpool.pool(file("workerpool").pathname, {
        minWorkers: 1,
        maxWorkers: 1,
        workerType: "thread",
      });
      return (value) => pool.exec("echo", [value]);
    };
  },
  async poolifier() {
    const { FixedThreadPool } = await import("poolifier");
    return () => {
      const pool = new FixedThreadPool(1, file("poolifier").pathname);
      return (value) => pool.execute(value, "echo");
    };
  },
  async comlink() {
    const Comlink = await import("comlink");
    const { default: nodeEndpoint } = await import("comlink/dist/esm/node-adapter.mjs");
    const { Worker } = await import("node:worker_threads");
    return () => Comlink.wrap(nodeEndpoint(new Worker(file("comlink")))).echo;
  },
  async "raw port"() {
    const { Worker } = await import("node:worker_threads");
    return () => {
      const worker = new Worker(file("raw-port"), { workerData: { job: "echo" } });
      return (value) =>
        new Promise((resolve) => {
          worker.once("message", (answer) => resolve(answer.value));
          worker.postMessage({ id: 0, value });
        });
    };
  },
  async "no pool"() {
    const { echo } = await import("../jobs/work.mjs");
    return () => echo;
  },
};

const create = await open[product]();
const created = performance.now();
const call = create();
const result = await call(42);
// `performance.now` counts from the start of the process.
const finished = performance.now();
if (result !== 42) throw new Error(`the first result is ${result}`);
process.stdout.write(
  `${JSON.stringify({ processMs: finished, importMs: created, poolMs: finished - created })}\n`,
  () => process.exit(0),
);
