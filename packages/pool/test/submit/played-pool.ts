/**
 * A pool whose threads are played by the test: the host's submitter, those of the threads, and the shared memory between them are real. The
 * steps of a thread are methods, so that it can end between any two of them.
 */
import { Encoder } from "../../src/codec/encoder.ts";
import { ThreadCrashedError } from "../../src/errors.ts";
import { NO_JOB } from "../../src/shared/job-queues.ts";
import { createLayout, INLINE_BYTES, type Layout, submitterOf } from "../../src/shared/layout.ts";
import { HOST, HOST_SERIAL, PoolMemory } from "../../src/shared/pool-memory.ts";
import { OUTCOME_ERROR, OUTCOME_RESULT } from "../../src/shared/slot-fields.ts";
import { FREE } from "../../src/shared/slot.ts";
import { toWire } from "../../src/codec/error-wire.ts";
import type { QueueLimits } from "../../src/submit/job-holdings.ts";
import type { TaskJob } from "../../src/submit/task-job.ts";
import { Home, type Homes } from "../../src/submit/home.ts";
import { defaultSubmitOptions, type Placement, type SubmitOptions } from "../../src/submit/submit-options.ts";
import { Submitter } from "../../src/submit/submitter.ts";
import { CarriedValues } from "../../src/transfer/carried-values.ts";
import { SharedBuffers } from "../../src/transfer/shared-buffers.ts";
import { ownMemories } from "../shared/own-memories.ts";

export const crash = new ThreadCrashedError(1);
export const serialOf = (thread: number): number => thread + 1;
const nothing = (): void => {};
/** Stands for the function of the engine that the user calls. */
const below = nothing;
/** Fits into a slot. */
const RESULT_CHARACTERS = 50;

export interface PlayedPoolOptions {
  /** Slots of the host. */
  readonly slots?: number;
  readonly threads?: number;
  readonly threadSlots?: number;
  /** Of the host. */
  readonly maxJobs?: number;
  readonly maxBytes?: number;
}

interface PlayedParts extends ReturnType<typeof ownMemories> {
  readonly sharedBuffers: SharedBuffers;
  readonly carried: CarriedValues;
}

/** `thread` names the index of a thread; `affinity`, a number, the first thread from there on that is not gone. */
export class PlayedHomes implements Homes {
  readonly maxSlots = 2;
  readonly slotsOfPriority = 1;
  readonly gone = new Set<number>();
  readonly #threads: number;
  readonly #byThread = new Map<number, Home>();
  readonly #byKey = new Map<string, Home>();

  constructor(threads: number) {
    this.#threads = threads;
  }

  homeOf(placement: Placement): Home | null {
    if (placement.kind === "thread") return this.#of(placement.threadId);
    const known = this.#byKey.get(placement.key);
    if (known !== undefined && !known.isClosed) return known;
    for (let i = 0; i < this.#threads; i++) {
      const home = this.#of((Number(placement.key) + i) % this.#threads);
      if (home === null) continue;
      this.#byKey.set(placement.key, home);
      return home;
    }
    return null;
  }

  /** That of jobs before. */
  known(placement: Placement): Home | null {
    if (placement.kind === "thread") return this.#byThread.get(placement.threadId) ?? null;
    const home = this.#byKey.get(placement.key);
    return home === undefined || home.isClosed ? null : home;
  }

  close(serial: number): Home | null {
    const home = this.#byThread.get(serial - 1) ?? null;
    this.#byThread.delete(serial - 1);
    if (home !== null) home.isClosed = true;
    return home;
  }

  wanted(): void {}

  #of(thread: number): Home | null {
    if (this.gone.has(thread)) return null;
    let home = this.#byThread.get(thread);
    if (home === undefined) this.#byThread.set(thread, (home = new Home(thread, serialOf(thread))));
    return home;
  }
}

export class PlayedPool {
  readonly layout: Layout;
  readonly control: Int32Array;
  /** By submitter. */
  readonly memories: readonly PoolMemory[];
  readonly submitters: readonly Submitter[];
  readonly homes: PlayedHomes;
  /** How often somebody was to be woken for jobs. */
  queued = 0;
  /** Whether carried arguments are still with the host. */
  untouched = false;
  /** Carried arguments with their holder. */
  readonly held = new Set<number>();
  /** Serials of threads that were to be ended. */
  readonly terminated: number[] = [];
  /** Called when somebody is to be woken for jobs, as the last step of an acceptance. */
  onQueued: () => void = nothing;
  /** What a submitter reads with, by its serial. */
  readonly parts = new Map<number, PlayedParts>();
  readonly #limits: QueueLimits;
  readonly #resultEncoder = new Encoder(
    new SharedBuffers(99, nothing, { announce: nothing, gone: nothing }),
    () => 1,
  );

  constructor(options: PlayedPoolOptions = {}) {
    const { slots = 4, threads = 2, threadSlots = 4, maxJobs = Infinity, maxBytes = Infinity } = options;
    this.layout = createLayout(slots, threads, threadSlots);
    this.homes = new PlayedHomes(threads);
    this.#limits = { jobs: maxJobs, bytes: maxBytes, maxQueue: maxJobs };
    const controlBuffer = new SharedArrayBuffer(this.layout.controlBytes);
    const slotsBuffer = new SharedArrayBuffer(this.layout.slotsBytes);
    this.control = new Int32Array(controlBuffer);
    const submitters = Array.from({ length: threads + 1 }, (_, i) => i);
    this.memories = submitters.map((s) => new PoolMemory(controlBuffer, slotsBuffer, this.layout, s));
    this.host.queues.initialize();
    this.host.places.initialize(threads);
    for (let thread = 0; thread < threads; thread++) this.host.prepareThread(thread, serialOf(thread));
    this.submitters = this.memories.map((memory, s) => this.#open(memory, s === HOST ? HOST_SERIAL : s));
  }

  get host(): PoolMemory {
    return this.memories[HOST]!;
  }

  get submitter(): Submitter {
    return this.submitters[HOST]!;
  }

  /** A job of the host, or of thread `from - 1`. */
  submit(args: readonly unknown[], options: Partial<SubmitOptions> = {}, from: number = HOST): TaskJob {
    const { functions, jobs } = this.submitters[from]!;
    const fn = functions.ofExport("file:///jobs.js", "echo");
    return jobs.submit(fn, args, { ...defaultSubmitOptions, ...options }, below);
  }

  /** The next job of this thread, claimed; NO_JOB: there is none. */
  take(thread: number): number {
    return this.memories[thread + 1]!.queues.take(serialOf(thread));
  }

  /** The arguments in a slot that a thread has claimed, as text: enough to tell jobs apart. */
  argumentsIn(slot: number): string {
    const { slots, submitterSerial } = this.#of(slot);
    const arena = slots.payloadArena(slot);
    const length = slots.payloadLength(slot);
    const [bytes, at] =
      arena < 0
        ? [slots.bytes, slots.inlineOffset(slot)]
        : [
            this.parts.get(submitterSerial)!.arenas.bytes(arena, slots.payloadBlock(slot), length),
            slots.payloadBlock(slot) * 8,
          ];
    return Buffer.from(bytes.slice(at, at + length)).toString("latin1");
  }

  #of(slot: number): { slots: PoolMemory["slots"]; submitterSerial: number } {
    return { slots: this.host.slots, submitterSerial: this.host.submitterSerial(slot) };
  }

  /** A thread has run the next job, which has failed. */
  failNext(thread: number): void {
    const error = new RangeError("from the job");
    error.stack = "";
    this.run(thread, this.take(thread), error, true);
  }

  /** What a thread does with a job that it has claimed, as far as the outcome in the slot. */
  writeOutcome(thread: number, slot: number, value: unknown, isError = false): void {
    const { slots } = this.memories[thread + 1]!;
    const encoder = this.#resultEncoder;
    const message = encoder.encode(isError ? toWire(value) : value, isError ? "error" : "result");
    if (message.length > INLINE_BYTES)
      throw new RangeError("The outcome of a played job has to fit into its slot");
    slots.setInlinePayload(slot, message.bytes, message.length);
    message.release();
    slots.setOutcome(slot, isError ? OUTCOME_ERROR : OUTCOME_RESULT);
  }

  finish(thread: number, slot: number): void {
    this.memories[thread + 1]!.slots.finish(slot, serialOf(thread));
  }

  link(slot: number): void {
    this.host.inboxes[submitterOf(this.layout, slot)]!.put(slot);
  }

  /** All there is to running a job. */
  run(thread: number, slot: number, value: unknown, isError = false): void {
    this.writeOutcome(thread, slot, value, isError);
    this.finish(thread, slot);
    this.link(slot);
  }

  /** Runs whatever waits; each job returns the beginning of its arguments as text. */
  runAll(thread: number): void {
    for (let slot = this.take(thread); slot !== NO_JOB; slot = this.take(thread)) {
      this.run(thread, slot, this.argumentsIn(slot).slice(0, RESULT_CHARACTERS));
    }
  }

  /** As every submitter does when the host has heard that the thread has ended. */
  recover(thread: number, from: number = HOST): void {
    const { ledger } = this.submitters[from]!;
    ledger.collect();
    ledger.recover(serialOf(thread), crash);
    ledger.deliver();
  }

  /** The slots of this submitter that are in use, in shared memory or in its ledger. */
  slotsInUse(from: number = HOST): number[] {
    const { firstSlot, slotCount, slots } = this.memories[from]!;
    const { ledger } = this.submitters[from]!;
    return Array.from({ length: slotCount }, (_, i) => firstSlot + i).filter(
      (slot) => slots.state(slot) !== FREE || ledger.jobIn(slot) !== null,
    );
  }

  #open(memory: PoolMemory, serial: number): Submitter {
    const sharedBuffers = new SharedBuffers(serial, nothing, { announce: nothing, gone: nothing });
    const memories = ownMemories(serial);
    const carried = new CarriedValues(serial, nothing);
    this.parts.set(serial, { ...memories, sharedBuffers, carried });
    return new Submitter({
      memory,
      ...memories,
      sharedBuffers,
      carried,
      holder: {
        hold: ({ id }) => void this.held.add(id),
        drop: (id) => void this.held.delete(id),
        isUntouched: () => this.untouched,
        threadFor: () => 0,
        give: nothing,
        queued: nothing,
      },
      limits: serial === HOST_SERIAL ? this.#limits : { jobs: Infinity, bytes: Infinity, maxQueue: Infinity },
      homes: serial === HOST_SERIAL ? this.homes : null,
      carry: nothing,
      send: nothing,
      thread: {
        active: nothing,
        idle: nothing,
        queued: () => {
          this.queued++;
          this.onQueued();
        },
        cancelRequested: nothing,
        takeMessages: nothing,
        wantReports: nothing,
        terminate: (owner) => void this.terminated.push(owner),
        awaited: nothing,
      },
    });
  }
}
