/**
 * An object on a thread of a pool, from here: its home is a job that constructs it over a port and ends with it.
 *
 * | state    | means                                                          | goes on                                             |
 * | -------- | -------------------------------------------------------------- | --------------------------------------------------- |
 * | WAITING  | calls wait, behind the one that constructs                     | to HOUSED by `moveIn`; to GONE by `abandon`         |
 * | HOUSED   | it has a home: calls go there, behind the one that constructs  | to LEAVING by `release`; to GONE; to WAITING: when  |
 * |          |                                                                | its thread dies, for a new home, if it restarts     |
 * | LEAVING  | calls under way have their replies, then its home ends         | to GONE                                             |
 * | GONE     | its home has ended                                             |                                                     |
 */
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { AsyncScope, type ContextCarrier, ExecutionContext } from "@skein/context";
import { type Job, PoolClosedError, ThreadCrashedError, ThreadPool } from "@skein/pool";
import { type JobEngine, onClosing } from "@skein/pool/engine";
import { CallEndpoint, proxyOf } from "./call-endpoint.ts";
import { Calls, type CallTarget, type OutgoingCall } from "./calls.ts";
import { doors } from "./doors.ts";
import { callLost } from "./errors.ts";
import { PortLink } from "./link.ts";
import { mustChoose, onAnyThread, onThreads, type Place, settleOn } from "./homes.ts";
import type { home } from "./home.ts";
import { AbortController, Promise } from "./intrinsics.ts";

/** What a home is made of, each time. */
export interface Blueprint {
  readonly pool: JobEngine;
  readonly home: Job<Parameters<typeof home>, Promise<void>>;
  readonly url: string;
  readonly name: string;
  readonly args: readonly unknown[];
  /** The context in which it is constructed. */
  readonly context: ContextCarrier | null;
  readonly restarts: boolean;
}

export class ThreadObject implements CallTarget {
  readonly #blueprint: Blueprint;
  #calls: Calls;
  /** What its next home, or that of now, finds at the other end of the calls. */
  #port: MessagePort;
  /** Of that home. */
  #constructed: Promise<void>;
  /** Ends its home, begun or not, when it cannot be constructed. */
  #homeEnd: AbortController;
  /** Resolves when the home has ended for good, with what went wrong there. */
  readonly #gone = Promise.withResolvers<{ readonly error: unknown } | null>();
  readonly #stopWatching: () => void;
  /** Null: any thread may take it, and none has told that it did. */
  #place: Place | null = null;
  #isConstructed = false;
  #release: Promise<void> | null = null;

  /** Reads the arguments. One of `moveIn` and `abandon` has to follow. */
  constructor(blueprint: Blueprint) {
    this.#blueprint = blueprint;
    this.#homeEnd = new AbortController();
    const { calls, port } = connect();
    this.#calls = calls;
    this.#port = port;
    this.#constructed = this.#construct();
    this.#stopWatching = onClosing(blueprint.pool, () => void this.release().catch(() => {}));
  }

  /**
   * @param place Of its home; null: wherever the pool has room.
   * @returns when it is constructed; rejects with why it cannot be.
   */
  async moveIn(place: Place | null): Promise<this> {
    this.#place = place;
    this.#runHome();
    await (place === null ? onAnyThread(this.#blueprint.pool, this.#constructed) : this.#constructed);
    return this;
  }

  /** There is no thread for it. */
  abandon(error: unknown): void {
    this.#port.close();
    this.#onEnded(this.#calls, { error });
  }

  /** How many calls are under way. */
  get size(): number {
    return this.#calls.size;
  }

  /** Whether it takes calls. */
  get isOpen(): boolean {
    return this.#calls.isOpen;
  }

  call(call: OutgoingCall): void {
    this.#calls.call(call);
  }

  /** @returns rejects with what its disposer has thrown. */
  release(): Promise<void> {
    this.#release ??= this.#leave();
    return this.#release;
  }

  async #leave(): Promise<void> {
    await this.#calls.release();
    const failure = await this.#gone.promise;
    if (failure !== null && !(failure.error instanceof ThreadCrashedError)) throw failure.error;
  }

  #runHome(): void {
    const { pool, home, url, name } = this.#blueprint;
    const { signal } = this.#homeEnd;
    const calls = this.#calls;
    const port = this.#port;
    AsyncScope.root.run(() => {
      const ended = pool.run(home, [port, url, name], {
        thread: this.#place?.thread,
        flowContext: false,
        signal,
        transfer: [port],
      });
      // Of the caller's nothing is kept, his SynchronizationContext neither.
      ended.configureAwait({ continueOnCapturedContext: false }).then(
        () => this.#onEnded(calls, null),
        (error: unknown) => this.#onEnded(calls, signal.aborted ? null : { error }),
      );
    });
  }

  /** Who has asked for it learns of a failure. */
  #construct(): Promise<void> {
    const constructed = this.#constructThere();
    constructed.catch(() => {});
    return constructed;
  }

  async #constructThere(): Promise<void> {
    const calls = this.#calls;
    const homeEnd = this.#homeEnd;
    const endpoint = new CallEndpoint(calls, [], {}, this);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the home exposes first
    const Class = proxyOf(endpoint) as new (...args: unknown[]) => PromiseLike<number>;
    const { pool, args, context } = this.#blueprint;
    try {
      const threadId = await ExecutionContext.run(
        ExecutionContext.fromCarrier(context),
        () => new Class(...args),
      );
      this.#isConstructed = true;
      this.#place ??= settleOn(pool, threadId);
    } catch (error) {
      // Before the port closes: a job cannot begin with one that is closed.
      homeEnd.abort();
      // There, calls behind this one find no object.
      calls.refuse(() => error as Error);
      throw error;
    }
  }

  #onEnded(calls: Calls, failure: { readonly error: unknown } | null): void {
    const crash = failure !== null && failure.error instanceof ThreadCrashedError ? failure.error : null;
    calls.lose({}, () => {
      if (crash !== null) return callLost(crash);
      if (failure !== null) return failure.error as Error;
      return new PoolClosedError("The pool was closed before this call had settled");
    });
    const wasConstructed = this.#isConstructed;
    this.#isConstructed = false;
    this.#place?.leave();
    this.#place = null;
    if (crash !== null && this.#blueprint.restarts && wasConstructed && this.#release === null) {
      this.#restart();
      return;
    }
    this.#stopWatching();
    this.#gone.resolve(failure);
  }

  #restart(): void {
    const { pool } = this.#blueprint;
    this.#homeEnd = new AbortController();
    const { calls, port } = connect();
    this.#calls = calls;
    this.#port = port;
    this.#constructed = this.#construct();
    // Who calls it learns of a failure.
    if (pool instanceof ThreadPool && mustChoose(pool)) void this.#restartOnOwn(pool);
    else this.moveIn(null).catch(() => {});
  }

  /** On a thread that nobody else has chosen, who would wait behind it for ever. */
  async #restartOnOwn(pool: ThreadPool): Promise<void> {
    try {
      await onThreads(pool, 1, ([place]) => this.moveIn(place ?? null).catch(() => {}));
    } catch (error) {
      // The pool was closed, say.
      this.abandon(error);
    }
  }
}

/** @returns calls, and the port of the home that they will find at its other end */
function connect(): { calls: Calls; port: MessagePort } {
  return AsyncScope.root.run(() => {
    const { port1, port2 } = new MessageChannel();
    return { calls: new Calls(new PortLink(port1, true, false), doors), port: port2 };
  });
}
