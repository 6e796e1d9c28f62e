/**
 * The jobs, plain functions, the same code for every contender: each has a file beside this one that offers them the way its
 * documentation says.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** What remains is what the pool costs. */
export function echo(value) {
  return value;
}

/** The same for bytes that are transferred: `value` is an ArrayBuffer, and a contender's own file sends it back moved. */
export function echoMoved(value) {
  return value;
}

/** Gives back nothing of what it got but its size. */
export function measure(value) {
  return value.byteLength ?? value.length;
}

/** Writes into memory that both sides see. */
export function touch(bytes) {
  bytes[0] = (bytes[0] + 1) & 127;
  return bytes.byteLength;
}

/** Fits into the fastest cache of any machine, together with what a job needs beside it. */
const BLOCK = new Uint8Array(16_384).fill(7);

/**
 * Computes; its time grows evenly with `steps`. In native code: a loop in JavaScript, called once per job, runs for seconds in whichever
 * tier of the compiler it happens to be, five times slower or not, and would measure that instead of the pool.
 */
export function burn(steps) {
  let sum = 0;
  let left = steps;
  for (; left >= BLOCK.length; left -= BLOCK.length) sum = crc32(BLOCK, sum);
  return left === 0 ? sum : crc32(BLOCK.subarray(0, left), sum);
}

export function hash(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The sum of a column: what is parsed must not be thrown away unseen. */
export function parse(text) {
  return JSON.parse(text).reduce((sum, row) => sum + row.amount, 0);
}

/** Counts in shared memory, which nobody has to be asked about: words are [jobs done, stop]. */
export function tick({ steps, words }) {
  if (Atomics.load(words, 1) === 1) return 0;
  burn(steps);
  return Atomics.add(words, 0, 1);
}

/** Holds its thread while the word is 0, so that everything behind it waits. Other values come back. */
export function hold(value) {
  if (typeof value === "number") return value;
  Atomics.wait(value, 0, 0);
  return -1;
}

const storage = new AsyncLocalStorage();

/** Context by hand: what the caller has put into the message is entered before the job runs. */
export function echoInContext({ requestId, tenant, value }) {
  return storage.run({ requestId, tenant }, echo, value);
}
