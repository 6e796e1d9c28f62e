/**
 * What both sides need of an endpoint: to post, to hear, and to be told when the other side is gone. Listeners are added in the empty context.
 *
 *   a Worker       ends with its thread; `exit` comes after the last of its messages
 *   a MessagePort  ends when either side closes it, or the thread of the other side ends
 *   anything else  with `addEventListener`, such as what Comlink's adapters give: nothing is told of its end
 */
import { MessagePort, receiveMessageOnPort, type Transferable, Worker } from "node:worker_threads";
import { AsyncScope } from "@skein/context";
import { argumentTypeError } from "@skein/context/errors";
import type { Loss } from "./errors.ts";

/** Where `wrap` and `expose` work: a Worker or MessagePort of `node:worker_threads`, `parentPort`, or an endpoint as Comlink knows it. */
export interface Endpoint {
  postMessage(message: unknown, transfer?: readonly Transferable[]): void;
  // oxlint-disable typescript/no-explicit-any -- what EventTarget, EventEmitter and Comlink's own endpoints have in common
  addEventListener?: (type: any, listener: any, options?: any) => void;
  removeEventListener?: (type: any, listener: any, options?: any) => void;
  on?: (type: any, listener: any) => unknown;
  off?: (type: any, listener: any) => unknown;
  // oxlint-enable typescript/no-explicit-any
  start?: () => void;
}

/** @param origin Of a message from another window; undefined elsewhere. */
export type Hear = (data: unknown, origin: string | undefined) => void;

export interface Link {
  post(message: object, transfer: readonly Transferable[]): void;
  /** @param onUnread Called for a message that cannot be read here. @returns what ends it. */
  hear(listener: Hear, onUnread: () => void): () => void;
  /** Hears at once all that has come. What a port's thread has said may otherwise be read after the news of its end. */
  takeIn(): void;
  /** Calls `listener` once, at once when the other side is gone already. @returns what ends it. */
  onEnd(listener: (loss: Loss) => void): () => void;
  /** Calls wait for their replies: until `letGo` a port of ours keeps the process alive. Others are left as they are. */
  hold(): void;
  letGo(): void;
  /** Closes a MessagePort; a Worker stays. */
  close(): void;
}

const links = new WeakMap<object, Link>();

/**
 * The link of an endpoint of the user's: one for all who use it.
 * @throws TypeError for what cannot be one.
 */
export function linkOf(endpoint: Endpoint): Link {
  let link = links.get(endpoint);
  if (link === undefined) links.set(endpoint, (link = AsyncScope.root.run(makeLink, endpoint)));
  return link;
}

function makeLink(endpoint: Endpoint): Link {
  if (endpoint instanceof MessagePort) return new PortLink(endpoint, false);
  if (endpoint instanceof Worker) return new WorkerLink(endpoint);
  const isEndpoint =
    typeof endpoint === "object" &&
    endpoint !== null &&
    typeof endpoint.postMessage === "function" &&
    typeof endpoint.addEventListener === "function";
  if (isEndpoint) return new TargetLink(endpoint);
  throw argumentTypeError("endpoint", "a Worker, a MessagePort, or another Endpoint of Comlink's", endpoint);
}

/** Tells all who listen that the other side is gone, and those who come later. */
class EndOfLink {
  readonly #listeners = new Set<(loss: Loss) => void>();
  #loss: Loss | null = null;

  on(listener: (loss: Loss) => void): () => void {
    if (this.#loss === null) this.#listeners.add(listener);
    else listener(this.#loss);
    return () => this.#listeners.delete(listener);
  }

  set(loss: Loss): void {
    this.#loss = loss;
    for (const listener of this.#listeners) listener(loss);
    this.#listeners.clear();
  }
}

interface Hearer {
  readonly listener: Hear;
  readonly onUnread: () => void;
}

/** A MessagePort. One of ours keeps the process alive only while calls wait for their replies. */
export class PortLink implements Link {
  readonly #port: MessagePort;
  readonly #isOurs: boolean;
  readonly #end = new EndOfLink();
  readonly #hearers = new Set<Hearer>();
  /** All that has come was heard. Node crashes when a port is read in its `close` event. */
  #isClosed = false;

  /** @param endsWhenClosed false: somebody else tells the calls of the end, who knows more of it. */
  constructor(port: MessagePort, isOurs: boolean, endsWhenClosed: boolean = true) {
    this.#port = port;
    this.#isOurs = isOurs;
    const onClose = (): void => {
      this.#isClosed = true;
      if (endsWhenClosed) this.#end.set({});
    };
    AsyncScope.root.run(() => port.once("close", onClose));
  }

  post(message: object, transfer: readonly Transferable[]): void {
    this.#port.postMessage(message, transfer);
  }

  hear(listener: Hear, onUnread: () => void): () => void {
    const port = this.#port;
    const hearer = { listener, onUnread };
    const onMessage = (data: unknown): void => listener(data, undefined);
    this.#hearers.add(hearer);
    AsyncScope.root.run(() => port.on("messageerror", onUnread).on("message", onMessage));
    if (this.#isOurs) port.unref();
    return () => {
      this.#hearers.delete(hearer);
      port.off("message", onMessage).off("messageerror", onUnread);
    };
  }

  takeIn(): void {
    AsyncScope.root.run(() => {
      while (!this.#isClosed && this.#hearers.size > 0 && this.#takeNext());
    });
  }

  /** @returns whether there was one. */
  #takeNext(): boolean {
    let next: { readonly message: unknown } | undefined;
    try {
      next = receiveMessageOnPort(this.#port);
    } catch {
      for (const { onUnread } of this.#hearers) onUnread();
      return true;
    }
    if (next !== undefined) for (const { listener } of this.#hearers) listener(next.message, undefined);
    return next !== undefined;
  }

  onEnd(listener: (loss: Loss) => void): () => void {
    return this.#end.on(listener);
  }

  hold(): void {
    if (this.#isOurs) this.#port.ref();
  }

  letGo(): void {
    if (this.#isOurs) this.#port.unref();
  }

  close(): void {
    this.#port.close();
  }
}

class WorkerLink implements Link {
  readonly #worker: Worker;
  readonly #end = new EndOfLink();
  #cause: unknown;
  /** How many connections have calls under way. */
  #held = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    // It has none any more when it has ended.
    if (worker.threadId < 0) this.#end.set({});
    worker.on("error", this.#onError);
    worker.once("exit", (exitCode) => this.#end.set({ exitCode, cause: this.#cause }));
  }

  post(message: object, transfer: readonly Transferable[]): void {
    this.#worker.postMessage(message, transfer);
  }

  hear(listener: Hear, onUnread: () => void): () => void {
    const worker = this.#worker;
    const onMessage = (data: unknown): void => listener(data, undefined);
    worker.on("messageerror", onUnread).on("message", onMessage);
    return () => worker.off("message", onMessage).off("messageerror", onUnread);
  }

  /** Node does so before it tells of the end. */
  takeIn(): void {}

  onEnd(listener: (loss: Loss) => void): () => void {
    return this.#end.on(listener);
  }

  hold(): void {
    this.#held++;
  }

  letGo(): void {
    this.#held--;
  }

  close(): void {}

  /** Calls under way tell it, as their cause. Where there is none, and nobody else listens, it stays an uncaught exception. */
  readonly #onError = (error: unknown): void => {
    this.#cause = error;
    if (this.#held === 0 && this.#worker.listenerCount("error") === 1) throw error;
  };
}

class TargetLink implements Link {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  post(message: object, transfer: readonly Transferable[]): void {
    this.#endpoint.postMessage(message, transfer);
  }

  hear(listener: Hear, onUnread: () => void): () => void {
    const endpoint = this.#endpoint;
    const onMessage = (event: { readonly data: unknown; readonly origin?: string } | null): void => {
      if (event) listener(event.data, event.origin);
    };
    // Comlink's adapter for Node takes every type for "message".
    const onError = (event: { readonly type?: string } | null): void => {
      if (event?.type === "messageerror") onUnread();
    };
    AsyncScope.root.run(() => {
      endpoint.addEventListener?.("message", onMessage);
      endpoint.addEventListener?.("messageerror", onError);
    });
    endpoint.start?.();
    return () => {
      endpoint.removeEventListener?.("message", onMessage);
      endpoint.removeEventListener?.("messageerror", onError);
    };
  }

  takeIn(): void {}

  onEnd(): () => void {
    return () => {};
  }

  hold(): void {}
  letGo(): void {}
  close(): void {}
}
