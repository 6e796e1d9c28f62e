/**
 * Stands in for src/shared/atomics.ts under the programs of a model test. Every operation asks the controller first; waits and
 * wake-ups are the controller's, who knows which thread waits for which word.
 */
import type { Fault, Operation, Steps } from "./operations.ts";

/** What the operations know of the thread that is running. */
export interface ThreadState {
  /** An operation that is put off by a fault. */
  delayed: { readonly perform: () => void; readonly until: Operation } | null;
  /** Whether the last waitAsync has registered a waiter. */
  isRegistered: boolean;
}

let control: Int32Array;
let fault: Fault | null = null;
let running: ThreadState;

export function beginSchedule(controlWords: Int32Array, injected: Fault | null): void {
  control = controlWords;
  fault = injected;
}

/** Before a thread goes on. */
export function enter(thread: ThreadState): void {
  running = thread;
}

export function isSteps(value: unknown): value is Steps<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value && "throw" in value;
}

/** For constructors. */
export function atOnce(value: unknown): unknown {
  if (!isSteps(value)) return value;
  for (;;) {
    const { done, value: result } = value.next("go");
    if (done === true) return result;
  }
}

/** Whether the operation that was just granted is to be put off. */
function isFaulty(operation: Operation, words: Int32Array, index: number, value: number): boolean {
  return (
    fault !== null &&
    words.buffer === control.buffer &&
    fault.operation === operation &&
    index >= fault.from &&
    index < fault.to &&
    (value & 0x1ffff) === fault.value
  );
}

function after<T>(operation: Operation, result: T): T {
  const { delayed } = running;
  if (delayed?.until === operation) {
    running.delayed = null;
    delayed.perform();
  }
  return result;
}

export function* load(words: Int32Array, index: number): Steps<number> {
  yield { operation: "load", index, value: 0 };
  return after("load", Atomics.load(words, index));
}

export function* store(words: Int32Array, index: number, value: number): Steps<void> {
  yield { operation: "store", index, value };
  if (isFaulty("store", words, index, value)) {
    running.delayed = { perform: () => Atomics.store(words, index, value), until: fault!.until };
    return;
  }
  after("store", Atomics.store(words, index, value));
}

export function* cas(words: Int32Array, index: number, expected: number, value: number): Steps<boolean> {
  yield { operation: "cas", index, value };
  if (isFaulty("cas", words, index, value)) {
    running.delayed = {
      perform: () => Atomics.compareExchange(words, index, expected, value),
      until: fault!.until,
    };
    return true;
  }
  return after("cas", Atomics.compareExchange(words, index, expected, value) === expected);
}

export function* exchange(words: Int32Array, index: number, value: number): Steps<number> {
  yield { operation: "exchange", index, value };
  return after("exchange", Atomics.exchange(words, index, value));
}

export function* add(words: Int32Array, index: number, value: number): Steps<number> {
  yield { operation: "add", index, value };
  return after("add", Atomics.add(words, index, value));
}

/** Blocked until the controller says that somebody has notified the word, or that the time is over. */
export function* wait(
  words: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
): Steps<"ok" | "not-equal" | "timed-out"> {
  yield { operation: "wait", index, value };
  after("wait", undefined);
  if (Atomics.load(words, index) !== value) return "not-equal";
  const operation = timeoutMs === Infinity ? "waiting without end" : "waiting";
  const answer = yield { operation, index, value };
  if (answer === "timed-out") return "timed-out";
  if (answer !== "notified") throw new Error("The controller let a blocked thread go on");
  return "ok";
}

/** Not a promise: to be given to `awaitWoken`. */
export function* waitAsync(words: Int32Array, index: number, value: number): Steps<object | null> {
  yield { operation: "waitAsync", index, value };
  running.isRegistered = Atomics.load(words, index) === value;
  return running.isRegistered ? { index } : null;
}

/** What a thread does in its event loop with the promise of `waitAsync`. */
export function* awaitWoken(registered: unknown): Steps<void> {
  yield { operation: "awaiting", index: (registered as { index: number }).index, value: 0 };
}

export function* notify(_words: Int32Array, index: number): Steps<void> {
  yield { operation: "notify", index, value: 0 };
}

export function pause(): void {}
