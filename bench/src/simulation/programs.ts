/**
 * What the simulated threads do: the host and the pool threads, over the pool's own queues, slots, inboxes and parking. What a thread does
 * between two operations on shared memory is left out, and charged as time. Written as ordinary code; stepping.ts makes it stop.
 */
import { type Layout, SLOT_WORDS } from "../../../packages/pool/src/shared/layout.ts";
import { NO_JOB } from "../../../packages/pool/src/shared/job-queues.ts";
import { HOST, PoolMemory } from "../../../packages/pool/src/shared/pool-memory.ts";
import { ALL, SHARED } from "../../../packages/pool/src/shared/reach.ts";
import { EMPTY, Ring } from "../../../packages/pool/src/shared/ring.ts";
import { DONE, QUEUED } from "../../../packages/pool/src/shared/slot.ts";
import { Rest } from "../../../packages/pool/src/worker/rest.ts";
import { Spinner } from "../../../packages/pool/src/worker/spinner.ts";
import type { Costs, JobCosts } from "./costs.ts";
import {
  availableParallelism,
  awaitWoken,
  charge,
  eventLoopOf,
  nowNs,
  start,
  touch,
  wakeHost,
} from "./machine.ts";

export interface Shared {
  readonly control: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly layout: Layout;
  readonly costs: Costs;
  readonly jobCosts: JobCosts;
  readonly jobNs: number;
  readonly spinLimitUs: number;
  /** Set by the host when all is over. */
  over: boolean;
}

const NORMAL = 1;
/** Of a slot: what lies in it. */
const PAYLOAD = 16;
/** Turns of the host's event loop without a result before it sleeps. */
const LOOKS = 64;
/** The same while as many threads run as there are cores. */
const CROWDED_LOOKS = 1;

function memoryOf(shared: Shared, submitter: number): PoolMemory {
  return new PoolMemory(shared.control, shared.slots, shared.layout, submitter);
}

// Bursts.

interface Host {
  readonly shared: Shared;
  readonly memory: PoolMemory;
  readonly free: number[];
  readonly finished: Int32Array;
}

function hostOf(shared: Shared): Host {
  const memory = memoryOf(shared, HOST);
  const free = Array.from({ length: memory.slotCount }, (_, i) => memory.slotCount - 1 - i);
  return { shared, memory, free, finished: new Int32Array(memory.slotCount) };
}

/** Submits `jobs`, all at once, and takes their results in. */
export function host(shared: Shared, jobs: number): void {
  const own = hostOf(shared);
  const { parking, inbox } = own.memory;
  let placed = submitAll(own, jobs);
  let settled = 0;
  let emptyTurns = 0;
  while (settled < jobs) {
    charge(shared.costs.turnNs);
    const count = settleAll(own);
    settled += count;
    if (placed < jobs && own.free.length > 0) {
      for (; placed < jobs && own.free.length > 0; placed++) place(own);
      parking.wakeOne();
    }
    emptyTurns = count > 0 ? 0 : emptyTurns + 1;
    const looks = parking.awake() >= availableParallelism() ? CROWDED_LOOKS : LOOKS;
    if (emptyTurns < looks || settled === jobs) continue;
    emptyTurns = 0;
    if (inbox.sleep()) awaitWoken(eventLoopOf(HOST));
  }
  shared.over = true;
}

/** @returns how many found a slot. */
function submitAll(own: Host, jobs: number): number {
  const { memory, free, shared } = own;
  // As host/completion-pump.ts: it looks by itself, nobody has to ring.
  memory.inbox.wake();
  let placed = 0;
  for (let i = 0; i < jobs; i++) {
    charge(shared.jobCosts.makeNs);
    if (free.length === 0) continue;
    place(own);
    placed++;
    memory.parking.wakeOne();
  }
  return placed;
}

function place({ memory, free }: Host): void {
  const { slots, queues } = memory;
  const slot = free.pop()!;
  touch(slots.words, slot * SLOT_WORDS, true);
  touch(slots.words, slot * SLOT_WORDS + PAYLOAD, true);
  slots.publish(slot);
  queues.push(NORMAL, slot);
}

/** @returns how many came back. */
function settleAll({ memory, free, finished, shared }: Host): number {
  const { slots, inbox } = memory;
  const count = inbox.takeAll(finished);
  for (let i = 0; i < count; i++) {
    const slot = finished[i]!;
    touch(slots.words, slot * SLOT_WORDS, false);
    touch(slots.words, slot * SLOT_WORDS + PAYLOAD, false);
    charge(shared.jobCosts.settleNs);
    slots.release(slot);
    free.push(slot);
  }
  return count;
}

export interface Phases {
  makeNs: number;
  runNs: number;
  settleNs: number;
}

/** Submits everything, then lets one thread run everything, then takes everything in: what each of it takes, per job. */
export function phases(shared: Shared, jobs: number, taken: Phases): void {
  const own = hostOf(shared);
  let from = nowNs();
  submitAll(own, jobs);
  taken.makeNs = (nowNs() - from) / jobs;
  from = nowNs();
  start(runAll, shared, jobs);
  awaitWoken(eventLoopOf(HOST));
  taken.runNs = (nowNs() - from) / jobs;
  from = nowNs();
  settleAll(own);
  taken.settleNs = (nowNs() - from) / jobs;
}

function runAll(shared: Shared, jobs: number): void {
  const memory = memoryOf(shared, 1);
  memory.queues.reach = ALL;
  for (let i = 0; i < jobs; i++) runJob(shared, memory, memory.queues.take(1), 1);
  wakeHost(eventLoopOf(HOST), 0);
}

/** Takes jobs, as worker/dispatch-loop.ts does. */
export function thread(shared: Shared, index: number): void {
  const { costs } = shared;
  const memory = memoryOf(shared, index + 1);
  const { queues } = memory;
  const serial = index + 1;
  const rest = restOf(shared, memory, index);
  let ranSinceTurn = false;
  rest.search(ALL);
  while (!shared.over) {
    queues.reach = ALL;
    const slot = queues.take(serial);
    if (slot !== NO_JOB) {
      rest.stopSearching();
      queues.reach = SHARED;
      ranSinceTurn = true;
      runJob(shared, memory, slot, serial);
      continue;
    }
    rest.search(ALL);
    if (rest.spin()) continue;
    if (ranSinceTurn) {
      ranSinceTurn = false;
      rest.stopSearching();
      charge(costs.turnNs);
      continue;
    }
    const woken = rest.sleep(ALL, true);
    if (woken === null) continue;
    awaitWoken(woken);
    rest.wokeUp(ALL);
    charge(costs.turnNs);
  }
}

function runJob({ costs, jobCosts, jobNs }: Shared, memory: PoolMemory, slot: number, serial: number): void {
  const { slots, inboxes } = memory;
  touch(slots.words, slot * SLOT_WORDS + PAYLOAD, false);
  charge(jobCosts.runNs + jobNs);
  touch(slots.words, slot * SLOT_WORDS + PAYLOAD, true);
  slots.finish(slot, serial);
  const inbox = inboxes[HOST]!;
  inbox.put(slot);
  if (!inbox.ring()) return;
  charge(costs.messageNs);
  wakeHost(eventLoopOf(HOST), costs.messageLatencyNs);
}

function restOf(shared: Shared, memory: PoolMemory, index: number): Rest {
  return new Rest({
    thread: index,
    memory,
    spinLimitUs: shared.spinLimitUs,
    canGoOn: () => false,
    onAllBusy: () => {},
    onIdle: () => {},
  });
}

// Fork and join.

interface Forker {
  readonly shared: Shared;
  readonly memory: PoolMemory;
  readonly index: number;
  readonly free: number[];
  readonly finished: Int32Array;
  readonly spinner: Spinner;
  /** By slot: whether the job that was in it has come back. */
  readonly back: Uint8Array;
}

function forkerOf(shared: Shared, index: number): Forker {
  const memory = memoryOf(shared, index + 1);
  const { queues, parking, firstSlot, slotCount } = memory;
  return {
    shared,
    memory,
    index,
    free: Array.from({ length: slotCount }, (_, i) => firstSlot + slotCount - 1 - i),
    finished: new Int32Array(slotCount),
    spinner: new Spinner(() => !queues.isEmpty() || parking.hasMail(index), parking, shared.spinLimitUs),
    back: new Uint8Array(shared.layout.totalSlots),
  };
}

/** The thread that has the first job: it divides it, and waits for everything. */
export function divider(shared: Shared, depth: number): void {
  const forker = forkerOf(shared, 0);
  forker.memory.parking.setBusy(0);
  divide(forker, depth);
  shared.over = true;
}

/** All others: they steal. */
export function thief(shared: Shared, index: number): void {
  const forker = forkerOf(shared, index);
  const { memory } = forker;
  const rest = restOf(shared, memory, index);
  rest.search(ALL);
  while (!shared.over) {
    memory.queues.reach = ALL;
    const slot = memory.queues.take(index + 1);
    if (slot !== NO_JOB) {
      rest.stopSearching();
      runStolen(forker, slot);
      continue;
    }
    rest.search(ALL);
    if (rest.spin()) continue;
    const woken = rest.sleep(ALL, true);
    if (woken === null) continue;
    awaitWoken(woken);
    rest.wokeUp(ALL);
    charge(shared.costs.turnNs);
  }
}

function runStolen(forker: Forker, slot: number): void {
  const { memory, shared, index } = forker;
  const { slots, inboxes, parking } = memory;
  memory.queues.reach = SHARED;
  touch(slots.words, slot * SLOT_WORDS + PAYLOAD, false);
  charge(shared.jobCosts.runNs);
  divide(forker, slots.functionId(slot));
  touch(slots.words, slot * SLOT_WORDS + PAYLOAD, true);
  slots.finish(slot, index + 1);
  const submitter = 1 + Math.floor((slot - shared.layout.capacitySlots) / shared.layout.threadSlots);
  inboxes[submitter]!.put(slot);
  parking.wake(submitter - 1);
}

function divide(forker: Forker, depth: number): void {
  const { memory, shared, index, free } = forker;
  if (depth === 0) {
    charge(shared.jobNs);
    return;
  }
  const { slots, queues, parking } = memory;
  const slot = free.pop()!;
  charge(shared.jobCosts.forkNs);
  slots.describeJob(slot, depth - 1, 0);
  forker.back[slot] = 0;
  slots.publish(slot);
  queues.pushLocal(slot);
  parking.wakeOne(index);
  divide(forker, depth - 1);
  join(forker, slot, depth - 1);
  free.push(slot);
}

function join(forker: Forker, slot: number, depth: number): void {
  const { memory } = forker;
  const { slots, queues } = memory;
  if (queues.takeBack(slot)) {
    divide(forker, depth);
    return;
  }
  while (forker.back[slot] === 0) {
    const state = slots.state(slot);
    if (state === QUEUED) {
      if (!slots.withdraw(slot)) continue;
      divide(forker, depth);
      return;
    }
    if (takeIn(forker) > 0 || state === DONE) continue;
    helpOrWait(forker, slot);
  }
}

function takeIn(forker: Forker): number {
  const { memory, finished, back } = forker;
  const count = memory.inbox.takeAll(finished);
  for (let i = 0; i < count; i++) {
    memory.slots.release(finished[i]!);
    back[finished[i]!] = 1;
  }
  return count;
}

/** As worker/join-wait.ts. */
function helpOrWait(forker: Forker, slot: number): void {
  const { memory, index, spinner } = forker;
  const { queues, parking, inbox, slots } = memory;
  queues.reach = SHARED;
  const other = queues.take(index + 1);
  if (other !== NO_JOB) {
    runStolen(forker, other);
    return;
  }
  parking.setReach(index, queues.reach);
  parking.setSearching(index);
  if (!spinner.spin()) {
    parking.announceSleep(index);
    if (queues.isEmpty() && inbox.isEmpty() && slots.state(slot) !== DONE) parking.doze(index, 5);
  }
  parking.setBusy(index);
  if (!queues.isSharedEmpty()) parking.wakeOne();
}

// The ring by itself.

/** One puts in as fast as it can; the first to go, and the last. */
export function producer(shared: Shared, rings: readonly number[], count: number, taken: Counter): void {
  const memory = memoryOf(shared, HOST);
  const own = rings.map((word) => ringAt(shared, word));
  const mask = memory.slotCount - 1;
  for (let i = 0; i < count; i++) {
    const slot = i & mask;
    while (!own[i % own.length]!.push(slot, memory.slots.words, memory.slots.ticketWord(slot))) charge(100);
  }
  // Reads a word that nobody writes: time passes.
  while (taken.count < count) memory.slots.state(0);
  shared.over = true;
}

export interface Counter {
  count: number;
}

/** Takes from its own ring first, then from the others. */
export function consumer(shared: Shared, rings: readonly number[], index: number, taken: Counter): void {
  const own = rings.map((_, i) => ringAt(shared, rings[(i + index) % rings.length]!));
  const { jobNs } = shared;
  while (!shared.over) {
    let slot = EMPTY;
    for (let i = 0; i < own.length && slot === EMPTY; i++) slot = own[i]!.pop();
    if (slot === EMPTY) {
      charge(shared.costs.pauseNs);
      continue;
    }
    taken.count++;
    charge(jobNs);
  }
}

function ringAt({ control, layout }: Shared, word: number): Ring {
  return new Ring(new Int32Array(control), word, layout.ringCells);
}
