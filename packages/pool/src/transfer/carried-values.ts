/**
 * The carried values of one thread: those that came for messages which it has yet to read; on the host also the arguments that it holds
 * for jobs no thread has taken.
 */
import type { Transferable } from "node:worker_threads";
import { type Carried, type CarriedTable, NotArrived } from "../codec/carried.ts";
import { isArrayBuffer } from "../codec/brand-checks.ts";
import { byteLengthOf } from "../shared/intrinsics.ts";
import { TransientMap } from "./transient-map.ts";
import { giveUp } from "./detach.ts";
import { isLargeMemory, isMemory, LaneReceiver, LaneSender } from "./memory-lane.ts";

/** Numbers of one thread; the serial is above. */
const SERIAL_FACTOR = 2 ** 32;

/** The thread that has numbered them. */
export function numberedBy(id: number): number {
  return Math.floor(id / SERIAL_FACTOR);
}

export class CarriedValues implements CarriedTable {
  readonly #serial: number;
  readonly #fetch: (id: number) => void;
  readonly #here = new TransientMap<number, Carried>();
  /** Of these, what is in the lane to itself. */
  readonly #parked = new Set<number>();
  readonly #lane = new LaneReceiver();
  readonly #parking = new LaneSender((port) => this.#lane.opened(port));
  /** Not here yet, and nobody wants them any more. */
  readonly #unwanted = new Set<number>();
  #next: number;
  /** Of memory that was taken, in all. */
  takenBytes = 0;

  /** @param fetch Takes in what other threads have sent to this one, without waiting, at least as far as what has this number. */
  constructor(serial: number, fetch: (id: number) => void) {
    this.#serial = serial;
    this.#next = serial * SERIAL_FACTOR;
    this.#fetch = fetch;
  }

  /** A number under which nothing was carried yet. */
  readonly nextId = (): number => ++this.#next;

  add(carried: Carried): void {
    this.#parked.delete(carried.id);
    if (this.#unwanted.delete(carried.id)) giveUp(carried);
    else this.#here.set(carried.id, carried);
  }

  take(id: number): readonly unknown[] {
    const carried = this.find(id);
    if (carried === null) throw new NotArrived(id);
    this.#here.delete(id);
    const { values } = carried;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (isArrayBuffer(value)) this.takenBytes += byteLengthOf(value);
    }
    return values;
  }

  putBack(id: number, values: readonly unknown[]): void {
    // They are posted no more: read again, or given up, if they are of a kind for which that means something.
    this.#here.set(id, { id, values, transfer: values as readonly Transferable[] });
  }

  /** Whether this thread has numbered them. */
  isOwn(id: number): boolean {
    return numberedBy(id) === this.#serial;
  }

  has(id: number): boolean {
    return this.#here.has(id) || this.#parked.has(id);
  }

  /** Whether they are here, and nothing but memory. */
  hasMemory(id: number): boolean {
    if (this.#parked.has(id)) return true;
    const carried = this.#here.get(id);
    return carried !== undefined && isMemory(carried);
  }

  /** The same, and so much that it is noticed. */
  hasLargeMemory(id: number): boolean {
    if (this.#parked.has(id)) return true;
    const carried = this.#here.get(id);
    return carried !== undefined && isLargeMemory(carried);
  }

  /** Nobody will want them soon: large memory goes into a lane of this thread to itself, so that it counts for no heap. */
  park(id: number): void {
    const carried = this.#here.get(id);
    if (carried === undefined || !isLargeMemory(carried)) return;
    this.#parking.send(carried);
    this.#here.delete(id);
    this.#parked.add(id);
  }

  /** Nothing will be parked or taken any more. */
  close(): void {
    this.#lane.close();
  }

  /** They stay. Null when they are not here. */
  find(id: number): Carried | null {
    if (this.#parked.has(id)) this.#lane.takeUpTo(id, this);
    else if (!this.#here.has(id)) this.#fetch(id);
    return this.#here.get(id) ?? null;
  }

  /** They were posted on. */
  forget(id: number): void {
    this.#here.delete(id);
  }

  /** Nobody will read them: given up, if they are here. */
  drop(id: number): void {
    const carried = this.#parked.has(id) ? this.find(id) : this.#here.get(id);
    if (carried === undefined || carried === null) return;
    this.#here.delete(id);
    giveUp(carried);
  }

  /** Nobody will read them, and they may still come. */
  dropWhenHere(id: number): void {
    if (this.find(id) === null) this.#unwanted.add(id);
    else this.drop(id);
  }

  /** Everything that the thread with this serial has numbered; it has ended. */
  dropOf(serial: number): void {
    for (const [id] of this.#here.entries()) {
      if (numberedBy(id) === serial) this.drop(id);
    }
  }
}
