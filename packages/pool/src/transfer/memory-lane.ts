/**
 * A port of its own for moved memory, one way, beside the control port. The receiver takes one message at a time, when it needs that: what
 * waits in a port is attached to no heap, so V8 neither counts it nor collects on its account. Whatever names the number of the memory, a slot
 * or a message, is sent after it: who meets the number finds the memory here.
 *
 * | state  | the memory is in                           | counts for | goes on                                                           |
 * | ------ | ------------------------------------------ | ---------- | ----------------------------------------------------------------- |
 * | HELD   | the host's CarriedValues                   | the host   | to PARKED when its job waits, SENT, TAKEN by a message; or freed  |
 * | PARKED | the lane of the host to itself             | nobody     | to HELD when it, or what was parked after it, is sent or dropped  |
 * | SENT   | the lane to a thread, named by a slot in a | nobody     | to TAKEN when its job, or one sent after it, begins, is over, or  |
 * |        | later "handed-memory"                      |            | is given back                                                     |
 * | TAKEN  | the thread's CarriedValues                 | the thread | to its job; to HELD by "returned"; freed when its job is canceled |
 * | RESULT | the lane of a thread to the host, named by | nobody     | to whoever awaits the job, or the item, when that slot or frame,  |
 * |        | a slot that is linked later, or a frame of |            | or one behind it, is read; freed when the job was given up        |
 * |        | a stream that is written later             |            |                                                                   |
 *
 * Messages leave a port in order, slots and frames are read in any: what lay before the one that is wanted is kept beside it, so each is found
 * once. When a thread has ended, the host reads every slot that it had finished and every stream, then closes both lanes: what none of these
 * names goes with them. What was SENT ends with the thread, as its jobs do; what was HELD or PARKED runs elsewhere.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { AsyncScope } from "@skein/context";
import { isArrayBuffer } from "../codec/brand-checks.ts";
import type { Carried } from "../codec/carried.ts";
import { byteLengthOf } from "../shared/intrinsics.ts";

type LaneMessage = readonly [id: number, values: readonly ArrayBuffer[]];

/** Whoever keeps what was taken. */
export interface TakenMemory {
  add(carried: Carried): void;
}

/** From here on it is noticed that V8 counts it; below, a message more costs more than that. */
const LARGE_BYTES = 256 << 10;

/** Whether these are ArrayBuffers, and nothing else. */
export function isMemory({ values, transfer }: Carried): boolean {
  return transfer.length > 0 && bytesOf(values) >= 0 && bytesOf(transfer) >= 0;
}

export function isLargeMemory(carried: Carried): boolean {
  return isMemory(carried) && bytesOf(carried.transfer) >= LARGE_BYTES;
}

/** Negative when there is anything but ArrayBuffers. */
function bytesOf(objects: readonly unknown[]): number {
  let bytes = 0;
  for (let i = 0; i < objects.length; i++) {
    const object = objects[i];
    if (!isArrayBuffer(object)) return -1;
    bytes += byteLengthOf(object);
  }
  return bytes;
}

export class LaneSender {
  readonly #open: (port: MessagePort) => void;
  #port: MessagePort | null = null;

  /** @param open Posts the other end to the receiver. Called once, at the first message. */
  constructor(open: (port: MessagePort) => void) {
    this.#open = open;
  }

  /** @throws what Node says when it refuses to move it. Nothing was sent then. */
  send({ id, values, transfer }: Carried): void {
    this.#port ??= this.#begin();
    this.#port.postMessage([id, values], transfer);
  }

  #begin(): MessagePort {
    // Of nobody's request.
    const { port1, port2 } = AsyncScope.root.run(() => new MessageChannel());
    this.#open(port2);
    return port1;
  }

  close(): void {
    this.#port?.close();
  }
}

export class LaneReceiver {
  #port: MessagePort | null = null;

  opened(port: MessagePort): void {
    this.#port = port;
  }

  /** Takes in what was sent up to the memory with this number. @returns false: it is not there, and nothing is left. */
  takeUpTo(id: number, carried: TakenMemory): boolean {
    if (this.#port === null) return false;
    for (;;) {
      const next = receiveMessageOnPort(this.#port);
      if (next === undefined) return false;
      const { message } = next as { readonly message: LaneMessage };
      carried.add({ id: message[0], values: message[1], transfer: message[1] });
      if (message[0] === id) return true;
    }
  }

  /** The sender has ended. */
  close(): void {
    this.#port?.close();
  }
}
