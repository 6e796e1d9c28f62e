/** The first module of a pool thread: puts the parts together over the shared memory it was given, then dispatches. */
import type V8 from "node:v8";
import { AsyncScope } from "@skein/context";
import type { Carried } from "../codec/carried.ts";
import { Decoder } from "../codec/decoder.ts";
import { Encoder } from "../codec/encoder.ts";
import { type ErrorWire, fromWire, toWire } from "../codec/error-wire.ts";
import { PoolClosedError } from "../errors.ts";
import { loadJobModule } from "../jobs/load-module.ts";
import { MessageIntake } from "../messages/message-intake.ts";
import type { ArgumentMessage, HostMessage, WorkerMessage } from "../messages/protocol.ts";
import { Arena } from "../shared/arena.ts";
import { type ArenaMemory, Arenas } from "../shared/arenas.ts";
import { submitterOf } from "../shared/layout.ts";
import { ALL } from "../shared/reach.ts";
import { Payloads } from "../shared/payloads.ts";
import { HOST_SERIAL, PoolMemory } from "../shared/pool-memory.ts";
import { SharedBuffers } from "../transfer/shared-buffers.ts";
import { ThreadTrace, type TraceData } from "../shared/trace/thread-trace.ts";
import { TrimTimer } from "../transfer/trim-timer.ts";
import { cancelRecorded } from "../submit/cancel-recorded.ts";
import { JobNotes } from "../submit/job-notes.ts";
import type { SubmitterParts } from "../submit/submitter.ts";
import type { ArgumentsHolder } from "../submit/arguments-holder.ts";
import { carriedInSlot } from "../transfer/carried-in-slot.ts";
import { CarriedValues } from "../transfer/carried-values.ts";
import { isMemory, LaneReceiver, LaneSender } from "../transfer/memory-lane.ts";
import { sharedMemoryDropped } from "../transfer/memory-pressure.ts";
import { refusal } from "../transfer/detach.ts";
import { ContextScopes } from "./context-scopes.ts";
import { ArgumentReaders } from "./argument-readers.ts";
import { installCurrentJob } from "./current-job.ts";
import { DispatchLoop } from "./dispatch-loop.ts";
import { FunctionTable } from "./function-table.ts";
import { JobRunner } from "./job-runner.ts";
import { LoopDelayMonitor } from "./loop-delay-monitor.ts";
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
import { Spinner } from "./spinner.ts";
import { StreamJobs } from "./stream-jobs.ts";
import { ThreadEnd } from "./thread-end.ts";
import { type CurrentPool, installThread } from "./thread-of-pool.ts";
import { takeThreadData } from "./thread-data.ts";
import { now as clockNow, setImmediate } from "../shared/timers.ts";

/** A thread takes about so long to start. */
const THREADS_WANTED_MS = 20;
let threadsWantedAt = -Infinity;
let loopDelay: LoopDelayMonitor | null = null;
/** What jobs of this thread submit. Null until the first one does. */
let own: CurrentPool | null = null;
/** Whether none may any more. */
let isClosed = false;

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
const intake = new MessageIntake<HostMessage>(port, handle, () => late.askAgain());
const takeKnowledge = (): void => intake.takeKnowledge();
const memory = new PoolMemory(control, slots, layout, index + 1);
const large = new LargeValues(() => trimTimer.start());
const arenas = new Arenas(takeKnowledge, (bytes) => large.add(bytes));
const sharedBuffers = new SharedBuffers(serial, takeKnowledge, {
  announce: (id, buffer) => post({ type: "shared-buffer", id, buffer }),
  gone: (id) => post({ type: "shared-buffer-gone", id }),
});
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
  if (id !== 0) post({ type: "progress", submitter: submitterOf(layout, slot), id, value });
});
if (trace !== null) followTrace(trace);
const modules = new ModuleTable((url) => {
  loop.pause();
  post({ type: "retire", url });
});
const functions = new FunctionTable(memory, arenas, modules);
/** Memory of jobs that were sent ahead to this thread, and of results for the host. */
const lane = new LaneReceiver();
const results = new LaneSender((end) => {
  port.postMessage({ type: "lane", port: end } satisfies WorkerMessage, [end]);
});
const carried = new CarriedValues(serial, (id) => {
  if (!lane.takeUpTo(id, carried)) takeKnowledge();
});
const holder: ArgumentsHolder = {
  hold: ({ id, values, transfer }) => {
    try {
      port.postMessage({ type: "hold", id, values, transfer } satisfies WorkerMessage, transfer);
    } catch (error) {
      throw refusal(error, "args");
    }
  },
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
  carry,
  send: sendArgument,
  thread: {
    active: () => {},
    idle: () => loop.wake(),
    queued: (isExclusive) => {
      if (memory.parking.wakeOne(index, isExclusive) === "none") wantThread();
      loop.wake();
    },
    cancelRequested: (owner, slot) => {
      if (owner === serial) handle({ type: "cancel", slot });
      else post({ type: "cancel", serial: owner, slot });
    },
    takeMessages: takeKnowledge,
    terminate: (owner) => post({ type: "terminate", serial: owner }),
    // The loop looks into the inbox, or is woken for it.
    awaited: () => {},
  },
};
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
  carry: carryResult,
  ending: (slot) => inputs.endOf(slot),
  released: () => loop.wake(),
});
const streams = new StreamJobs({
  memory,
  encoder,
  payloads,
  sharedBuffers,
  outcomes,
  current,
  carry,
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
  onAllBusy: () => {
    if (hasRoom()) post({ type: "threads-wanted" });
  },
  onIdle: () => {
    // Its jobs may wait for those, which only a thread that has no jobs may take.
    if (memory.queues.reach !== ALL && !memory.queues.isExclusiveEmpty()) post({ type: "threads-wanted" });
    // Nothing of a request outlives it.
    scopes.forget();
    own?.submitter.contexts.forget();
    idleness.resting();
  },
});
const end = new ThreadEnd({
  disposing: () => {
    closeOwn();
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
installThread({
  submitBy(create) {
    if (own !== null) return own;
    own = create({
      submitter: submitterParts,
      joinWait: {
        thread: index,
        serial,
        memory,
        functions,
        loop,
        spinLimitUs: options.spinLimitUs,
        takeMessages: takeAll,
        wantThread,
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
    });
    const { ledger } = own.submitter;
    if (isClosed) ledger.close();
    loop.submits(ledger);
    return own;
  },
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

/**
 * Says once in a while that one more thread would find work, if there may be one. Once it has started and found its first job, it
 * says so itself if more remain.
 */
function wantThread(): void {
  if (!hasRoom()) return;
  const now = clockNow();
  if (now - threadsWantedAt < THREADS_WANTED_MS) return;
  threadsWantedAt = now;
  post({ type: "threads-wanted" });
}

/** After the ready threads were counted: whether there may be more threads than there are. */
function hasRoom(): boolean {
  return memory.parking.readySeen < memory.places.maxThreads;
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
  const transfer = jobs.flatMap((job) => job.carried.transfer);
  port.postMessage({ type: "returned", jobs } satisfies WorkerMessage, transfer);
}

/** One of the two that the host has made for this thread, before they are taken. */
function ownMemory(isHome: boolean): ArenaMemory {
  return arenaMemories.find((arena) => arena.serial === serial && arena.isHome === isHome)!;
}

function post(message: WorkerMessage): void {
  port.postMessage(message);
}

/** For the submitter with the serial `to`, or for a thread that reads what this one submits. */
function carry(to: number, { id, values, transfer }: Carried): void {
  port.postMessage({ type: "carried", to, id, values, transfer } satisfies WorkerMessage, transfer);
}

/** The same for a result. */
function carryResult(to: number, values: Carried): void {
  if (to === HOST_SERIAL && isMemory(values)) results.send(values);
  else carry(to, values);
}

function sendArgument(message: ArgumentMessage): void {
  if (message.to === serial) handle(message);
  else post(message);
}

/** Jobs that jobs submit are refused from here on. */
function closeOwn(): void {
  isClosed = true;
  own?.submitter.ledger.close();
}

function handle(message: HostMessage): void {
  const ledger = own?.submitter.ledger;
  switch (message.type) {
    case "arena":
      arenas.add(message.arena);
      break;
    case "arena-granted":
      arenas.add(message.arena);
      requests.granted();
      payloads.adopt(message.arena);
      break;
    case "arena-gone": {
      const dropped = arenas.drop(message.id);
      if (dropped !== null) sharedMemoryDropped(dropped);
      post({ type: "arena-dropped" });
      break;
    }
    case "thread-ended":
      ledger?.collect();
      ledger?.recover(message.serial, fromWire(message.error) as Error, true);
      arenas.dropOf(message.serial);
      late.goneOf(message.serial);
      sharedBuffers.dropOf(message.serial);
      streams.stopOf(message.serial);
      inputs.stopOf(message.serial);
      functions.drop(message.serial);
      scopes.drop(message.serial);
      ledger?.deliver();
      loop.wake();
      break;
    case "thread-lost":
      ledger?.lose(message.serial, fromWire(message.error) as Error);
      streams.stopOf(message.serial);
      inputs.stopOf(message.serial);
      ledger?.deliver();
      loop.wake();
      break;
    case "drop":
      closeOwn();
      ledger?.failWaiting(() => new PoolClosedError("The pool was closed before this job could run"));
      ledger?.requestStop();
      ledger?.deliver();
      loop.wake();
      break;
    case "shared-buffer":
      sharedBuffers.add(message.id, message.buffer);
      late.arrived(-message.id);
      inputs.arrived(-message.id);
      if (ledger?.arrived(-message.id) === true) loop.wake();
      break;
    case "shared-buffer-gone":
      sharedBuffers.gone(message.id);
      // What came before is read, then it is dropped.
      loop.wake();
      break;
    case "run":
      arrivals.assign(message.slot);
      loop.wake();
      break;
    case "handed":
      for (const job of message.jobs) {
        carried.add(job.carried);
        arrivals.hand(job.slot);
      }
      loop.wake();
      break;
    case "handed-memory":
      for (const slot of message.slots) arrivals.hand(slot);
      loop.wake();
      break;
    case "lane":
      lane.opened(message.port);
      break;
    case "carried":
      carried.add(message);
      inputs.arrived(message.id);
      if (!late.arrived(message.id) && ledger?.arrived(message.id) === true) loop.wake();
      break;
    case "carried-gone":
      late.gone(message.id);
      break;
    case "progress":
      own?.submitter.progress.report(message.id, message.value);
      break;
    case "began":
      own?.submitter.progress.began(message.id);
      break;
    case "cancel":
      if (memory.slots.isCancelRequested(message.slot)) {
        inputs.stop(message.slot);
        if (streams.stop(message.slot)) loop.wake();
        current.withSignal.get(message.slot)?.abort();
      }
      break;
    case "cancel-recorded": {
      const reason = fromWire(message.reason);
      const isCanceled = ledger !== undefined && cancelRecorded(ledger, memory.trace, message.key, reason);
      post({ type: "cancel-answered", id: message.id, isCanceled });
      if (isCanceled) loop.wake();
      break;
    }
    case "argument-wanted":
    case "argument-left":
      own?.submitter.pumps.heard(message);
      break;
    case "argument-opened":
    case "argument-dropped":
      inputs.heard(message);
      break;
    case "leave":
      loop.leave();
      break;
    case "stay":
      loop.resume();
      break;
    case "kept":
      if (recycling?.kept() === true) loop.resume();
      break;
    case "trace":
      if (message.data === null) {
        memory.trace = null;
        measureLoop(null, null);
      } else followTrace(message.data);
      break;
    case "close":
      loop.leave();
      end.begin();
  }
}

function followTrace(data: TraceData): void {
  if (memory.trace?.id !== data.id) memory.trace = new ThreadTrace(data, serial, currentSlot);
  memory.trace.notes = data.notes === null ? null : new JobNotes(data.notes.buffer, data.notes.locals);
  measureLoop(data.loopDelay, memory.trace);
}

/** @param buffer Null: nobody follows the pool. Otherwise the same until then. */
function measureLoop(buffer: SharedArrayBuffer | null, trace: ThreadTrace | null): void {
  if (loopDelay !== null && buffer !== null) return;
  loopDelay?.stop();
  loopDelay =
    buffer === null || trace === null
      ? null
      : AsyncScope.root.run(() => new LoopDelayMonitor(buffer, () => trace.now()));
}

function currentSlot(): number {
  const { job } = current;
  return job === null || job.isOver ? -1 : job.slot;
}
