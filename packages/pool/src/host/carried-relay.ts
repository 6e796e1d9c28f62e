/**
 * Carried values on their way through the host. It holds the arguments of jobs that no thread has taken, its own and those that threads
 * submit, and passes results on to threads. A thread that has nothing to do gets its job and the values with one message; otherwise
 * whoever claims the job asks for them.
 */
import type { Carried } from "../codec/carried.ts";
import type { HostMessage } from "../protocol.ts";
import { ASLEEP, IDLE, SEARCHING } from "../shared/parking.ts";
import { HOST_SERIAL, type PoolMemory } from "../shared/pool-memory.ts";
import { RUNNING } from "../shared/slot.ts";
import type { ArgumentsHolder } from "../transfer/arguments-holder.ts";
import type { CarriedValues } from "../transfer/carried-values.ts";
import { detach, giveUp } from "../transfer/detach.ts";
import type { PoolThread } from "./pool-thread.ts";
import type { ThreadRoster } from "./thread-roster.ts";

export class CarriedRelay implements ArgumentsHolder {
  readonly #memory: PoolMemory;
  readonly #roster: ThreadRoster;
  /** What is held, and results for the host. */
  readonly #carried: CarriedValues;

  constructor(memory: PoolMemory, roster: ThreadRoster, carried: CarriedValues) {
    this.#memory = memory;
    this.#roster = roster;
    this.#carried = carried;
  }

  // For the host's own jobs.

  hold(carried: Carried): void {
    this.#carried.add(detach(carried, "args"));
  }

  drop(id: number): void {
    this.#carried.drop(id);
  }

  /** One that looks for jobs at this moment, when there are none; else one that sleeps. */
  idleThread(): number {
    const { parking, queues } = this.#memory;
    let asleep = 0;
    for (const thread of this.#roster.staying()) {
      const state = parking.state(thread.index);
      if (state !== SEARCHING && state !== ASLEEP && state !== IDLE) continue;
      if (this.#hasGivenJob(thread)) continue;
      if (state !== SEARCHING) asleep = thread.serial;
      else if (queues.isEmpty()) return thread.serial;
    }
    return asleep;
  }

  give(serial: number, slot: number, id: number): void {
    const thread = this.#roster.withSerial(serial)!;
    const carried = this.#carried.find(id)!;
    thread.givenSlot = slot;
    this.#post(thread, { type: "run", slot, carried }, carried);
  }

  // For threads.

  onHold(carried: Carried): void {
    this.#carried.add(carried);
  }

  onWanted(thread: PoolThread, id: number): void {
    const carried = this.#carried.find(id);
    if (carried === null) this.#post(thread, { type: "carried-gone", id }, null);
    else {
      const { values, transfer } = carried;
      this.#post(thread, { type: "carried", id, values, transfer }, carried);
    }
  }

  onResult({ to, id, values, transfer }: Carried & { readonly to: number }): void {
    const carried: Carried = { id, values, transfer };
    const thread = to === HOST_SERIAL ? null : this.#roster.withSerial(to);
    if (to === HOST_SERIAL) this.#carried.add(carried);
    else if (thread === null) giveUp(carried);
    else this.#post(thread, { type: "carried", id, values, transfer }, carried);
  }

  /** The thread with this serial has ended: nobody waits for the jobs that it submitted. */
  onExit(serial: number): void {
    this.#carried.dropOf(serial);
  }

  /** What is not moved away stays until the job is over: it may run again. */
  #post(thread: PoolThread, message: HostMessage, carried: Carried | null): void {
    if (carried === null || carried.transfer.length === 0) {
      thread.post(message);
    } else {
      thread.post(message, carried.transfer);
      this.#carried.forget(carried.id);
    }
    this.#memory.parking.announceMail(thread.index);
  }

  /** Whether the thread has yet to finish, and perhaps to begin, the job that it was given last. */
  #hasGivenJob({ givenSlot, serial }: PoolThread): boolean {
    const { slots } = this.#memory;
    return givenSlot >= 0 && slots.state(givenSlot) === RUNNING && slots.owner(givenSlot) === serial;
  }
}
