/** Roles of ring.stress.test.ts. */
import { parentPort } from "node:worker_threads";
import { EMPTY, Ring } from "../../../src/shared/ring.ts";
import { seededRandom } from "../seeded-random.ts";
import { type Part, takePart } from "./stress.ts";
import { Counter, type Tally } from "./tally.ts";

/** Slot numbers carry the producer and a count. */
export const COUNT_LIMIT = 30_000;

export interface RingData {
  readonly words: Int32Array;
  readonly cells: number;
  readonly producer: number;
  /** Whether one producer and one consumer are all there are. */
  readonly alone: boolean;
  /** How many operations a `mixer` does after the stop. */
  readonly extra: number;
}

const { words, cells, producer, alone, extra, role, stop, seed } = takePart() as RingData & Part;
const ring = new Ring(words, 0, cells);
const random = seededRandom(seed);
const tickets = new Int32Array(1);
const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Mostly for a few operations, now and then so long that another thread gets this core. */
function loiter(): void {
  for (let i = Math.floor(random() * 50); i > 0; i--) Atomics.load(stop, 0);
  if (random() < 0.1) Atomics.wait(nobody, 0, 0, 0.01);
}

function produce(): Tally {
  const counter = new Counter();
  let next = 0;
  while (Atomics.load(stop, 0) === 0) {
    const slot = producer * COUNT_LIMIT + next;
    if (ring.push(slot, tickets, 0)) {
      counter.addAt(slot, tickets[0]!);
      next = (next + 1) % COUNT_LIMIT;
    } else loiter();
  }
  return counter.tally();
}

function consume(): Tally {
  const counter = new Counter();
  for (;;) {
    const stopping = Atomics.load(stop, 0) === 2;
    const slot = ring.pop();
    if (slot !== EMPTY) {
      if (alone && slot !== counter.count % COUNT_LIMIT) counter.disorder++;
      counter.addAt(slot, ring.poppedPosition);
    } else if (stopping) return counter.tally();
    else loiter();
  }
}

/** Pushes and pops in turn, so that the ring never stays full. @returns what it pushed less what it popped. */
function mix(): Tally {
  const pushed = new Counter();
  const popped = new Counter();
  parentPort!.postMessage("started");
  for (let left = extra; left > 0;) {
    if (random() < 0.5) {
      const slot = producer * COUNT_LIMIT + (pushed.count % COUNT_LIMIT);
      if (ring.push(slot, tickets, 0)) pushed.add(slot);
    } else {
      const slot = ring.pop();
      if (slot !== EMPTY) popped.add(slot);
    }
    if (Atomics.load(stop, 0) !== 0) left--;
  }
  return {
    count: pushed.count - popped.count,
    sum: (pushed.sum - popped.sum) | 0,
    mixed: (pushed.mixed - popped.mixed) | 0,
    disorder: 0,
  };
}

const roles = { producer: produce, consumer: consume, mixer: mix };
parentPort!.postMessage(roles[role as keyof typeof roles]());
