/** The arguments of this thread's jobs that come piece by piece, while the jobs run. */
import { AsyncScope } from "@skein/context";
import { Decoder, type ReceivedStreams } from "../codec/decoder.ts";
import type { ArgumentMessage } from "../messages/protocol.ts";
import type { Arenas } from "../shared/arenas.ts";
import { submitterOf } from "../shared/layout.ts";
import { DEAD } from "../shared/parking.ts";
import { HOST, type PoolMemory } from "../shared/pool-memory.ts";
import { queueMicrotask } from "../shared/timers.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import type { SharedBuffers } from "../transfer/shared-buffers.ts";
import { ArgumentReader, type ReaderParts } from "./argument-reader.ts";

export interface ArgumentReadersParts {
  readonly memory: PoolMemory;
  readonly serial: number;
  readonly arenas: Arenas;
  readonly sharedBuffers: SharedBuffers;
  readonly carried: CarriedValues;
  /** Brings a message to the thread that it names, if that lives. */
  readonly send: (message: ArgumentMessage) => void;
}

export class ArgumentReaders implements ReceivedStreams {
  /** The job whose arguments are read now. */
  slot = -1;
  readonly #memory: PoolMemory;
  readonly #carried: CarriedValues;
  readonly #reader: ReaderParts;
  readonly #byId = new Map<number, ArgumentReader>();
  /** With what their next items wait for: several may wait for the same SharedArrayBuffer. */
  readonly #heldUp = new Map<ArgumentReader, number>();
  #last = 0;

  constructor({ memory, serial, arenas, sharedBuffers, carried, send }: ArgumentReadersParts) {
    this.#memory = memory;
    this.#carried = carried;
    this.#reader = {
      arenas,
      decoder: new Decoder(sharedBuffers, carried),
      ask: ({ id, number, submitter }) =>
        send({ type: "argument-wanted", to: submitter, from: serial, number, reader: id }),
      leave: (reader) => {
        this.#byId.delete(reader.id);
        this.#heldUp.delete(reader);
        send({ type: "argument-left", to: reader.submitter, number: reader.number });
      },
      heldUp: (reader, id) => void this.#heldUp.set(reader, id),
      isStopping: ({ slot }) => this.#isStopping(slot),
    };
  }

  /** Called while the arguments of the job in `slot` are read; again, if that has to be done again. */
  received(number: number, highWaterMark: number): ArgumentReader {
    const { slot } = this;
    const submitter = this.#memory.submitterSerial(slot);
    const id = ++this.#last;
    const reader = new ArgumentReader(id, slot, { submitter, number, highWaterMark }, this.#reader);
    this.#byId.set(id, reader);
    return reader;
  }

  heard(message: Extract<ArgumentMessage, { readonly type: "argument-opened" | "argument-dropped" }>): void {
    if (message.type === "argument-opened")
      this.#byId.get(message.reader)?.opened(message.arena, message.block);
    else for (const id of message.carried) this.#carried.dropWhenHere(id);
  }

  /** What items have waited for has come. They are read later: this thread may be in the middle of decoding another item. */
  arrived(id: number): void {
    for (const [reader, awaited] of this.#heldUp) {
      if (awaited !== id) continue;
      this.#heldUp.delete(reader);
      AsyncScope.root.run(queueMicrotask, () => reader.arrived());
    }
  }

  /** The job in this slot was asked to stop. */
  stop(slot: number): void {
    for (const reader of this.#byId.values()) if (reader.slot === slot) reader.stop();
  }

  /** The thread with this serial has ended: nobody fills the streams of its jobs. */
  stopOf(serial: number): void {
    for (const reader of this.#byId.values()) if (reader.submitter === serial) reader.stop();
  }

  /** The outcome of the job in this slot is about to be written: afterwards its streams may be gone. */
  endOf(slot: number): void {
    if (this.#byId.size === 0) return;
    for (const reader of this.#byId.values()) {
      if (reader.slot !== slot) continue;
      reader.close();
      this.#byId.delete(reader.id);
    }
    for (const reader of this.#heldUp.keys()) if (reader.slot === slot) this.#heldUp.delete(reader);
  }

  #isStopping(slot: number): boolean {
    const { slots, parking, layout } = this.#memory;
    if (slots.isCancelRequested(slot)) return true;
    // Its end is told once: perhaps before this job had begun.
    const submitter = submitterOf(layout, slot);
    return submitter !== HOST && parking.state(submitter - 1) === DEAD;
  }
}
