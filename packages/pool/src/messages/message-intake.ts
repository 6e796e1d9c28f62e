/**
 * How a thread takes in the messages of one port: from its event loop, in order; or at once and without waiting, when it meets something
 * that it does not know. Then only knowledge is used right away: an exit or a bell in the middle of settling jobs would settle them
 * a second time.
 *
 * The ports in a message are made when it is received, and keep the context of that moment: always the empty one, whoever asks.
 */
import { AsyncScope } from "@skein/context";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { type HostMessage, isKnowledge, type WorkerMessage } from "./protocol.ts";
import {
  getOwnPropertyDescriptor,
  objectPrototype,
  reflectDefine,
  reflectDelete,
  setPrototypeOf,
} from "../shared/intrinsics.ts";
import { setImmediate } from "../shared/timers.ts";

/** What Node reads from the options of a listener, through their prototypes. */
const optionNames = ["once", "capture", "passive", "signal", "weak"] as const;

/**
 * `port.on` while none of them is on `Object.prototype`, where a `once` would end the listener after one message. `addEventListener` would take
 * options without a prototype, but Node loads much for the first event, and in such surroundings may not be able to.
 */
function listen(
  port: MessagePort,
  type: "message" | "messageerror",
  listener: (value: unknown) => void,
): void {
  const removed: [name: string, descriptor: PropertyDescriptor][] = [];
  for (const name of optionNames) {
    const descriptor = getOwnPropertyDescriptor(objectPrototype, name);
    if (descriptor !== undefined && reflectDelete(objectPrototype, name)) removed.push([name, descriptor]);
  }
  try {
    port.on(type, listener);
  } finally {
    for (const [name, descriptor] of removed) {
      setPrototypeOf(descriptor, null);
      reflectDefine(objectPrototype, name, descriptor);
    }
  }
}

export class MessageIntake<M extends HostMessage | WorkerMessage> {
  readonly #port: MessagePort;
  readonly #handle: (message: M) => void;
  readonly #onUnreadable: () => void;
  readonly #deferred: M[] = [];

  /** @param onUnreadable A message came that this thread cannot take: a carried value that does not exist here. */
  constructor(port: MessagePort, handle: (message: M) => void, onUnreadable: () => void) {
    this.#port = port;
    this.#handle = handle;
    this.#onUnreadable = onUnreadable;
    listen(port, "messageerror", onUnreadable);
    listen(port, "message", (message) => this.#onMessage(message as M));
  }

  #onMessage(message: M): void {
    // A bell that was put off settles jobs: what their results carry may be in this very message, and nowhere else any more.
    if (isKnowledge(message)) this.#handle(message);
    this.#handleDeferred();
    if (!isKnowledge(message)) this.#handle(message);
  }

  /** What has arrived and only adds to what is known; the rest stays for the event loop. */
  takeKnowledge(): void {
    for (let message = this.#receive(); message !== null; message = this.#receive()) {
      if (isKnowledge(message)) this.#handle(message);
      else if (this.#deferred.push(message) === 1)
        AsyncScope.root.run(setImmediate, () => this.#handleDeferred());
    }
  }

  /** Everything that has arrived: for a thread that waits without its event loop, and settles nothing at this moment. */
  takeAll(): void {
    this.#handleDeferred();
    for (let message = this.#receive(); message !== null; message = this.#receive()) this.#handle(message);
  }

  #handleDeferred(): void {
    for (let message = this.#deferred.shift(); message !== undefined; message = this.#deferred.shift()) {
      this.#handle(message);
    }
  }

  #receive(): M | null {
    for (;;) {
      try {
        // Not `run`, which tells those who watch values of the switch: no code of theirs may run here.
        const received = AsyncScope.root.runInAsyncScope(receiveMessageOnPort, undefined, this.#port);
        return (received?.message as M | undefined) ?? null;
      } catch {
        this.#onUnreadable();
      }
    }
  }
}
