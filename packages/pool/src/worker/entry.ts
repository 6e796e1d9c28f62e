/** The first module of a pool thread: puts the parts together over the shared memory it was given, then dispatches. */
import type V8 from "node:v8";
import { Decoder } from "../codec/decoder.ts";
import { Encoder } from "../codec/encoder.ts";
import { type ErrorWire, toWire } from "../codec/error-wire.ts";
import { loadJobModule } from "../jobs/load-module.ts";
import { MessageIntake } from "../messages/message-intake.ts";
import type { ArgumentMessage, HostMessage, WorkerMessage } from "../messages/protocol.ts";
import { Arena } from "../shared/arena.ts";
import { type ArenaMemory, Arenas } from "../shared/arenas.ts";
import { submitterOf } from "../shared/layout.ts";
import { ALL } from "../shared/reach.ts";
import { Payloads } from "../shared/payloads.ts";
import { PoolMemory } from "../shared/pool-memory.ts";
import { SharedBuffers } from "../transfer/shared-buffers.ts";
import { TrimTimer } from "../shared/trim-timer.ts";
import type { SubmitterParts } from "../submit/submitter.ts";
import type { ArgumentsHolder } from "../submit/arguments-holder.ts";
import { carriedInSlot } from "../transfer/carried-in-slot.ts";
import { CarriedValues } from "../transfer/carried-values.ts";
import { LaneReceiver } from "../transfer/memory-lane.ts";
import { ContextScopes } from "./context-scopes.ts";
import { ArgumentReaders } from "./argument-readers.ts";
import { installCurrentJob } from "./current-job.ts";
import { DispatchLoop } from "./dispatch-loop.ts";
import { FollowedTrace } from "./followed-trace.ts";
import { FunctionTable } from "./function-table.ts";
import { HostMessages } from "./host-messages.ts";
import { HostPort } from "./host-port.ts";
import { JobRunner } from "./job-runner.ts";
import { Arrivals } from "./arrivals.ts";
import { IdleReport } from "./idle-report.ts";
import { JobClock } from "./job-clock.ts";
import { Recycling } from "./recycling.ts";
import { Rest } from "./rest.ts";
import { reportStrayErrors } from "./stray-errors.ts";
import { LargeValues } from "./large-values.ts";
import { LateArguments } from "./late-arguments.ts";
import { MemoryRequests } from "./memory-requests.ts";
import { ModuleTable } from "./module-table.ts";
import { OutcomeWriter } from "./outcome-writer.ts";
import { OwnPool } from "./own-pool.ts";
import { Spinner } from "./spinner.ts";
import { StreamJobs } from "./stream-jobs.ts";
import { ThreadEnd } from "./thread-end.ts";
import { installThread } from "./thread-of-pool.ts";
import { ThreadsWanted } from "./threads-wanted.ts";
import { takeThreadData } from "./thread-data.ts";
import { setImmediate } from "../shared/timers.ts";
import { process } from "../shared/intrinsics.ts";

const {
  control,
  slots,
  layout,
  index,
  serial,
  port,
  arenas: arenaMemories,
  trace,
  ...options
} = takeThreadData();

// The listener keeps this thread's event loop alive; the host's side of the worker is unref'ed.
const intake = new MessageIntake<HostMessage>(
  port,
  (message) => messages.take(message),
  () => late.askAgain(),
);
const takeKnowledge = (): void => intake.takeKnowledge();
const host = new HostPort(port);
const post = (message: WorkerMessage): void => host.post(message);
const memory = new PoolMemory(control, slots, layout, index + 1);
const large = new LargeValues(() => trimTimer.start());
const arenas = new Arenas(takeKnowledge, (bytes) => large.add(bytes));
const sharedBuffers = new SharedBuffers(serial, takeKnowledge, {
  announce: (id, buffer) => post({ type: "shared-buffer", id, buffer }),
  gone: (id) => {
    if (outcomes.hasHeld) goneAhead.push(id);
    else post({ type: "shared-buffer-gone", id });
  },
});
/** Of memory that an outcome may name which is held back. */
const goneAhead: number[] = [];
const requests = new MemoryRequests(
  (blockBytes) => post({ type: "arena-wanted", blockBytes }),
  (id) => post({ type: "arena-gone", id }),
  () => trimTimer.start(),
);
const home = new Arena(ownMemory(true).memory);
const payloads = new Payloads(ownMemory(false), requests);
// Taken out of the message: the thread would keep for life what is in it.
for (const arenaMemory of arenaMemories.splice(0)) arenas.add(arenaMemory);
const trimTimer = new TrimTimer(() => {
  const hasMemory = payloads.trim();
  return large.trim() || hasMemory;
});
/** What a job submits is part of itself: limits are for those who submit from outside. */
const unlimited = { jobs: Infinity, bytes: Infinity, maxQueue: Infinity };
const current = installCurrentJob((slot, value) => {
  const id = memory.slots.progressId(slot);
  if (id === 0) return;
  const submitter = submitterOf(layout, slot);
  if (typeof value !== "object" || value === null) {
    post({ type: "progress", submitter, id, value, carried: 0 });
  } else {
    // Its reader may have less of a stack. Then only this message is lost, and the next one says of which job it was.
    const carriedId = carried.nextId();
    host.carry(memory.submitterSerial(slot), { id: carriedId, values: [value], transfer: [] });
    post({ type: "progress", submitter, id, value: undefined, carried: carriedId });
  }
  memory.slots.setReported(slot);
});
const followed = new FollowedTrace(memory, serial, current);
if (trace !== null) followed.follow(trace);
const modules = new ModuleTable((url) => {
  loop.pause();
  post({ type: "retire", url });
});
const functions = new FunctionTable(memory, arenas, modules);
/** Memory of jobs that were sent ahead to this thread. */
const lane = new LaneReceiver();
const carried = new CarriedValues(serial, (id) => {
  if (!lane.takeUpTo(id, carried)) takeKnowledge();
});
const holder: ArgumentsHolder = {
  hold: (values) => host.hold(values),
  drop: (id) => post({ type: "carried-gone", id }),
  // Between threads the host decides.
  isUntouched: () => false,
  threadFor: () => 0,
  give: () => {},
  queued: () => {},
};
const submitterParts: SubmitterParts = {
  memory,
  home,
  payloads,
  arenas,
  sharedBuffers,
  carried,
  holder,
  limits: unlimited,
  homes: null,
  carry: (to, values) => host.carry(to, values),
  send: sendArgument,
  thread: {
    active: () => {},
    idle: () => loop.wake(),
    queued: (isExclusive) => {
      if (memory.parking.wakeOne(index, isExclusive) === "none") threadsWanted.ask();
      loop.wake();
    },
    cancelRequested: (owner, slot) => {
      if (owner === serial) messages.take({ type: "cancel", slot });
      else post({ type: "cancel", serial: owner, slot });
    },
    takeMessages: takeKnowledge,
    wantReports: (id) => post({ type: "reports-wanted", id }),
    terminate: (owner) => post({ type: "terminate", serial: owner }),
    // The loop looks into the inbox, or is woken for it.
    awaited: () => {},
  },
};
const threadsWanted = new ThreadsWanted(memory, () => post({ type: "threads-wanted" }));
const encoder = new Encoder(sharedBuffers, carried.nextId);
const inputs = new ArgumentReaders({ memory, serial, arenas, sharedBuffers, carried, send: sendArgument });
const decoder = new Decoder(sharedBuffers, carried, inputs);
const answers = new Spinner(() => memory.parking.hasMail(index), memory.parking, options.spinLimitUs);
const late = new LateArguments(
  (id) => {
    if (id > 0) post({ type: "carried-wanted", id });
  },
  () => {
    if (!answers.spin()) return false;
    memory.parking.takeMail(index);
    takeKnowledge();
    return true;
  },
  (slot, isLate) => {
    arrivals.resume(slot);
    if (isLate) loop.wake();
  },
);
const scopes = new ContextScopes(memory, arenas);
const clock = new JobClock(memory.statistics, memory.slots);
const outcomes = new OutcomeWriter({
  memory,
  encoder,
  payloads,
  serial,
  ringHost: () => post({ type: "bell" }),
  takeMessages: takeKnowledge,
  large,
  carry: (to, values) => host.carryBack(to, values),
  ending: (slot) => inputs.endOf(slot),
  released: () => {
    for (const id of goneAhead.splice(0)) post({ type: "shared-buffer-gone", id });
    loop.wake();
  },
});
const streams = new StreamJobs({
  memory,
  encoder,
  payloads,
  sharedBuffers,
  outcomes,
  current,
  carry: (to, values) => host.carryBack(to, values),
  spinLimitUs: options.spinLimitUs,
  isTurnDue: () => clock.isTurnDue(),
  wake: () => loop.wake(),
});
const runner = new JobRunner({
  memory,
  arenas,
  decoder,
  functions,
  scopes,
  outcomes,
  current,
  carried,
  sharedBuffers,
  late,
  streams,
  inputs,
  begins: (slot) => {
    post({ type: "began", submitter: submitterOf(layout, slot), id: memory.slots.progressId(slot) });
  },
});
const arrivals = new Arrivals(giveBack);
const idleness = new IdleReport({
  timeoutMs: options.idleTimeoutMs,
  isIdle: () => loop.isIdle,
  since: () => rest.since,
  report: () => post({ type: "idle" }),
});
const rest = new Rest({
  thread: index,
  memory,
  spinLimitUs: options.spinLimitUs,
  canGoOn: () => streams.hasReady,
  onAllBusy: () => threadsWanted.askNow(),
  onIdle: () => {
    // Its jobs may wait for those, which only a thread that has no jobs may take.
    if (memory.queues.reach !== ALL && !memory.queues.isExclusiveEmpty()) post({ type: "threads-wanted" });
    // Nothing of a request outlives it.
    scopes.forget();
    own.pool?.submitter.contexts.forget();
    idleness.resting();
  },
});
const end = new ThreadEnd({
  disposing: () => {
    own.close();
    // What `dispose` leaves behind is not of the job that ended last.
    current.lastName = null;
    post({ type: "disposing" });
  },
});
const recycling =
  options.recycle === null
    ? null
    : new Recycling(options.recycle, usedHeap(process.getBuiltinModule("node:v8")));
const loop = new DispatchLoop({
  thread: index,
  serial,
  memory,
  runner,
  arrivals,
  clock,
  rest,
  jobsPerThread: options.jobsPerThread,
  recycling,
  recycle: () => post({ type: "recycle" }),
  takeMessages: takeKnowledge,
  end: () => end.begin(),
});
const takeAll = (): void => intake.takeAll();
const own = new OwnPool(
  {
    submitter: submitterParts,
    joinWait: {
      thread: index,
      serial,
      memory,
      functions,
      loop,
      spinLimitUs: options.spinLimitUs,
      takeMessages: takeAll,
      wantThread: () => threadsWanted.ask(),
    },
    forkJoin: {
      serial,
      memory,
      functions,
      runner,
      loop,
      arrivals,
      encoder,
      decoder,
      carried,
      takeMessages: takeAll,
    },
  },
  modules,
  (ledger) => loop.submits(ledger),
);
installThread(own);
const messages = new HostMessages({
  memory,
  arenas,
  payloads,
  requests,
  sharedBuffers,
  carried,
  lane,
  late,
  arrivals,
  inputs,
  streams,
  functions,
  scopes,
  current,
  own,
  loop,
  recycling,
  end,
  trace: followed,
  post,
});

// No `await` at the top level: bundles of CommonJS cannot have one.
void begin();

/** Until it is ready the host counts this thread as one that never got ready. */
async function begin(): Promise<void> {
  let failure: ErrorWire | null;
  try {
    if (options.initialize !== null) end.disposeBy(await loadJobModule(options.initialize));
    failure = await loadModules();
  } catch (error) {
    // Thrown outside of the promise, it ends the thread whatever that does with unhandled rejections.
    setImmediate(() => {
      throw error;
    });
    return;
  }
  memory.trace?.started();
  reportStrayErrors({ current, isIdle: () => !loop.hasUnfinished, statistics: memory.statistics });
  loop.start();
  post({ type: "ready", failure });
}

/** @returns the first error. A module that does not load harms none but its own jobs. */
async function loadModules(): Promise<ErrorWire | null> {
  let first: ErrorWire | null = null;
  for (const url of options.modules) {
    try {
      await modules.load(url);
    } catch (error) {
      first ??= toWire(error);
    }
  }
  return first;
}

/** As it is now: programs replace functions later. */
function usedHeap({ getHeapStatistics }: typeof V8): () => number {
  return () => getHeapStatistics().used_heap_size;
}

/** Jobs that were handed to this thread, and not begun. */
function giveBack(unbegun: readonly number[]): void {
  const jobs = unbegun.map((slot) => ({
    slot,
    carried: carried.find(carriedInSlot(memory.slots, arenas, slot))!,
  }));
  for (const job of jobs) carried.forget(job.carried.id);
  host.giveBack(jobs);
}

/** One of the two that the host has made for this thread, before they are taken. */
function ownMemory(isHome: boolean): ArenaMemory {
  return arenaMemories.find((arena) => arena.serial === serial && arena.isHome === isHome)!;
}

function sendArgument(message: ArgumentMessage): void {
  if (message.to === serial) messages.take(message);
  else post(message);
}
