import { isSharedArrayBuffer } from "node:util/types";
import { ExecutionContext } from "@skein/context";
import { argumentTypeError } from "@skein/context/errors";
import { CapacityExceededError, InvalidOperationError, ItemTooLargeError } from "./errors.ts";
import { encodeItem } from "./item-codec.ts";
import { Bell } from "./shared/bell.ts";
import { SegmentWriter } from "./shared/segment.ts";
import type { WriteOutcome } from "./shared/segment.ts";

/** A producer as plain data, to be sent to another thread: as a job's argument, in `workerData`, in a message. */
export interface ProducerHandle {
  readonly kind: "skein:producer";
  readonly slot: number;
  readonly flowContext: boolean;
  readonly sharedBytes: number;
  readonly bell: SharedArrayBuffer;
  readonly segment: SharedArrayBuffer;
}

const { random } = Math;

/** A whole number, whatever `Math.random` is. */
function anyNumber(): number {
  return (random() * 0x7fff_ffff) >>> 0;
}

/** One writer for each memory and thread: jobs attach again and again. */
const writers = new WeakMap<SharedArrayBuffer, SegmentWriter>();

/**
 * Pushes into one slot of a consumer from any thread, through shared memory; the pump runs on the consumer's thread. Works while
 * that thread is busy. Never blocks.
 *
 * An item is copied by structured clone as `v8.serialize` does it: no functions, ports and SharedArrayBuffers. Buffers stay Buffers, and
 * each typed array and DataView has memory of its own, also where several shared theirs. Once a push has returned, the item is safe from
 * whatever happens to its thread. The items of one thread stay in order. A push costs 1–3 us.
 *
 * @example
 * // on the consumer's thread
 * await pool.run(jobs.crawl, [url, consumer.producer(0).handle]);
 * // in the job
 * const pages = SharedProducer.attach<Page>(handle);
 * pages.push(page);
 */
export class SharedProducer<T> {
  /** What another thread needs to `attach`. Stays valid when the consumer is completed and started again. */
  readonly handle: ProducerHandle;
  readonly #writer: SegmentWriter;
  readonly #bell: Bell;

  private constructor(handle: ProducerHandle) {
    this.handle = handle;
    let writer = writers.get(handle.segment);
    if (writer === undefined) {
      writer = new SegmentWriter(handle.segment, handle.sharedBytes, anyNumber());
      writers.set(handle.segment, writer);
    }
    this.#writer = writer;
    this.#bell = new Bell(handle.bell);
  }

  /**
   * The producer of a handle that came from the consumer's thread. Costs a few microseconds the first time in a thread.
   * @throws TypeError when it is not a handle.
   */
  static attach<T>(handle: ProducerHandle): SharedProducer<T> {
    if (typeof handle !== "object" || handle === null || handle.kind !== "skein:producer") {
      throw argumentTypeError("handle", "the handle of a SharedProducer", handle);
    }
    if (!isSharedArrayBuffer(handle.segment) || !isSharedArrayBuffer(handle.bell)) {
      throw argumentTypeError("handle", "a handle with its shared memory, which JSON does not carry", handle);
    }
    return new SharedProducer<T>(handle);
  }

  /**
   * @throws CapacityExceededError when the shared memory of the slot is full; the item was not accepted.
   * @throws ItemTooLargeError when it could never be accepted.
   * @throws InvalidOperationError when the consumer is completing or completed.
   * @throws NotCloneableError when the item holds something that cannot be copied: a function, a promise, a port. What its own
   *   getters throw is the `cause`.
   * @throws ContextEncodeError, ContextTooLargeError when the context flows and cannot be encoded, and what `capture` of a `flow` throws.
   */
  push(item: T): void {
    const { slot } = this.handle;
    switch (this.#write(item)) {
      case "accepted":
        return;
      case "full":
        throw new CapacityExceededError(slot, `its shared memory has ${this.#writer.limitBytes} bytes`);
      case "closed":
      default:
        throw new InvalidOperationError("The consumer is completing or completed; it takes no more items");
    }
  }

  /**
   * @returns false when the memory is full, or the consumer is completing or completed.
   * @throws ItemTooLargeError, NotCloneableError and the others as `push` does.
   */
  tryPush(item: T): boolean {
    return this.#write(item) === "accepted";
  }

  #write(item: T): WriteOutcome {
    if (this.#writer.isClosed()) return "closed";
    const carrier = this.handle.flowContext ? (ExecutionContext.capture()?.toCarrier() ?? null) : undefined;
    const bytes = encodeItem(item, carrier);
    const { limitBytes } = this.#writer;
    if (bytes.length > limitBytes) throw new ItemTooLargeError(bytes.length, limitBytes);
    const outcome = this.#writer.write(bytes);
    if (outcome === "accepted") this.#bell.ring();
    return outcome;
  }
}
