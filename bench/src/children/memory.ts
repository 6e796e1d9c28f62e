/** A pool whose threads have all worked once: what it holds, and what it costs to have it. Arguments: the product's name, threads. */
import { setTimeout as sleep } from "node:timers/promises";
import { answer } from "../method/child.ts";
import { productNamed } from "../pool/field.ts";

const STEPS = 64_000_000;
/** After the last job, before anything is measured: whoever winds down slowly has done so. */
const SETTLE_MS = 300;
const IDLE_MS = 1000;

const [name = "", threads = "1"] = process.argv.slice(2);
const count = Number(threads);
const pool = await productNamed(name).open(count, "burn");
// Long enough that no thread takes two.
await Promise.all(Array.from({ length: count * 2 }, () => pool.run(STEPS)));
await sleep(SETTLE_MS);
globalThis.gc?.();
const rss = process.memoryUsage.rss();
const cpuBefore = process.cpuUsage();
const started = performance.now();
await sleep(IDLE_MS);
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
answer({ rssMb: rss / 2 ** 20, idleMsPerSecond: (user + system) / 1000 / seconds });
