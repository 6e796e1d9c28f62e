/**
 * The thread of a process that hears what cannot wait for a job to end: that one is to stop, that the pool wants one back, and that the
 * program has died, which nobody else would tell. Jobs never see it.
 *
 * It moves the words of jobs, which the main thread shares (shared/call-state.ts), and answers what it found.
 */
import { Buffer } from "node:buffer";
import { Socket } from "node:net";
import { setTimeout } from "node:timers";
import { workerData } from "node:worker_threads";
import {
  BEGUN,
  CONTROL_BYTES,
  CONTROL_FD,
  controlMessage,
  STOP,
  u32At,
  WITHDRAWN,
  wordOf,
} from "../adapter/process-frames.ts";
import { CallState } from "../shared/call-state.ts";

/** How long the main thread has to end by itself, with its exit handlers, once the program is gone. */
const GRACE_MS = 1000;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- given in entry.ts
const words = workerData as Int32Array;
const control = new Socket({ fd: CONTROL_FD, readable: true, writable: true });
let kept: Uint8Array = new Uint8Array(0);

control.on("data", (bytes: Uint8Array) => {
  const all = Buffer.concat([kept, bytes]);
  let at = 0;
  for (; all.length - at >= CONTROL_BYTES; at += CONTROL_BYTES) answer(all[at]!, u32At(all, at + 1));
  kept = all.subarray(at);
});
control.on("error", () => {});
control.on("close", () => setTimeout(() => process.kill(process.pid, "SIGKILL"), GRACE_MS));

function answer(op: number, job: number): void {
  const state = new CallState(wordOf(words, job));
  const isWithdrawn = op === STOP ? state.giveUp() === "withdrawn" : state.withdraw();
  control.write(controlMessage(isWithdrawn ? WITHDRAWN : BEGUN, job));
}
