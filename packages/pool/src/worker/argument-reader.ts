/**
 * An argument that comes piece by piece, as the job reads it: the consumer of a stream ring (shared/stream-ring.ts) that belongs to the thread which
 * has submitted the job (submit/argument-pump.ts).
 *
 * | state    | means                                                                  | goes on                                        |
 * | -------- | ---------------------------------------------------------------------- | ---------------------------------------------- |
 * | UNASKED  | the job has not asked for an item                                      | to ASKED; to CLOSED                            |
 * | ASKED    | the submitter was told, and its ring has yet to come                   | to OPEN: `opened`; to CLOSED                   |
 * | OPEN     | items are read out of the ring, when somebody asks                     | to HELD; to CLOSED                             |
 * | HELD     | the next item waits for what the host has yet to pass on               | to OPEN: `arrived`; to CLOSED                  |
 * | CLOSED   | final: the ring is not touched any more, and nobody waits at it        |                                                |
 *
 * CLOSED is entered when the source has ended or thrown, when the job leaves the stream, when the job is asked to stop or its submitter has died, and
 * before the outcome of the job is written, because the ring may be gone afterwards.
 */
import { AsyncScope } from "@skein/context";
import { NotArrived } from "../codec/carried.ts";
import type { Decoder } from "../codec/decoder.ts";
import { type ErrorWire, fromWire } from "../codec/error-wire.ts";
import { JobCanceledError } from "../errors.ts";
import type { Arenas } from "../shared/arenas.ts";
import { promiseThen } from "../shared/intrinsics.ts";
import { ENDED, NO_FRAME, ringBytes, STREAM_SHAPE, StreamReader, THROWN } from "../shared/stream-ring.ts";
import { ReceivedStream } from "../submit/received-stream.ts";
import { NO_ITEM } from "../submit/stream-readers.ts";
import { decodeFrame } from "../transfer/decode-frame.ts";

const UNASKED = 0;
const ASKED = 1;
const OPEN = 2;
const HELD = 3;
const CLOSED = 4;

export interface ReaderParts {
  readonly arenas: Arenas;
  readonly decoder: Decoder;
  /** Asks the submitter for the ring. */
  readonly ask: (reader: ArgumentReader) => void;
  /** Tells it that the job wants no more. */
  readonly leave: (reader: ArgumentReader) => void;
  /** `arrived` is to be called when this is here. */
  readonly heldUp: (reader: ArgumentReader, id: number) => void;
  /** Whether the job was asked to stop. */
  readonly isStopping: (reader: ArgumentReader) => boolean;
}

interface Ring {
  readonly reader: StreamReader;
  readonly bytes: Uint8Array;
}

export class ArgumentReader extends ReceivedStream {
  /** No other of this thread has it. */
  readonly id: number;
  /** Of the stream, on the thread with the serial `submitter`. */
  readonly number: number;
  readonly submitter: number;
  readonly slot: number;
  readonly #highWaterMark: number;
  readonly #parts: ReaderParts;
  #state: number = UNASKED;
  #ring: Ring | null = null;
  /** Whether a wake-up was asked for, and has not come. */
  #isListening = false;

  constructor(
    id: number,
    slot: number,
    source: { readonly submitter: number; readonly number: number; readonly highWaterMark: number },
    parts: ReaderParts,
  ) {
    super();
    this.id = id;
    this.slot = slot;
    this.submitter = source.submitter;
    this.number = source.number;
    this.#highWaterMark = source.highWaterMark;
    this.#parts = parts;
  }

  /** The ring is there. */
  opened(arena: number, block: number): void {
    if (this.#state !== ASKED) return;
    const bytes = this.#parts.arenas.memoryOf(arena, block, ringBytes(STREAM_SHAPE));
    const reader = new StreamReader(bytes, block * 8, this.#highWaterMark);
    this.#ring = { reader, bytes };
    this.#state = OPEN;
    this.#goOn();
  }

  /** What the next item has waited for is there. */
  arrived(): void {
    if (this.#state !== HELD) return;
    this.#state = OPEN;
    this.#goOn();
  }

  /** Its job is asked to stop. */
  stop(): void {
    if (this.#state !== CLOSED) this.#end({ error: new JobCanceledError() });
  }

  /** Its job is over: what still asks hears that there is no more. */
  close(): void {
    if (this.#state !== CLOSED) this.#end(null);
  }

  protected wanted(): void {
    if (this.#parts.isStopping(this)) {
      this.stop();
    } else if (this.#state === UNASKED) {
      this.#state = ASKED;
      this.#parts.ask(this);
    } else if (this.#state === OPEN) {
      this.#goOn();
    }
  }

  protected left(): void {
    this.#close();
    this.#parts.leave(this);
  }

  protected take(): unknown {
    if (this.#state !== OPEN) return NO_ITEM;
    const { reader, bytes } = this.#ring!;
    const kind = reader.peek();
    if (kind === NO_FRAME) return NO_ITEM;
    if (kind === ENDED) return this.#end(null);
    let value: unknown;
    try {
      value = decodeFrame(reader, bytes, this.#parts.arenas, this.#parts.decoder);
    } catch (error) {
      if (error instanceof NotArrived) {
        this.#state = HELD;
        this.#parts.heldUp(this, error.id);
        return NO_ITEM;
      }
      reader.consume();
      // It stands for what the source has thrown: nothing follows.
      if (kind === THROWN) return this.#end({ error });
      throw error;
    }
    reader.consume();
    return kind === THROWN ? this.#end({ error: fromWire(value as ErrorWire) }) : value;
  }

  /** Gives what there is, then waits if somebody still does. */
  #goOn(): void {
    this.serve();
    while (this.#state === OPEN && this.isAwaited && !this.#isListening) {
      const { reader } = this.#ring!;
      const isEmpty = reader.peek() === NO_FRAME && reader.awaitFrame();
      const written = isEmpty ? AsyncScope.root.run(() => this.#listen(reader)) : null;
      if (written === null) this.serve();
    }
  }

  #listen(reader: StreamReader): Promise<unknown> | null {
    const written = reader.whenWritten();
    if (written === null) return null;
    this.#isListening = true;
    promiseThen(written, () => {
      this.#isListening = false;
      this.#goOn();
    });
    return written;
  }

  /** @returns what `take` gives then. */
  #end(failure: { readonly error: unknown } | null): typeof NO_ITEM {
    this.#close();
    this.finish(failure);
    return NO_ITEM;
  }

  #close(): void {
    this.#state = CLOSED;
    if (this.#isListening) this.#ring!.reader.leave();
    this.#ring = null;
  }
}
