/** The other thread of measure-costs.ts. */
import { parentPort, workerData } from "node:worker_threads";

const { words, at } = workerData as {
  words: Int32Array;
  at: { command: number; ball: number; shared: number; asleep: number };
};
const PING = 1;
const ADD = 2;
const SLEEP = 3;
const SEND = 4;
const END = 9;

parentPort!.postMessage("ready");
for (;;) {
  const command = Atomics.load(words, at.command);
  if (command === 0) continue;
  if (command === END) break;
  const count = words[at.command + 1]!;
  Atomics.store(words, at.command, 0);
  if (command === PING) pong(count);
  else if (command === ADD) for (let i = 0; i < count; i++) Atomics.add(words, at.shared, 1);
  else if (command === SLEEP) sleep();
  else if (command === SEND) send();
}
Atomics.store(words, at.command, 0);

function pong(rounds: number): void {
  for (let i = 0; i < rounds; i++) {
    while (Atomics.load(words, at.ball) !== 2 * i + 1);
    Atomics.store(words, at.ball, 2 * i + 2);
  }
}

function sleep(): void {
  Atomics.store(words, at.asleep, 1);
  Atomics.wait(words, at.ball, 0);
  Atomics.store(words, at.asleep, 0);
}

/** When the other side sleeps. */
function send(): void {
  const until = performance.now() + 2;
  while (performance.now() < until);
  const started = performance.now();
  parentPort!.postMessage({ at: performance.timeOrigin + started });
  Atomics.store(words, at.asleep, Math.round((performance.now() - started) * 1e6));
}
