/**
 * A machine with as many cores as are wanted, and the time that atomic operations take on it. Threads are generators (stepping.ts). The one
 * whose clock is least goes on, until it is at an operation that another would reach before it: so all operations happen in the
 * order of their times, and every run is the same.
 *
 * A cache line belongs to one core, or several have copies of it. Who writes needs it alone, who reads needs a copy; fetching it costs `transferNs`. Lines
 * are handed on one by one: whoever asks for a line that is on its way waits for it, which is what contention is.
 */
import type { Costs } from "./costs.ts";

const LINE_SHIFT = 4;
const NOBODY = -1;
const SHARER_WORDS = 8;
/** How long a thread runs while others wait for its core. */
const SLICE_NS = 3_000_000;

export interface MachineOptions {
  readonly costs: Costs;
  /** Infinity: nobody ever waits for a core. */
  readonly cores: number;
  /** Words of shared memory. */
  readonly memories: readonly Int32Array[];
  /** Whether a line goes to those who only read it one by one, as to those who write it; else to all at the same time. */
  readonly readsQueue: boolean;
  /** Whether `pause` takes time. */
  readonly pauses: boolean;
}

interface Thread {
  readonly id: number;
  readonly steps: Generator;
  clock: number;
  hasCore: boolean;
  sliceEnd: number;
  /** Of its present wait; what was to happen in an earlier one is out of date. */
  turn: number;
  isBlocked: boolean;
  outcome: "ok" | "timed-out";
  done: boolean;
}

interface Event {
  readonly at: number;
  readonly thread: Thread;
  readonly turn: number;
}

let options: MachineOptions;
let costs: Costs;
/** Of the thread that is running. */
let clock = 0;
let current: Thread;
/** When the next of the others has something to do. */
let horizon = Infinity;
let events: Event[] = [];
let threads: Thread[] = [];
let waiting: Thread[] = [];
let freeCores = 0;
let firstLine: number[] = [];
let owner = new Int16Array(0);
let sharers = new Int32Array(0);
let busyUntil = new Float64Array(0);
let waiters = new Map<number, Thread>();

/** Forgets everything before. */
export function reset(given: MachineOptions): void {
  options = given;
  ({ costs } = given);
  clock = 0;
  horizon = Infinity;
  events = [];
  threads = [];
  waiting = [];
  freeCores = given.cores;
  let lines = 0;
  firstLine = given.memories.map((words) => {
    const first = lines;
    lines += (words.length >> LINE_SHIFT) + 1;
    return first;
  });
  owner = new Int16Array(lines).fill(NOBODY);
  sharers = new Int32Array(lines * SHARER_WORDS);
  busyUntil = new Float64Array(lines);
  waiters = new Map();
}

/** @param program A function that was made to step. */
export function start(program: (...args: never[]) => unknown, ...args: unknown[]): void {
  const thread: Thread = {
    id: threads.length,
    steps: (program as (...args: unknown[]) => unknown)(...args) as Generator,
    clock,
    hasCore: false,
    sliceEnd: 0,
    turn: 0,
    isBlocked: false,
    outcome: "ok",
    done: false,
  };
  threads.push(thread);
  schedule(thread, clock);
}

/** Until the first thread, the host, has ended. @returns nanoseconds. */
export function run(): number {
  for (;;) {
    const event = take();
    if (event === undefined) throw new Error("Everybody sleeps: a wake-up was lost");
    const { thread } = event;
    if (event.turn !== thread.turn || thread.done) continue;
    if (thread.isBlocked) {
      // Only the end of its patience comes by this way: who is woken is not blocked any more.
      waiters.forEach((waiter, word) => waiter === thread && waiters.delete(word));
      wake(thread, event.at, "timed-out");
      continue;
    }
    if (!mayRun(thread, event.at)) continue;
    resume(thread, event.at);
    if (thread.done && thread.id === 0) return thread.clock;
  }
}

function resume(thread: Thread, at: number): void {
  current = thread;
  clock = Math.max(thread.clock, at);
  horizon = events[0]?.at ?? Infinity;
  const { done } = thread.steps.next();
  thread.clock = clock;
  if (done === true) thread.done = true;
  if (thread.done || thread.isBlocked) leaveCore(thread, clock);
  else schedule(thread, clock);
}

// Cores.

function mayRun(thread: Thread, at: number): boolean {
  if (thread.hasCore) {
    if (waiting.length === 0 || at < thread.sliceEnd) return true;
    leaveCore(thread, at);
  } else if (freeCores > 0) {
    freeCores--;
    giveCore(thread, at);
    return true;
  }
  waiting.push(thread);
  return false;
}

/** Whoever has waited longest has it next. */
function leaveCore(thread: Thread, at: number): void {
  if (!thread.hasCore) return;
  thread.hasCore = false;
  const next = waiting.shift();
  if (next === undefined) {
    freeCores++;
    return;
  }
  const from = Math.max(next.clock, at);
  giveCore(next, from);
  schedule(next, from);
}

function giveCore(thread: Thread, at: number): void {
  thread.hasCore = true;
  thread.sliceEnd = at + SLICE_NS;
}

// What stepping.ts writes into the code.

export function mustGiveWay(): boolean {
  return clock > horizon;
}

export function isSteps(value: unknown): boolean {
  return typeof value === "object" && value !== null && Symbol.iterator in value && "throw" in value;
}

// In place of pool/src/shared/atomics.ts.

export function load(words: Int32Array, index: number): number {
  const value = words[index]!;
  read(words, index);
  return value;
}

export function store(words: Int32Array, index: number, value: number): void {
  words[index] = value;
  write(words, index, costs.storeNs);
}

export function cas(words: Int32Array, index: number, expected: number, value: number): boolean {
  const succeeds = words[index] === expected;
  if (succeeds) words[index] = value;
  write(words, index, costs.casNs);
  return succeeds;
}

export function exchange(words: Int32Array, index: number, value: number): number {
  const before = words[index]!;
  words[index] = value;
  write(words, index, costs.casNs);
  return before;
}

export function add(words: Int32Array, index: number, value: number): number {
  return exchange(words, index, (words[index]! + value) | 0);
}

export function* wait(
  words: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
): Generator<undefined, "ok" | "not-equal" | "timed-out"> {
  if (mustGiveWay()) yield;
  charge(costs.sleepNs);
  if (mustGiveWay()) yield;
  if (words[index] !== value) return "not-equal";
  if (timeoutMs === 0) return "timed-out";
  return yield* block(index, clock + timeoutMs * 1e6);
}

/** Not a promise: to be given to `awaitWoken`. */
export function waitAsync(words: Int32Array, index: number, value: number): object | null {
  return words[index] === value ? { index } : null;
}

export function* awaitWoken(registered: object): Generator<undefined, void> {
  yield* block((registered as { index: number }).index, Infinity);
  charge(costs.turnNs);
}

function* block(index: number, until: number): Generator<undefined, "ok" | "timed-out"> {
  const thread = current;
  thread.isBlocked = true;
  thread.turn++;
  waiters.set(index, thread);
  if (until < Infinity) addEvent({ at: until, thread, turn: thread.turn });
  yield;
  return thread.outcome;
}

export function notify(_words: Int32Array, index: number): void {
  const thread = waiters.get(index);
  if (thread === undefined) {
    charge(costs.notifyNs);
    return;
  }
  waiters.delete(index);
  const from = clock;
  charge(costs.wakeNs);
  wake(thread, from + costs.wakeLatencyNs, "ok");
}

function wake(thread: Thread, at: number, outcome: Thread["outcome"]): void {
  thread.isBlocked = false;
  thread.outcome = outcome;
  schedule(thread, Math.max(thread.clock, at));
}

export function pause(): void {
  if (options.pauses) charge(costs.pauseNs);
}

// For programs.

/** The present thread computes. */
export function charge(ns: number): void {
  clock += ns;
}

/** A plain access, to memory that another thread may have touched. */
export function touch(words: Int32Array, index: number, writes: boolean): void {
  if (writes) write(words, index, 0);
  else read(words, index);
}

/** Milliseconds, as `performance.now`; reading it takes time. */
export function now(): number {
  charge(costs.clockNs);
  return clock / 1e6;
}

export function nowNs(): number {
  return clock;
}

/** In place of the one of node:os. */
export function availableParallelism(): number {
  return options.cores === Infinity ? 1024 : options.cores;
}

/** What `awaitWoken` takes for a thread that waits for a message; `wakeHost` sends that. */
export function eventLoopOf(submitter: number): { readonly index: number } {
  return { index: -1 - submitter };
}

export function wakeHost({ index }: { readonly index: number }, latencyNs: number): void {
  const thread = waiters.get(index);
  if (thread === undefined) return;
  waiters.delete(index);
  wake(thread, clock + latencyNs, "ok");
}

// Lines.

function lineOf(words: Int32Array, index: number): number {
  const { memories } = options;
  const memory = words.buffer === memories[0]!.buffer ? 0 : 1;
  return firstLine[memory]! + (index >> LINE_SHIFT);
}

function read(words: Int32Array, index: number): void {
  const line = lineOf(words, index);
  const { id } = current;
  const word = line * SHARER_WORDS + (id >> 5);
  const bit = 1 << (id & 31);
  if ((sharers[word]! & bit) !== 0) {
    clock += costs.loadNs;
    return;
  }
  clock = Math.max(clock, busyUntil[line]!) + costs.transferNs;
  if (options.readsQueue) busyUntil[line] = clock;
  sharers[word]! |= bit;
  owner[line] = NOBODY;
}

function write(words: Int32Array, index: number, ownNs: number): void {
  const line = lineOf(words, index);
  const { id } = current;
  if (owner[line] === id) {
    clock += ownNs;
    return;
  }
  clock = Math.max(clock, busyUntil[line]!) + costs.transferNs + ownNs;
  busyUntil[line] = clock;
  owner[line] = id;
  const first = line * SHARER_WORDS;
  sharers.fill(0, first, first + SHARER_WORDS);
  sharers[first + (id >> 5)] = 1 << (id & 31);
}

// The events, the earliest first: a heap.

function schedule(thread: Thread, at: number): void {
  addEvent({ at, thread, turn: ++thread.turn });
}

function addEvent(event: Event): void {
  if (event.at < horizon) horizon = event.at;
  let i = events.push(event) - 1;
  while (i > 0) {
    const up = (i - 1) >> 1;
    if (events[up]!.at <= event.at) break;
    events[i] = events[up]!;
    i = up;
  }
  events[i] = event;
}

function take(): Event | undefined {
  const [first] = events;
  const last = events.pop();
  if (last === undefined || events.length === 0) return first;
  let i = 0;
  for (;;) {
    let down = 2 * i + 1;
    if (down >= events.length) break;
    if (down + 1 < events.length && events[down + 1]!.at < events[down]!.at) down++;
    if (events[down]!.at >= last.at) break;
    events[i] = events[down]!;
    i = down;
  }
  events[i] = last;
  return first;
}
