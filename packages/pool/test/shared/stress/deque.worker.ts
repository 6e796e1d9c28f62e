/** Roles of deque.stress.test.ts. */
import { parentPort } from "node:worker_threads";
import { CONTENDED, Deque, EMPTY } from "../../../src/shared/deque.ts";
import { seededRandom } from "../seeded-random.ts";
import { type Part, takePart } from "./stress.ts";
import { Counter, type Tally } from "./tally.ts";

export interface DequeData {
  readonly words: Int32Array;
  readonly cells: number;
  /** Pushed by the owner who comes after the one here. */
  readonly nextOwnersSlot: number;
}

/** Slot numbers count up to here, then again from 0. */
const SLOTS = 100_003;

const { words, cells, nextOwnersSlot, role, stop, seed } = takePart() as DequeData & Part;
const deque = new Deque(words, 0, cells);
const random = seededRandom(seed);
const tickets = new Int32Array(1);
const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Mostly for a few operations, now and then so long that another thread gets this core. */
function loiter(): void {
  for (let i = Math.floor(random() * 50); i > 0; i--) Atomics.load(stop, 0);
  if (random() < 0.05) Atomics.wait(nobody, 0, 0, 0.01);
}

/** @returns what it pushed, and what it popped itself. */
function own(): { pushed: Tally; popped: Tally; refused: number } {
  const pushed = new Counter();
  const popped = new Counter();
  let refused = 0;
  while (Atomics.load(stop, 0) === 0) {
    // Full and empty now and then, mostly next to empty, where owner and thieves meet.
    for (let i = Math.floor(random() ** 3 * 6) + 1; i > 0; i--) {
      const slot = pushed.count % SLOTS;
      if (deque.push(slot, tickets, 0)) pushed.add(slot);
      else refused++;
    }
    if (random() < 0.3) loiter();
    for (let i = Math.floor(random() * 4); i > 0; i--) {
      const slot = deque.pop();
      if (slot !== EMPTY) popped.add(slot);
    }
  }
  return { pushed: pushed.tally(), popped: popped.tally(), refused };
}

/** @returns what it stole; `disorder` counts positions that did not grow. */
function steal(): Tally & { contended: number; nextOwners: number } {
  const stolen = new Counter();
  let contended = 0;
  let nextOwners = 0;
  for (;;) {
    const stopping = Atomics.load(stop, 0) === 2;
    const slot = deque.steal();
    if (slot === CONTENDED) contended++;
    else if (slot !== EMPTY) {
      stolen.addAt(slot, deque.takenPosition);
      if (slot === nextOwnersSlot) nextOwners++;
    } else if (stopping) return { ...stolen.tally(), contended, nextOwners };
    else if (random() < 0.2) loiter();
  }
}

parentPort!.postMessage(role === "owner" ? own() : steal());
