import { workerData } from "node:worker_threads";
import { BUSY, IDLE } from "./all-cores.ts";

const state = workerData as Int32Array;
for (;;) {
  Atomics.wait(state, 0, IDLE);
  while (Atomics.load(state, 0) === BUSY);
}
