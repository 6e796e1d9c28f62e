/** Messages to threads that hear of them at once, though they sleep. What may wait until a thread looks anyway is `post`ed to it (pool-thread.ts). */
import type { HostMessage } from "../messages/protocol.ts";
import type { Parking } from "../shared/parking.ts";
import type { PoolThread } from "./pool-thread.ts";
import type { ThreadRoster } from "./thread-roster.ts";

export class ThreadMail {
  readonly #roster: ThreadRoster;
  readonly #parking: Parking;

  constructor(roster: ThreadRoster, parking: Parking) {
    this.#roster = roster;
    this.#parking = parking;
  }

  send(thread: PoolThread, message: HostMessage): void {
    thread.post(message);
    this.#parking.announceMail(thread.index);
  }

  /** To the thread with this serial, if it has not ended. */
  sendTo(serial: number, message: HostMessage): void {
    const thread = this.#roster.withSerial(serial);
    if (thread !== null) this.send(thread, message);
  }

  sendToAll(message: HostMessage): void {
    for (const thread of this.#roster.live()) this.send(thread, message);
  }
}
