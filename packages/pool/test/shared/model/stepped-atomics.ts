/**
 * Stands in for src/shared/atomics.ts in the threads of a model test. Every operation asks the controller first; waits and
 * wake-ups are the controller's, who knows which thread waits for which word.
 */
import {
  announce,
  ASKING,
  awaitChange,
  FAULT,
  GRANT,
  INDEX,
  KILL,
  NOT_YET,
  NOTIFIED,
  OP,
  type Operation,
  OPERATIONS,
  REGISTERED,
  STATUS,
  threadBase,
  TIMED_OUT,
  VALUE,
} from "./handshake.ts";

/** Thrown where the thread was when it was ended; nothing in the code under test catches. */
export const killed: unique symbol = Symbol("killed");

let handshake: Int32Array = new Int32Array(0);
let control: Int32Array = new Int32Array(0);
let base = 0;
let delayed: { perform: () => void; until: number } | null = null;

export function connect(words: Int32Array, controlWords: Int32Array, thread: number): void {
  handshake = words;
  control = controlWords;
  base = threadBase(thread);
}

export function beginProgram(): void {
  delayed = null;
}

function ask(operation: Operation, index: number, value: number): number {
  handshake[base + OP] = OPERATIONS.indexOf(operation);
  handshake[base + INDEX] = index;
  handshake[base + VALUE] = value;
  announce(handshake, base + STATUS, ASKING);
  const grant = awaitChange(handshake, base + GRANT, NOT_YET);
  Atomics.store(handshake, base + GRANT, NOT_YET);
  // oxlint-disable-next-line typescript/only-throw-error -- not an error: the end of the thread
  if (grant === KILL) throw killed;
  return grant;
}

/** Whether the operation that was just granted is to be put off. */
function isFaulty(operation: Operation, words: Int32Array, index: number, value: number): boolean {
  return (
    handshake[FAULT] === 1 &&
    words.buffer === control.buffer &&
    handshake[FAULT + 1] === OPERATIONS.indexOf(operation) &&
    index >= handshake[FAULT + 2]! &&
    index < handshake[FAULT + 3]! &&
    (value & 0x1ffff) === handshake[FAULT + 4]
  );
}

function after<T>(operation: Operation, result: T): T {
  if (delayed !== null && delayed.until === OPERATIONS.indexOf(operation)) {
    const { perform } = delayed;
    delayed = null;
    perform();
  }
  return result;
}

export function load(words: Int32Array, index: number): number {
  ask("load", index, 0);
  return after("load", Atomics.load(words, index));
}

export function store(words: Int32Array, index: number, value: number): void {
  ask("store", index, value);
  if (isFaulty("store", words, index, value)) {
    delayed = { perform: () => Atomics.store(words, index, value), until: handshake[FAULT + 5]! };
    return;
  }
  after("store", Atomics.store(words, index, value));
}

export function cas(words: Int32Array, index: number, expected: number, value: number): boolean {
  ask("cas", index, value);
  if (isFaulty("cas", words, index, value)) {
    delayed = {
      perform: () => Atomics.compareExchange(words, index, expected, value),
      until: handshake[FAULT + 5]!,
    };
    return true;
  }
  return after("cas", Atomics.compareExchange(words, index, expected, value) === expected);
}

export function exchange(words: Int32Array, index: number, value: number): number {
  ask("exchange", index, value);
  return after("exchange", Atomics.exchange(words, index, value));
}

export function add(words: Int32Array, index: number, value: number): number {
  ask("add", index, value);
  return after("add", Atomics.add(words, index, value));
}

/** Blocked until the controller says that somebody has notified the word, or that the time is over. */
export function wait(
  words: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
): "ok" | "not-equal" | "timed-out" {
  ask("wait", index, value);
  after("wait", undefined);
  if (Atomics.load(words, index) !== value) return "not-equal";
  const grant = ask(timeoutMs === Infinity ? "waiting without end" : "waiting", index, value);
  if (grant === TIMED_OUT) return "timed-out";
  if (grant !== NOTIFIED) throw new Error("The controller let a blocked thread go on");
  return "ok";
}

/** Not a promise: to be given to `awaitWoken`. */
export function waitAsync(words: Int32Array, index: number, value: number): object | null {
  ask("waitAsync", index, value);
  const registers = Atomics.load(words, index) === value;
  handshake[base + REGISTERED] = registers ? 1 : 0;
  return registers ? { index } : null;
}

/** What a thread does in its event loop with the promise of `waitAsync`. */
export function awaitWoken(registered: unknown): void {
  ask("awaiting", (registered as { index: number }).index, 0);
}

export function notify(_words: Int32Array, index: number): void {
  ask("notify", index, 0);
}

export function pause(): void {}
