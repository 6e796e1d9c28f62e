/**
 * A streaming job on the thread that reads it, from its announcement to the end of its job. The ledger says when there is news, and when it
 * is over; until then items are read out of the ring when somebody asks for them. Then what is left there is read at once, and the ring is
 * given back with the slot. So a stream that is over holds nothing of the pool.
 */
import { isError } from "@skein/context/errors";
import type { Task } from "@skein/scheduling";
import { trySucceed } from "@skein/scheduling/internal";
import { carriedIdOf, NotArrived } from "../codec/carried.ts";
import type { Decoder } from "../codec/decoder.ts";
import { JobCanceledError, NotCloneableError } from "../errors.ts";
import type { Arenas } from "../shared/arenas.ts";
import { HOST, type PoolMemory } from "../shared/pool-memory.ts";
import {
  APART,
  BYTES,
  keptBytes,
  NO_FRAME,
  ringBytes,
  STREAM_SHAPE,
  StreamReader,
} from "../shared/stream-ring.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import { decodeFrame } from "../transfer/decode-frame.ts";
import { OpenedStream, type StreamSource } from "./job-stream.ts";
import { TaskJob } from "./task-job.ts";
import { endOf, waitingBy } from "./task-readers.ts";
import { NO_ITEM, StreamReaders, type Waiting } from "./stream-readers.ts";

export interface StreamParts {
  readonly memory: PoolMemory;
  readonly arenas: Arenas;
  readonly decoder: Decoder;
  readonly carried: Pick<CarriedValues, "dropWhenHere">;
}

export type DropParts = Omit<StreamParts, "decoder">;

/** What a stream asks of the ledger. */
export interface StreamLedger {
  /** Somebody waits for an item. */
  awaited(): void;
  /** The next item cannot be read before what NotArrived names has come: then there is news. On the host only memory that is announced again. */
  heldUp(stream: OpenStream, id: number): void;
  /** The generator is to end; the job settles as it then does. */
  leave(job: TaskJob): void;
  cancel(job: TaskJob, reason: Error): void;
}

interface Ring {
  readonly reader: StreamReader;
  /** The memory in which it lies. */
  readonly bytes: Uint8Array;
}

export const NO_PLACE = -1;

/** One that could not be read. */
class Failure {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

export class OpenStream implements StreamSource {
  readonly job: TaskJob;
  /** Among those that are open. */
  place: number = NO_PLACE;
  readonly #parts: StreamParts;
  readonly #ledger: StreamLedger;
  /** Null: it was emptied, and is its producer's memory again; or there is none yet, because the job begins again. */
  #ring: Ring | null;
  readonly #readers: StreamReaders;
  /** The task of the call, until it has the stream. */
  #called: Task<unknown> | null;
  /** The items that were left when the job was over. Null: they are still in the ring. */
  #rest: unknown[] | null = null;
  #hasLeft = false;
  hasFailedAhead = false;
  #isGivenUp = false;
  #isOver = false;
  /** An item was taken out of the ring. */
  #hasGiven = false;
  #isBeginningAgain = false;
  /** The next item waits for something that has yet to arrive. */
  #isHeldUp = false;

  /** Of no caller, and always there: see TaskJob.kept. */
  static readonly kept: OpenStream = new OpenStream(
    TaskJob.kept,
    { reader: StreamReader.kept, bytes: keptBytes },
    null as never,
    null as never,
  );

  private constructor(job: TaskJob, ring: Ring, parts: StreamParts, ledger: StreamLedger) {
    this.job = job;
    this.#parts = parts;
    this.#ledger = ledger;
    this.#ring = ring;
    this.#readers = new StreamReaders(() => this.#take(), waitingBy(job.options.continuations));
    this.#called = job.beginStream();
  }

  static of(slot: number, job: TaskJob, parts: StreamParts, ledger: StreamLedger): OpenStream {
    return new OpenStream(job, ringOf(slot, parts), parts, ledger);
  }

  /** Nothing will be read out of the ring any more. */
  get isEmptied(): boolean {
    return this.#ring === null;
  }

  /** Whether somebody waits for an item. */
  get isAwaited(): boolean {
    return this.#readers.areWaiting;
  }

  /** The reader has left of its own accord. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The job was queued again, and has no generator yet. */
  get isBeginningAgain(): boolean {
    return this.#isBeginningAgain;
  }

  get completion(): Task<unknown> {
    return this.job.task;
  }

  // By the ledger.

  /** There is news: an announcement, items. User code runs here. */
  tell(): void {
    const called = this.#called;
    this.#called = null;
    this.#isHeldUp = false;
    if (called !== null) trySucceed(called, OpenedStream.of(this));
    this.#readers.serve();
  }

  /**
   * No more will come into the ring, which is given back afterwards: takes everything out of it.
   * @param isFinal Whether what has not arrived never will.
   * @throws NotArrived It can be called again then.
   */
  takeRest(isFinal: boolean): void {
    if (this.#isUnwanted) this.drop();
    if (this.#ring === null) return;
    const { reader } = this.#ring;
    const rest: unknown[] = (this.#rest ??= []);
    for (; reader.peek() !== NO_FRAME; reader.consume()) {
      try {
        rest.push(this.#read(this.#ring, isFinal));
      } catch (error) {
        if (error instanceof NotArrived) throw error;
        rest.push(new Failure(error));
      }
    }
    this.#ring = null;
  }

  /** After `takeRest`: its thread has died. @returns false if the job must not begin again: somebody may have seen an item, or wants none. */
  tryBeginAgain(): boolean {
    if (this.#isUnwanted || this.#hasGiven || this.#rest!.length > 0) return false;
    this.#isBeginningAgain = true;
    return true;
  }

  /** The job has begun again, in this slot. */
  openAgain(slot: number): void {
    this.#isBeginningAgain = false;
    this.#rest = null;
    this.#ring = ringOf(slot, this.#parts);
  }

  /** What is in the ring is not wanted. */
  drop(): void {
    this.#rest = [];
    if (this.#ring !== null) dropFrames(this.#ring, this.#parts);
    this.#ring = null;
  }

  /** The job was given up: no item is told any more, and `drop` follows when its thread has done with it. */
  giveUp(): void {
    this.#isGivenUp = true;
    this.#rest = [];
  }

  get #isUnwanted(): boolean {
    return this.#isGivenUp || this.#hasLeft;
  }

  /** The job has settled. User code runs here. */
  end(): void {
    this.#isOver = true;
    if (this.completion.status !== "succeeded") this.completion.then(undefined, ignore);
    this.#readers.end(endOf(this.completion));
  }

  // By the reader.

  next(by: object): PromiseLike<IteratorResult<unknown, unknown>> {
    for (;;) {
      const next = this.#readers.tryNext();
      if (next !== null) return next;
      if (this.#isAlone && !this.#ring!.reader.awaitFrame()) continue;
      const waiting = this.#readers.wait(by);
      this.#ledger.awaited();
      return waiting;
    }
  }

  join(waiting: Waiting): void {
    this.#readers.join(waiting);
    if (this.#readers.areWaiting) this.#ledger.awaited();
  }

  /** Whether whoever waits now is the first to do so, for what comes into the ring. Of the others the producer knows already. */
  get #isAlone(): boolean {
    if (this.#hasLeft || this.#isOver || this.#rest !== null) return false;
    return !this.#isHeldUp && !this.#readers.areWaiting;
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#rest &&= [];
    if (!this.#isOver) this.#ledger.leave(this.job);
    this.#readers.leave();
  }

  cancel(reason: unknown): void {
    this.#ledger.cancel(this.job, isError(reason) ? reason : new JobCanceledError(reason));
  }

  /** As TakeItem. */
  #take(): unknown {
    if (this.#rest !== null) {
      if (this.#rest.length === 0) return NO_ITEM;
      const item = this.#rest.shift();
      if (item instanceof Failure) throw item.error;
      return item;
    }
    if (this.#hasLeft || this.#isHeldUp) return NO_ITEM;
    const { reader } = this.#ring!;
    while (reader.peek() === NO_FRAME) if (!this.#readers.areWaiting || reader.awaitFrame()) return NO_ITEM;
    try {
      const item = this.#read(this.#ring!, false);
      this.#consume(reader);
      return item;
    } catch (error) {
      if (error instanceof NotArrived) {
        this.#isHeldUp = true;
        this.#ledger.heldUp(this, error.id);
        return NO_ITEM;
      }
      this.#consume(reader);
      throw error;
    }
  }

  #consume(reader: StreamReader): void {
    this.#hasGiven = true;
    if (reader.consume()) this.#parts.memory.parking.wake(reader.thread);
  }

  /** It has everything that was posted before a frame was there, but for memory that is announced again (shared-buffers.ts). */
  get #isHost(): boolean {
    return this.#parts.memory.submitter === HOST;
  }

  /**
   * The value of the frame that was found. Of an item apart the block is given back, unless it is to be read again.
   * @param isFinal What has not arrived never will.
   * @throws NotArrived, but not if `isFinal`; otherwise what the reader is told.
   */
  #read({ reader, bytes }: Ring, isFinal: boolean): unknown {
    const { arenas, decoder } = this.#parts;
    let isRead = true;
    try {
      return decodeFrame(reader, bytes, arenas, decoder);
    } catch (error) {
      if (!(error instanceof NotArrived)) throw error;
      if (isFinal || (this.#isHost && error.id > 0))
        throw new NotCloneableError("item", "holds a value that this thread cannot receive");
      isRead = false;
      throw error;
    } finally {
      if (isRead && reader.peek() === APART) arenas.giveBack(reader.arena, reader.block);
    }
  }
}

/** Of a stream that nobody has opened. */
export function dropStream(slot: number, parts: DropParts): void {
  dropFrames(ringOf(slot, parts), parts);
}

function dropFrames({ reader, bytes }: Ring, { arenas, carried }: DropParts): void {
  for (let kind = reader.peek(); kind !== NO_FRAME; kind = reader.peek()) {
    let id = 0;
    if (kind === BYTES) id = carriedIdOf(bytes, reader.start, reader.length);
    if (kind === APART) {
      const { arena, block, length } = reader;
      id = carriedIdOf(arenas.bytes(arena, block, length), block * 8, length);
      arenas.giveBack(arena, block);
    }
    if (id !== 0) carried.dropWhenHere(id);
    reader.consume();
  }
}

function ringOf(slot: number, { memory: { slots }, arenas }: DropParts): Ring {
  const block = slots.ringBlock(slot);
  const bytes = arenas.memoryOf(slots.ringArena(slot), block, ringBytes(STREAM_SHAPE));
  return { reader: new StreamReader(bytes, block * 8, slots.highWaterMark(slot)), bytes };
}

function ignore(): void {}
