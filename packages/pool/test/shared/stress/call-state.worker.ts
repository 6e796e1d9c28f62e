/** Roles of call-state.stress.test.ts. */
import { parentPort } from "node:worker_threads";
import { CallState, WAITING } from "../../../src/shared/call-state.ts";
import { type Part, takePart } from "./stress.ts";

export interface CallStateData {
  /** Of the calls, one after the other: word 0 the call, word 1 how many were opened, word 2 how many are over on either side. */
  readonly words: Int32Array;
}

const { words, role, stop } = takePart() as CallStateData & Part;
const state = new CallState(words);

/** Opens a call, gives it up at once, and waits for the thread. @returns how many it has withdrawn. */
function call(): { calls: number; withdrawn: number } {
  let withdrawn = 0;
  let calls = 0;
  for (; Atomics.load(stop, 0) === 0; calls++) {
    Atomics.store(words, 0, WAITING);
    Atomics.add(words, 1, 1);
    for (let pause = calls % 200; pause > 0; pause--) Atomics.load(stop, 0);
    if (state.giveUp() === "withdrawn") withdrawn++;
    while (Atomics.load(words, 2) === calls);
  }
  Atomics.store(words, 1, -1);
  return { calls, withdrawn };
}

/** Begins each call, and ends it when it is asked to stop. @returns how many it has begun. */
function run(): number {
  let begun = 0;
  for (let seen = 0; ; seen++) {
    let opened = Atomics.load(words, 1);
    while (opened === seen) opened = Atomics.load(words, 1);
    if (opened === -1) return begun;
    if (state.begin()) {
      begun++;
      while (!state.isStopping);
      state.end();
    }
    Atomics.add(words, 2, 1);
  }
}

parentPort!.postMessage(role === "caller" ? call() : run());
