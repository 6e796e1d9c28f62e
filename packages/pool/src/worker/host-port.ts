/** What this thread posts to the host, and what it moves there. */
import type { MessagePort } from "node:worker_threads";
import type { Carried } from "../codec/carried.ts";
import type { HandedJob, WorkerMessage } from "../messages/protocol.ts";
import { HOST_SERIAL } from "../shared/pool-memory.ts";
import { refusal } from "../transfer/detach.ts";
import { isMemory, LaneSender } from "../transfer/memory-lane.ts";

export class HostPort {
  readonly #port: MessagePort;
  /** For the memory of results, and of items. */
  readonly #lane: LaneSender;

  constructor(port: MessagePort) {
    this.#port = port;
    this.#lane = new LaneSender((end) => {
      port.postMessage({ type: "lane", port: end } satisfies WorkerMessage, [end]);
    });
  }

  post(message: WorkerMessage): void {
    this.#port.postMessage(message);
  }

  /** For the submitter with the serial `to`, or for a thread that reads what this one submits. Throws what Node says when it refuses a value. */
  carry(to: number, { id, values, transfer }: Carried): void {
    this.#port.postMessage({ type: "carried", to, id, values, transfer } satisfies WorkerMessage, transfer);
  }

  /** The same for what a job gives back: a result, or an item of a stream. */
  carryBack(to: number, values: Carried): void {
    if (to === HOST_SERIAL && isMemory(values)) this.#lane.send(values);
    else this.carry(to, values);
  }

  /** What a job that this thread submits carries stays with the host until a thread has the job. @throws NotCloneableError; nothing was taken then. */
  hold({ id, values, transfer }: Carried): void {
    try {
      this.#port.postMessage({ type: "hold", id, values, transfer } satisfies WorkerMessage, transfer);
    } catch (error) {
      throw refusal(error, "args");
    }
  }

  /** Jobs that were handed to this thread, and not begun. */
  giveBack(jobs: readonly HandedJob[]): void {
    const transfer = jobs.flatMap((job) => job.carried.transfer);
    this.#port.postMessage({ type: "returned", jobs } satisfies WorkerMessage, transfer);
  }
}
