/**
 * What the threads of the model tests do: short programs over the real ring, slots, inbox and parking. They follow the protocol
 * of the pool's host and threads, as the headers in src/shared tell it; a flag makes some of them break a rule on purpose.
 */
import { OrphanedSlots } from "../../../src/host/orphaned-slots.ts";
import { add, load, notify, store, wait } from "../../../src/shared/atomics.ts";
import { CallState, STOPPING } from "../../../src/shared/call-state.ts";
import { Deque } from "../../../src/shared/deque.ts";
import { Inbox } from "../../../src/shared/inbox.ts";
import { dequeBase, firstSlot, type Layout, SLOT_WORDS, slotCount } from "../../../src/shared/layout.ts";
import { JoinEdges } from "../../../src/shared/join-edges.ts";
import { JobQueues, NO_JOB, NO_THREAD } from "../../../src/shared/job-queues.ts";
import { HOST, PoolMemory } from "../../../src/shared/pool-memory.ts";
import { Parking } from "../../../src/shared/parking.ts";
import { Places } from "../../../src/shared/places.ts";
import { ALL, OWN, SHARED } from "../../../src/shared/reach.ts";
import { EMPTY, Ring } from "../../../src/shared/ring.ts";
import { placedWord, queuedWord, RUNNING, SlotTable } from "../../../src/shared/slot.ts";
import {
  CREDIT,
  ENDED,
  ITEMS,
  NO_FRAME,
  NUMBER,
  type StreamShape,
  StreamReader,
  StreamWriter,
} from "../../../src/shared/stream-ring.ts";
import { LoopDelayReader, LoopDelayWriter } from "../../../src/shared/trace/loop-delay.ts";
import { NoteReader, NoteWriter } from "../../../src/shared/trace/note-log.ts";
import {
  OPEN_FIELDS,
  readTrace,
  RECORD_FIELDS,
  TraceMemory,
  TraceWriter,
} from "../../../src/shared/trace/trace-log.ts";
import { beginAgain, greedyPop, hastyPop } from "./broken-deque.ts";
import { exitWord, foreverWord, messageWord, ringWord, secondRingWord } from "./model-words.ts";
import { awaitWoken } from "./stepped-atomics.ts";

export interface Environment {
  readonly control: Int32Array;
  readonly slotsBuffer: SharedArrayBuffer;
  readonly traceBuffer: SharedArrayBuffer;
  readonly notesBuffer: SharedArrayBuffer;
  readonly loopDelayBuffer: SharedArrayBuffer;
  readonly layout: Layout;
  readonly thread: number;
  /** Tells the controller. Plain: it is written in the same step as what comes before it. */
  log(...values: number[]): void;
}

export type Program = (environment: Environment, ...args: number[]) => void;

function ringOf(e: Environment, cells: number): Ring {
  return new Ring(e.control, ringWord(e.layout), cells);
}

function slotsOf(e: Environment): SlotTable {
  return new SlotTable(e.slotsBuffer, e.layout);
}

function dequeOf(e: Environment): Deque {
  return new Deque(e.control, dequeBase(e.layout, 0), e.layout.dequeCells);
}

function push(e: Environment, ring: Ring, slot: number): boolean {
  const slots = slotsOf(e);
  return ring.push(slot, slots.words, slots.ticketWord(slot));
}

/** Room for a few numbers: it wraps around soon. Slot 0 is that of the job; the ring lies in the slots behind it. */
export const SMALL_STREAM: StreamShape = { capacityBytes: 96, maxBytes: 0 };
function streamAt({ layout }: Pick<Environment, "layout">): number {
  return firstSlot(layout, 1) * SLOT_WORDS * 4;
}

/** What `ownDeque` does besides pushing. */
export const POP = -1;
export const HASTY_POP = -2;
export const GREEDY_POP = -3;
/** Minus a slot: pops if that is the newest. */
export const POP_IF = -10;
/** What it logs instead of a slot that found no room. */
export const NO_ROOM = -100;

/** What `submitLocally` does: one of these plus a slot. */
export const TO_DEQUE = 0;
export const TO_RING = 100;
export const WITHDRAW = 200;
/** Takes the slot back without asking whether somebody has claimed the job: wrong. */
export const RELEASE = 300;
/** The same, rightly, and from the deque as well: the job is run without a slot. */
export const TAKE_BACK = 400;
/** Alone: takes and runs the newest job of its own. */
export const TAKE_OWN = -1;
const NORMAL = 1;
const FIRST_JOB = 11;

/** `cells` of `work`: it takes from the rings and deques of the pool, not from one ring. */
export const ALL_QUEUES = 0;

/** As a ring; what it pops is claimed. */
function allQueuesOf(e: Environment): Pick<Ring, "pop" | "isEmpty"> {
  const queues = new JobQueues(e.control, e.layout, slotsOf(e), e.thread);
  return { pop: () => queues.take(e.thread + 1), isEmpty: () => queues.isEmpty() };
}

/** What `joinScript` does: one of these plus a slot. */
export const BEGIN = 0;
export const FINISH = 100;
/** Alone. */
export const END = -1;
export const LOOK = -2;
export const HASTY_LOOK = -3;

/** Serials count from 1, threads from 0. */
export function joinsOf({
  control,
  layout,
  slotsBuffer,
}: Pick<Environment, "control" | "layout" | "slotsBuffer">): JoinEdges {
  const slots = new SlotTable(slotsBuffer, layout);
  return new JoinEdges(control, layout, new Places(control, layout), slots, (serial) => serial - 1);
}

function hastyOpen({ words, open }: TraceMemory): Float64Array {
  return open.slice(0, load(words, 1) * OPEN_FIELDS);
}

/** More than any schedule writes, and what readers keep clear of. */
export const TRACE_RECORDS = 64;
/** What `writeTrace` does. */
export const OPEN = 1;
export const CLOSE = 2;
/** What `readTraceAlong` logs behind each look. */
export const LOOKED = -1;

/** Of the log that `writeNotes` writes, and the longest line. */
export const NOTES_BYTES = 16;
const NOTE_BYTES = 8;

/** A letter of its own: a line of two letters is of nobody. */
function noteOf(number: number): string {
  return String.fromCharCode(96 + number).repeat(number % 2 === 0 ? 3 : 6);
}

/** The ring that `tickLoop` writes. */
export const LOOP_DELAYS = 2;
/** In milliseconds: when `readLoopAlong` looks. What it logs before there was a turn. */
export const LOOKS_AT = 1000;
export const NOT_YET = -1;

/** How late the turn with this number was, and when the next one was due. */
export function lateUs(turn: number): number {
  return 100 - 10 * turn;
}
export function dueMs(turn: number, standsStill: number): number {
  return standsStill === 1 ? 10 * turn : LOOKS_AT;
}

/** Counts a turn before its delay is there. */
function hastyTick(words: Int32Array, turn: number): void {
  store(words, 0, turn);
  store(words, 1, LOOKS_AT);
  words[2 + ((turn - 1) % LOOP_DELAYS)] = lateUs(turn);
}

export const programs = {
  /** Writes a trace: slices with the keys 1, 2, … */
  writeTrace(e, ...moves) {
    const log = new TraceWriter(new TraceMemory(TRACE_RECORDS, e.traceBuffer));
    let key = 0;
    for (const move of moves) {
      if (move === OPEN) log.open(++key, key, 0, 0);
      else log.close(key, 0);
    }
  },

  /**
   * Reads along. Logs the keys of the records that are new, the negative keys of the open slices, then LOOKED. `hasty`: it copies what is
   * open first, and does not look whether that has changed meanwhile, which is wrong.
   */
  readTraceAlong(e, looks, hasty) {
    const memory = new TraceMemory(TRACE_RECORDS, e.traceBuffer);
    let cursor = 0;
    for (let look = 0; look < looks; look++) {
      const early = hasty === 1 ? hastyOpen(memory) : null;
      const read = readTrace(memory, 0, cursor);
      cursor = read.cursor;
      for (let at = 0; at < read.records.length; at += RECORD_FIELDS) e.log(read.records[at + 2]!);
      const open = early ?? read.open;
      for (let at = 0; at < open.length; at += OPEN_FIELDS) e.log(-1 - open[at + 1]!);
      e.log(LOOKED);
    }
  },

  /** Notes the lines 1 to `lines`. */
  writeNotes(e, lines) {
    const log = new NoteWriter(e.notesBuffer, NOTE_BYTES);
    for (let number = 1; number <= lines; number++) log.write(noteOf(number));
  },

  /** Logs the numbers of the lines that are new, 0 for one that nobody has written, then LOOKED. `hasty`: it keeps clear of no writer, which is wrong. */
  readNotesAlong(e, looks, hasty) {
    const reader = new NoteReader(e.notesBuffer, hasty === 1 ? 0 : NOTE_BYTES);
    for (let look = 0; look < looks; look++) {
      for (const line of reader.read()) {
        const number = line.charCodeAt(0) - 96;
        e.log(line === noteOf(number) ? number : 0);
      }
      e.log(LOOKED);
    }
  },

  /**
   * An event loop that turns so often, and stands still in the end: `standsStill`, it is late for long. Logs the number of each turn. `hasty`: it
   * counts a turn too soon, which is wrong.
   */
  tickLoop(e, turns, standsStill, hasty) {
    const writer = new LoopDelayWriter(e.loopDelayBuffer);
    for (let turn = 1; turn <= turns; turn++) {
      if (hasty === 1) hastyTick(new Int32Array(e.loopDelayBuffer), turn);
      else writer.tick(lateUs(turn), dueMs(turn, standsStill) * 1000);
      e.log(turn);
    }
  },

  /** Logs what each look tells. */
  readLoopAlong(e, looks) {
    const reader = new LoopDelayReader(e.loopDelayBuffer);
    for (let look = 0; look < looks; look++) e.log(reader.read(LOOKS_AT * 1000) ?? NOT_YET);
  },

  /** A thread that makes the call in word 0, unless it was withdrawn, and ends it when it is asked to stop. Logs whether it has begun. */
  makeCall(e) {
    const state = new CallState(e.control);
    const hasBegun = state.begin();
    e.log(hasBegun ? 1 : 0);
    if (!hasBegun) return;
    const stopping = state.whenStopping();
    if (stopping !== null) awaitWoken(stopping);
    e.log(state.isStopping ? 1 : 0);
    state.end();
  },

  /** The caller, who gives it up. Logs whether it was withdrawn. `hasty`: it tells before it has said so, which is wrong. */
  giveUpCall(e, hasty) {
    const state = new CallState(e.control);
    if (hasty !== 1) e.log(state.giveUp() === "withdrawn" ? 1 : 0);
    else if (state.isRunning) {
      notify(e.control, 0);
      store(e.control, 0, STOPPING);
    }
  },

  /** The caller, who wants it back, and gives it up if it has begun. Logs whether it has it back. */
  takeBackCall(e) {
    const state = new CallState(e.control);
    const isBack = state.withdraw();
    e.log(isBack ? 1 : 0);
    if (!isBack) state.giveUp();
  },

  /** A thread that joins and finishes jobs. Logs for each look whether it sees a circle. */
  joinScript(e, ...moves) {
    const joins = joinsOf(e);
    const slots = slotsOf(e);
    for (const move of moves) {
      if (move === END) joins.end(e.thread);
      else if (move === LOOK) e.log(joins.circle(e.thread) === null ? 0 : 1);
      else if (move === HASTY_LOOK) e.log(joins.walk(e.thread) === null ? 0 : 1);
      else if (move >= FINISH) slots.finish(move - FINISH, e.thread + 1);
      else joins.begin(e.thread, move - BEGIN);
    }
  },

  /**
   * Thread 0, which submits jobs from inside its jobs, into slots of its own that are free. Logs the number of each job that it
   * has run, and the negative number of each that it has taken back. Jobs count from 11.
   */
  submitLocally(e, ...moves) {
    const slots = slotsOf(e);
    const queues = new JobQueues(e.control, e.layout, slots, 0);
    /** By slot: its last job, 0 when it is free. */
    const jobs: Record<number, number> = {};
    let next = FIRST_JOB;
    for (const move of moves) {
      if (move === TAKE_OWN) {
        const taken = queues.takeOwn(e.thread + 1);
        if (taken === NO_JOB) continue;
        e.log(slots.functionId(taken));
        slots.finish(taken, e.thread + 1);
        continue;
      }
      const slot = move % 100;
      const kind = move - slot;
      const job = jobs[slot] ?? 0;
      if (kind === TAKE_BACK) {
        if (job === 0 || !queues.takeBack(slot)) continue;
        jobs[slot] = 0;
        e.log(job);
      } else if (kind === WITHDRAW || kind === RELEASE) {
        if (job === 0) continue;
        if (kind === RELEASE) slots.release(slot);
        else if (!slots.withdraw(slot)) continue;
        jobs[slot] = 0;
        e.log(-job);
      } else if (job === 0) {
        jobs[slot] = next;
        slots.describeJob(slot, next++, 0, 0, 0);
        slots.publish(slot);
        const queued = kind === TO_RING ? queues.push(NORMAL, slot) : queues.pushLocal(slot);
        if (!queued) throw new Error("No room");
      }
    }
  },

  /**
   * The host: job 11 in slot 0 for thread 0, which it withdraws; if that succeeds, job 12 there for thread 1. Logs 1 then. With `careless` it takes
   * the slot back without asking, which is wrong.
   */
  placeAndMove(e, careless) {
    const slots = slotsOf(e);
    const queues = new JobQueues(e.control, e.layout, slots, NO_THREAD);
    const place = (thread: number, job: number): number => {
      slots.describeJob(0, job, 0);
      const word = placedWord(thread + 1, NORMAL, false);
      slots.publishPlaced(0, word);
      if (!queues.pushPlaced(thread, 0)) throw new Error("No room");
      return word;
    };
    const word = place(0, 11);
    if (careless === 1) slots.release(0);
    const isWithdrawn = careless === 1 || slots.withdraw(0, word);
    e.log(isWithdrawn ? 1 : 0);
    if (isWithdrawn) place(1, 12);
  },

  /** The host places `jobs` with thread 0, in slots from 0 on, and wakes it for each; with `hasty` before it has pushed, which is wrong. */
  placeAndWake(e, jobs, hasty) {
    const slots = slotsOf(e);
    const queues = new JobQueues(e.control, e.layout, slots, NO_THREAD);
    const parking = new Parking(e.control, e.layout);
    for (let slot = 0; slot < jobs; slot++) {
      slots.describeJob(slot, slot, 0);
      slots.publishPlaced(slot, placedWord(1, NORMAL, false));
      if (hasty === 1) parking.wake(0);
      if (!queues.pushPlaced(0, slot)) throw new Error("No room");
      if (hasty !== 1) parking.wake(0);
    }
  },

  /** A thread that takes whatever there is, and runs it. Logs the number of each job. */
  takeAny(e, attempts) {
    const slots = slotsOf(e);
    const queues = new JobQueues(e.control, e.layout, slots, e.thread);
    for (let i = 0; i < attempts; i++) {
      const slot = queues.take(e.thread + 1);
      if (slot === NO_JOB) continue;
      const job = slots.functionId(slot);
      slots.finish(slot, e.thread + 1);
      e.log(job);
    }
  },

  /** Owner of a deque: each move is a slot to push, or POP. Logs what it pops, and NO_ROOM. */
  ownDeque(e, ...moves) {
    const deque = dequeOf(e);
    const slots = slotsOf(e);
    const base = dequeBase(e.layout, 0);
    for (const move of moves) {
      if (move === POP) e.log(deque.pop());
      else if (move === HASTY_POP) e.log(hastyPop(e.control, base, e.layout.dequeCells));
      else if (move === GREEDY_POP) e.log(greedyPop(e.control, base, e.layout.dequeCells));
      else if (move <= POP_IF) e.log(deque.popIf(POP_IF - move) ? POP_IF - move : EMPTY);
      else if (!deque.push(move, slots.words, slots.ticketWord(move))) e.log(NO_ROOM);
    }
  },

  /** Logs what it steals. */
  stealFrom(e, attempts) {
    const deque = dequeOf(e);
    for (let i = 0; i < attempts; i++) e.log(deque.steal());
  },

  /** Logs whether the deque looks empty. */
  lookInto(e, attempts) {
    const deque = dequeOf(e);
    for (let i = 0; i < attempts; i++) e.log(deque.isEmpty() ? 1 : 0);
  },

  /** The host, after the owner's death, then the next owner, who pushes these slots. With `again` it begins where all began. */
  succeedOwner(e, again, ...slotsToPush) {
    const deque = dequeOf(e);
    const slots = slotsOf(e);
    if (again === 1) beginAgain(e.control, dequeBase(e.layout, 0), 0);
    else deque.restart();
    for (const slot of slotsToPush) {
      if (!deque.push(slot, slots.words, slots.ticketWord(slot))) throw new Error("No room");
    }
  },

  /** Pushes `count` slots from `first` on, one attempt each. Logs slot or -1. */
  produce(e, cells, first, count) {
    const ring = ringOf(e, cells);
    for (let slot = first; slot < first + count; slot++) {
      e.log(push(e, ring, slot) ? slot : -1);
    }
  },

  /** Logs what it pops. */
  consume(e, cells, attempts) {
    const ring = ringOf(e, cells);
    for (let i = 0; i < attempts; i++) e.log(ring.pop());
  },

  /** Logs whether the ring was empty after its own push. */
  pushAndLook(e, cells, slot) {
    const ring = ringOf(e, cells);
    e.log(push(e, ring, slot) ? 1 : 0, ring.isEmpty() ? 1 : 0);
  },

  /** Logs whether the ring was empty after it found nothing to pop. */
  popAllAndLook(e, cells) {
    const ring = ringOf(e, cells);
    while (ring.pop() !== EMPTY);
    e.log(ring.isEmpty() ? 1 : 0);
  },

  /**
   * Submits job 11 in slot 0, withdraws it, and if that succeeds submits job 12 in the same slot.
   * Logs 1 when job 11 was withdrawn, 0 when a thread has it.
   */
  submitAndWithdraw(e, cells) {
    const ring = ringOf(e, cells);
    const slots = slotsOf(e);
    slots.describeJob(0, 11, 0, 0, 0);
    slots.publish(0);
    push(e, ring, 0);
    const withdrawn = slots.withdraw(0);
    e.log(withdrawn ? 1 : 0);
    if (!withdrawn) return;
    slots.describeJob(0, 12, 0, 0, 0);
    slots.publish(0);
    push(e, ring, 0);
  },

  /**
   * Slot 0 has a stale entry in the first ring; submits job 13 in it to the second, which is full, and takes it back: by
   * `withdraw`, or, which is wrong, by `release`. Logs 1 when it believes to have the slot back.
   */
  submitToFullRing(e, cells, byRelease) {
    const slots = slotsOf(e);
    slots.describeJob(0, 13, 0, 0, 0);
    slots.publish(0);
    const second = new Ring(e.control, secondRingWord(e.layout), cells);
    if (push(e, second, 0)) throw new Error("The second ring was not full");
    if (byRelease === 1) slots.release(0);
    e.log(byRelease === 1 || slots.withdraw(0) ? 1 : 0);
  },

  /** Pops, claims, runs, finishes. Logs the function's number of each job that it finished. */
  runJobs(e, cells, attempts) {
    const ring = ringOf(e, cells);
    const slots = slotsOf(e);
    for (let i = 0; i < attempts; i++) {
      const slot = ring.pop();
      if (slot === EMPTY || !slots.claim(slot, ring.poppedPosition, e.thread)) continue;
      const job = slots.functionId(slot);
      slots.finish(slot, e.thread);
      e.log(job);
    }
  },

  /** Runs the exclusive job in slot 0, then another in slot 1, if it may. Logs both. */
  endAndGoOn(e) {
    const slots = slotsOf(e);
    if (!slots.end(0)) return;
    slots.finish(0, e.thread);
    e.log(0);
    slots.finish(1, e.thread);
    e.log(1);
  },

  /** Has the job in slot 0, which it has not begun; begins it if it may. Logs that. */
  beginOrNot(e) {
    const slots = slotsOf(e);
    if (slots.begin(0)) e.log(0);
    slots.finish(0, e.thread);
  },

  /** Logs 1 when it has the thread that runs slot 0 terminated; with `careless`, which is wrong, without asking whether the job has ended meanwhile. */
  doom(e, careless) {
    const slots = slotsOf(e);
    slots.requestCancel(0);
    e.log(slots.state(0) === RUNNING && (careless === 1 || slots.doom(0)) ? 1 : 0);
  },

  /**
   * A thread that streams the numbers from 1 to `count` through a ring at the beginning of the memory, and links slot 0 into the inbox of the
   * host when that has to look. `hasty`: it suspends without looking once more, which is wrong. `parks`: it sleeps in its parking word, like a thread
   * that has nothing else to do; 2: without looking once more before that, which is wrong.
   */
  stream(e, count, highWaterMark, hasty, parks) {
    const parking = new Parking(e.control, e.layout);
    const w = e.thread;
    const park = (): void => {
      parking.announceSleep(w);
      if (parks === 2 || !ring.isGranted) {
        if (parking.sleep(w, 2) === "idle") {
          const woken = parking.whenWoken(w);
          if (woken !== null) awaitWoken(woken);
        }
      }
      parking.setBusy(w);
    };
    const ring = new StreamWriter(new Uint8Array(e.slotsBuffer), streamAt(e), SMALL_STREAM, highWaterMark, w);
    const words = new Int32Array(e.slotsBuffer, streamAt(e));
    const slots = slotsOf(e);
    const inbox = new Inbox(e.control, e.layout, slots, 0);
    const tell = (isOver: boolean): void => {
      if (!slots.wantLink(0, isOver)) return;
      inbox.put(0);
      if (!inbox.ring()) return;
      add(e.control, messageWord(e.layout), 1);
      notify(e.control, messageWord(e.layout));
    };
    tell(false);
    for (let i = 1; i <= count; i++) {
      while (!ring.canWrite) {
        if (hasty === 1) store(words, CREDIT, 1);
        else if (!ring.suspend()) break;
        if (parks !== 0) {
          park();
          continue;
        }
        const granted = ring.whenGranted();
        if (granted !== null) awaitWoken(granted);
      }
      if (ring.writeNumber(i)) tell(false);
    }
    slots.finish(0, 1);
    tell(true);
  },

  /** The host, which reads that stream to its end. Logs the numbers, and -1 at the end. `hasty`: it waits without looking once more. */
  readStream(e, highWaterMark, hasty) {
    const slots = slotsOf(e);
    const inbox = new Inbox(e.control, e.layout, slots, 0);
    const ring = new StreamReader(new Uint8Array(e.slotsBuffer), streamAt(e), highWaterMark);
    const words = new Int32Array(e.slotsBuffer, streamAt(e));
    const parking = new Parking(e.control, e.layout);
    const taken = new Int32Array(e.layout.capacitySlots);
    let messages = 0;
    for (;;) {
      if (inbox.takeAll(taken) > 0) {
        const isOver = slots.takeLink(0);
        for (;;) {
          if (ring.peek() !== NO_FRAME) {
            e.log(ring.number);
            if (ring.consume()) parking.wake(ring.thread);
          } else if (isOver) {
            e.log(-1);
            return;
          } else if (hasty === 1) {
            store(words, ITEMS, 1);
            break;
          } else if (ring.awaitFrame()) break;
        }
        continue;
      }
      if (!inbox.sleep()) continue;
      wait(e.control, messageWord(e.layout), messages, Infinity);
      messages = load(e.control, messageWord(e.layout));
    }
  },

  /**
   * The same for an argument: the thread that has called writes the numbers and the end, and the one that reads waits for the ring alone.
   * `hasty`: as above.
   */
  pourStream(e, count, highWaterMark, hasty) {
    const ring = new StreamWriter(new Uint8Array(e.slotsBuffer), streamAt(e), SMALL_STREAM, highWaterMark);
    const words = new Int32Array(e.slotsBuffer, streamAt(e));
    const untilGranted = (): void => {
      while (!ring.canWrite) {
        if (hasty === 1) store(words, CREDIT, 1);
        else if (!ring.suspend()) break;
        const granted = ring.whenGranted();
        if (granted !== null) awaitWoken(granted);
      }
    };
    add(e.control, messageWord(e.layout), 1);
    notify(e.control, messageWord(e.layout));
    for (let i = 1; i <= count; i++) {
      untilGranted();
      if (ring.writeNumber(i)) ring.wakeReader();
    }
    untilGranted();
    if (ring.writeEnd()) ring.wakeReader();
  },

  /** The thread of the job, which reads that one to its end. Logs the numbers, and -1 at the end. `hasty`: as above. */
  drinkStream(e, highWaterMark, hasty) {
    wait(e.control, messageWord(e.layout), 0, Infinity);
    const ring = new StreamReader(new Uint8Array(e.slotsBuffer), streamAt(e), highWaterMark);
    const words = new Int32Array(e.slotsBuffer, streamAt(e));
    for (;;) {
      const kind = ring.peek();
      if (kind === ENDED) {
        e.log(-1);
        return;
      }
      if (kind === NUMBER) {
        e.log(ring.number);
        ring.consume();
      } else {
        if (hasty === 1) store(words, ITEMS, 1);
        else if (!ring.awaitFrame()) continue;
        const written = ring.whenWritten();
        if (written !== null) awaitWoken(written);
      }
    }
  },

  /** Puts `count` slots from `first` on into the inbox and posts the bell message when it has to. */
  finish(e, first, count) {
    const inbox = new Inbox(e.control, e.layout, slotsOf(e), 0);
    for (let slot = first; slot < first + count; slot++) {
      inbox.put(slot);
      e.log(slot);
      if (!inbox.ring()) continue;
      add(e.control, messageWord(e.layout), 1);
      notify(e.control, messageWord(e.layout));
    }
  },

  /**
   * The owner of the inbox: takes, sleeps, waits for a message, for ever. Logs what it takes. With `forgetful` it takes all
   * after an exit, but does not go through `sleep` again.
   */
  own(e, forgetful) {
    const inbox = new Inbox(e.control, e.layout, slotsOf(e), 0);
    const taken = new Int32Array(e.layout.capacitySlots);
    const take = (): void => {
      e.log(...taken.subarray(0, inbox.takeAll(taken)));
    };
    let messages = 0;
    let exits = 0;
    for (;;) {
      take();
      if (forgetful === 1 && exits !== load(e.control, exitWord(e.layout))) {
        exits = load(e.control, exitWord(e.layout));
      } else if (!inbox.sleep()) {
        continue;
      }
      wait(e.control, messageWord(e.layout), messages, Infinity);
      messages = load(e.control, messageWord(e.layout));
    }
  },

  /**
   * A thread that runs a job of thread 0, which is dead: one that it has, or, with `claims`, one that is still queued. Then
   * finishes it, links it, and wakes the owner. Its serial is 1 more than its index. Logs the function's number.
   */
  finishOrphan(e, slot, claims) {
    const slots = slotsOf(e);
    const serial = e.thread + 1;
    if (claims === 1 && !slots.claim(slot, slots.ticket(slot), serial)) return;
    e.log(slots.functionId(slot));
    slots.finish(slot, serial);
    new Inbox(e.control, e.layout, slots, 1).put(slot);
    new Parking(e.control, e.layout).wake(0);
  },

  /**
   * The host after the death of thread 0: looks some times whether the place is free, and then gives it to the next owner, who
   * submits job 77 in each of its slots. Logs 1 then. It hears of an exit between two looks, as of any message; wrong would be:
   * in the middle of one (`hears` 1), or to take everybody for dead (`hears` 2).
   */
  keepOrphans(e, hears, looks) {
    const memory = new PoolMemory(e.control.buffer as SharedArrayBuffer, e.slotsBuffer, e.layout, HOST);
    let dead = 0;
    const isLive = (serial: number): boolean => {
      if (hears === 1) dead = load(e.control, exitWord(e.layout));
      return hears !== 2 && serial !== dead;
    };
    const orphans = new OrphanedSlots(memory, isLive, () => {});
    orphans.adopt(0);
    for (let i = 0; i < looks; i++) {
      dead = load(e.control, exitWord(e.layout));
      if (!orphans.isFree(0)) continue;
      const first = firstSlot(e.layout, 1);
      for (let slot = first; slot < first + slotCount(e.layout, 1); slot++) {
        memory.slots.describeJob(slot, 77, 0, 0, 0);
        memory.slots.publish(slot);
      }
      e.log(1);
      return;
    }
  },

  /** Puts `count` slots from `first` on into the inbox of thread 0, and wakes it: by its parking word. */
  finishForThread(e, first, count) {
    const inbox = new Inbox(e.control, e.layout, slotsOf(e), 1);
    const parking = new Parking(e.control, e.layout);
    for (let slot = first; slot < first + count; slot++) {
      inbox.put(slot);
      e.log(slot);
      parking.wake(0);
    }
  },

  /**
   * Thread 0, which waits for results as it waits for jobs, for ever. Logs what it takes. With `late` it looks for the last time
   * before it says that it sleeps.
   */
  awaitResults(e, late) {
    const inbox = new Inbox(e.control, e.layout, slotsOf(e), 1);
    const parking = new Parking(e.control, e.layout);
    const taken = new Int32Array(e.layout.totalSlots);
    for (;;) {
      e.log(...taken.subarray(0, inbox.takeAll(taken)));
      parking.setSearching(0);
      const looked = late === 1 && !inbox.isEmpty();
      parking.announceSleep(0);
      if (looked || (late !== 1 && !inbox.isEmpty())) {
        parking.stayAwake(0);
        continue;
      }
      if (parking.sleep(0, 2) === "idle") {
        const woken = parking.whenWoken(0);
        if (woken !== null) awaitWoken(woken);
      }
      parking.setSearching(0);
    }
  },

  /** The host: tells thread 0 of an exit. With `silent` it does not wake it. */
  tellOfExit(e, silent) {
    const parking = new Parking(e.control, e.layout);
    wait(e.control, exitWord(e.layout), 0, Infinity);
    parking.setDead(load(e.control, exitWord(e.layout)) - 1);
    if (silent !== 1) parking.wake(0);
  },

  /** Thread 0 submits jobs in these slots from inside a job of its own that does not end, and wakes somebody for each. */
  forkAndStay(e, ...slotsToPush) {
    const slots = slotsOf(e);
    const queues = new JobQueues(e.control, e.layout, slots, 0);
    const parking = new Parking(e.control, e.layout);
    for (const slot of slotsToPush) {
      slots.publish(slot);
      if (!queues.pushLocal(slot)) throw new Error("No room");
      parking.wakeOne();
    }
  },

  /** The host: pushes `count` slots, wakes somebody for each; then, after each exit, what parking.ts says. */
  submit(e, cells, count) {
    const ring = ringOf(e, cells);
    const parking = new Parking(e.control, e.layout);
    for (let slot = 0; slot < count; slot++) {
      push(e, ring, slot);
      parking.wakeOne();
    }
    for (;;) {
      wait(e.control, exitWord(e.layout), 0, Infinity);
      parking.setDead(load(e.control, exitWord(e.layout)) - 1);
      if (!ring.isEmpty()) parking.wakeOne();
      wait(e.control, foreverWord(e.layout), 0, Infinity);
    }
  },

  /**
   * A pool thread. Logs the slots that it takes. With `endless` its first job never ends. With `quiet` it takes a job without
   * saying that it is busy, when it finds one right after a wake-up. With `newcomer` 1 its place had no thread so far, and is counted
   * in before it starts; with 2 only before it sleeps, which is wrong.
   */
  work(e, cells, endless, quiet, newcomer) {
    if (newcomer === 1) new Places(e.control, e.layout).use(e.thread);
    const w = e.thread;
    const ring = cells === ALL_QUEUES ? allQueuesOf(e) : ringOf(e, cells);
    const parking = new Parking(e.control, e.layout);
    const leaveSearch = (): void => {
      parking.setBusy(w);
      if (!ring.isEmpty()) parking.wakeOne();
    };
    let searching = false;
    for (;;) {
      const slot = ring.pop();
      if (slot !== EMPTY) {
        e.log(slot);
        if (searching && quiet !== 1) leaveSearch();
        searching = false;
        if (endless === 1) wait(e.control, foreverWord(e.layout), 0, Infinity);
        continue;
      }
      parking.setSearching(w);
      searching = true;
      if (!ring.isEmpty()) {
        leaveSearch();
        searching = false;
        continue;
      }
      parking.announceSleep(w);
      if (!ring.isEmpty()) {
        parking.stayAwake(w);
        leaveSearch();
        searching = false;
        continue;
      }
      if (newcomer === 2) new Places(e.control, e.layout).use(w);
      if (parking.sleep(w, 2) === "idle") {
        const woken = parking.whenWoken(w);
        if (woken !== null) awaitWoken(woken);
      }
      parking.setSearching(w);
    }
  },

  /**
   * A thread that may take no exclusive job at first, then everything (parking.ts P5). Logs the slots that it takes. With `late` it tells
   * what it may take when it has looked for the last time, which is wrong.
   */
  workWithin(e, late) {
    const w = e.thread;
    const queues = new JobQueues(e.control, e.layout, slotsOf(e), w);
    const parking = new Parking(e.control, e.layout);
    for (const reach of [SHARED, ALL] as const) {
      queues.reach = reach;
      for (;;) {
        const slot = queues.take(w + 1);
        if (slot !== NO_JOB) {
          parking.setBusy(w);
          e.log(slot);
          continue;
        }
        if (late !== 1) parking.setReach(w, reach);
        parking.setSearching(w);
        parking.announceSleep(w);
        const isEmpty = queues.isEmpty();
        if (late === 1) parking.setReach(w, reach);
        if (!isEmpty || reach === SHARED) {
          parking.stayAwake(w);
          // What it has waited for has come.
          if (isEmpty) break;
          continue;
        }
        if (parking.sleep(w, 2) === "idle") {
          const woken = parking.whenWoken(w);
          if (woken !== null) awaitWoken(woken);
        }
        parking.setSearching(w);
      }
    }
  },

  /** The host, which submits an exclusive job in each of these slots. */
  submitExclusive(e, ...slotsToPush) {
    const slots = slotsOf(e);
    const queues = new JobQueues(e.control, e.layout, slots, NO_THREAD);
    const parking = new Parking(e.control, e.layout);
    for (const slot of slotsToPush) {
      slots.describeJob(slot, 1, 0, 0, 0, true);
      slots.publish(slot, queuedWord(true));
      if (!queues.push(NORMAL, slot, true)) throw new Error("No room");
      parking.wakeOne(-1, true);
    }
  },

  /** The host, which hands a job to thread 0, unless that takes none. Logs whether it has. `hasty`: it does not say before that it will, which is wrong. */
  handJob(e, hasty) {
    const parking = new Parking(e.control, e.layout);
    const mayHand = hasty === 1 ? parking.reachOf(0) !== OWN : parking.beginHanding(0);
    e.log(mayHand ? 1 : 0);
    if (!mayHand) return;
    add(e.control, messageWord(e.layout), 1);
    parking.announceMail(0);
    parking.endHanding(0);
  },

  /** A thread that begins an exclusive job. Logs how many jobs were handed to it before. `careless`: it does not wait for whoever is handing it some. */
  beginExclusive(e, careless) {
    const parking = new Parking(e.control, e.layout);
    parking.setReach(e.thread, OWN);
    if (careless !== 1) parking.awaitHanding(e.thread);
    e.log(parking.takeMail(e.thread) ? load(e.control, messageWord(e.layout)) : 0);
  },

  /** The host, which posts messages to thread 0. */
  postMail(e, count) {
    const parking = new Parking(e.control, e.layout);
    for (let i = 0; i < count; i++) {
      add(e.control, messageWord(e.layout), 1);
      parking.announceMail(0);
    }
  },

  /**
   * A thread without jobs: takes messages in when the mail word says so, sleeps, for ever. Logs how many it took. Two ways to do it wrong: it
   * looks `before` it says that it sleeps and not after; or it takes the messages first, and the mail word `after` them.
   */
  takeMail(e, before, after) {
    const w = e.thread;
    const parking = new Parking(e.control, e.layout);
    let taken = 0;
    const takeMessages = (): void => {
      const posted = load(e.control, messageWord(e.layout));
      e.log(posted - taken);
      taken = posted;
    };
    for (;;) {
      if (after === 1 && parking.hasMail(w)) {
        takeMessages();
        parking.takeMail(w);
        continue;
      }
      if (parking.takeMail(w)) {
        takeMessages();
        continue;
      }
      parking.announceSleep(w);
      if (before !== 1 && parking.hasMail(w)) {
        parking.stayAwake(w);
        continue;
      }
      if (parking.sleep(w, 2) === "idle") {
        const woken = parking.whenWoken(w);
        if (woken !== null) awaitWoken(woken);
      }
      parking.setSearching(w);
    }
  },
} satisfies Record<string, Program>;

export type ProgramName = keyof typeof programs;
