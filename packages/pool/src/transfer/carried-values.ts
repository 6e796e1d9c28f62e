/**
 * The carried values of one thread: those that came for messages which it has yet to read; on the host also the arguments that it holds
 * for jobs no thread has taken.
 */
import { type Carried, type CarriedTable, NotArrived } from "../codec/carried.ts";
import { giveUp } from "./detach.ts";

/** Numbers of one thread; the serial is above. */
const SERIAL_FACTOR = 2 ** 32;

export class CarriedValues implements CarriedTable {
  readonly #serial: number;
  readonly #takeMessages: () => void;
  readonly #here = new Map<number, Carried>();
  /** Not here yet, and nobody wants them any more. */
  readonly #unwanted = new Set<number>();
  #next: number;

  /** @param takeMessages Takes in what other threads have posted to this one, without waiting. */
  constructor(serial: number, takeMessages: () => void) {
    this.#serial = serial;
    this.#next = serial * SERIAL_FACTOR;
    this.#takeMessages = takeMessages;
  }

  /** A number under which nothing was carried yet. */
  readonly nextId = (): number => ++this.#next;

  add(carried: Carried): void {
    if (this.#unwanted.delete(carried.id)) giveUp(carried);
    else this.#here.set(carried.id, carried);
  }

  take(id: number): readonly unknown[] {
    const carried = this.find(id);
    if (carried === null) throw new NotArrived(id);
    this.#here.delete(id);
    return carried.values;
  }

  putBack(id: number, values: readonly unknown[]): void {
    this.#here.set(id, { id, values, transfer: [] });
  }

  /** Whether this thread has numbered them. */
  isOwn(id: number): boolean {
    return Math.floor(id / SERIAL_FACTOR) === this.#serial;
  }

  has(id: number): boolean {
    return this.#here.has(id);
  }

  /** They stay. Null when they are not here. */
  find(id: number): Carried | null {
    if (!this.#here.has(id)) this.#takeMessages();
    return this.#here.get(id) ?? null;
  }

  /** They were posted on. */
  forget(id: number): void {
    this.#here.delete(id);
  }

  /** Nobody will read them: given up, if they are here. */
  drop(id: number): void {
    const carried = this.#here.get(id);
    if (carried === undefined) return;
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
    for (const id of this.#here.keys()) {
      if (Math.floor(id / SERIAL_FACTOR) === serial) this.drop(id);
    }
  }
}
