/**
 * Calls over one link, until it is released or the other side is gone. Each call settles once: by its reply, or the news that it or the call could
 * not be read, by its signal or deadline, or the end of the link.
 *
 * | state     | means                                                    | goes on                                              |
 * | --------- | -------------------------------------------------------- | ---------------------------------------------------- |
 * | OPEN      | calls are posted                                         | to DRAINING by `release`; to ENDED                   |
 * | DRAINING  | no new calls; those under way have their replies         | to RELEASING after the last of them; to ENDED        |
 * | RELEASING | RELEASE was posted                                       | to ENDED by its reply                                |
 * | ENDED     | nothing is posted or heard; calls reject with why it was |                                                      |
 *
 * From every state the end of the other side leads to ENDED.
 */
import type { Transferable } from "node:worker_threads";
import { AsyncScope, ExecutionContext } from "@skein/context";
import { CallState } from "@skein/pool/engine";
import { TimeoutError } from "@skein/scheduling";
import { type CallOptions, cancellationOf, onCancel } from "./call-options.ts";
import { callLost, type Loss, released, unread } from "./errors.ts";
import { newIdPrefix } from "./ids.ts";
import { drop, received } from "./incoming-values.ts";
import type { Link } from "./link.ts";
import { OutgoingValues } from "./outgoing-values.ts";
import { SentSignals } from "./sent-signals.ts";
import { decodeThrown } from "./thrown.ts";
import { clearTimeout, queueMicrotask, setTimeout } from "./timers.ts";
import {
  type CallMessage,
  type Doors,
  isReply,
  isUnreadMessage,
  type ReplyMessage,
  type UnreadMessage,
  type WireValue,
} from "./wire.ts";
import { Promise } from "./intrinsics.ts";

/** What a CallEndpoint sends calls to. */
export interface CallTarget {
  /** Posts the call now, in the caller's context. `settle` is called once, perhaps before this returns. Never throws. */
  call(call: OutgoingCall): void;
  /** Resolves when all calls under way have settled, and the other side knows; or is gone. */
  release(): Promise<void>;
}

export interface OutgoingCall {
  readonly message: CallMessage;
  /** What Comlink lists. */
  readonly transfer: readonly Transferable[];
  readonly options: CallOptions;
  readonly settle: (outcome: Outcome) => void;
}

/** The value that came, or what the call rejects with. */
export type Outcome = { readonly reply: WireValue } | { readonly error: unknown };

interface CallUnderWay {
  readonly settle: (outcome: Outcome) => void;
  /** Timer and listener. */
  stop: (() => void) | null;
}

const OPEN = 0;
const DRAINING = 1;
const RELEASING = 2;
const ENDED = 3;

export class Calls implements CallTarget {
  readonly #link: Link;
  readonly #doors: Doors;
  readonly #signals: SentSignals;
  /** Others may call over the same link: replies to them are none of ours. */
  readonly #idPrefix = newIdPrefix();
  #lastId = 0;
  readonly #underWay = new Map<string, CallUnderWay>();
  readonly #stopHearing: () => void;
  readonly #stopWatching: () => void;
  readonly #ended = Promise.withResolvers<void>();
  #state: typeof OPEN | typeof DRAINING | typeof RELEASING | typeof ENDED = OPEN;
  /** What a call rejects with that comes too late, or is under way when the link ends. */
  #refusal: () => Error = released;
  #releaseId = "";

  constructor(link: Link, doors: Doors) {
    this.#link = link;
    this.#doors = doors;
    this.#signals = new SentSignals(this.#idPrefix, (message, transfer) => {
      if (this.#state !== ENDED) link.post(message, transfer);
    });
    this.#stopHearing = link.hear(
      (data) => {
        if (isReply(data)) this.#onReply(data);
        else if (isUnreadMessage(data)) this.#onUnread(data);
      },
      () => this.#askForMissing(),
    );
    let stop = (): void => {};
    this.#stopWatching = () => stop();
    stop = link.onEnd((loss) => this.lose(loss));
  }

  /** How many calls are under way. */
  get size(): number {
    return this.#underWay.size;
  }

  get isOpen(): boolean {
    return this.#state === OPEN;
  }

  get #isEnded(): boolean {
    return this.#state === ENDED;
  }

  call({ message, transfer, options, settle }: OutgoingCall): void {
    if (this.#state !== OPEN) {
      settle({ error: this.#refusal() });
      return;
    }
    const { signal, timeoutMs } = options;
    const canceled = signal === undefined ? null : cancellationOf(signal);
    if (canceled !== null) {
      settle({ error: canceled });
      return;
    }
    const id = this.#nextId();
    const values = new OutgoingValues(this.#doors, this.#signals, transfer);
    const state = signal === undefined && timeoutMs === undefined ? null : new CallState();
    try {
      const context = ExecutionContext.capture()?.toCarrier() ?? null;
      const { argumentList, value } = message;
      const complete = {
        ...message,
        id,
        ...(argumentList !== undefined && { argumentList: argumentList.map((each) => values.send(each)) }),
        ...(value !== undefined && { value: values.send(value) }),
        skein: { context, state: state === null ? null : state.words },
      };
      if (this.#state < RELEASING) this.#link.post(complete, values.transfer);
    } catch (error) {
      values.drop();
      settle({ error });
      return;
    }
    // A getter of the arguments has released it, perhaps while they were posted: nobody would answer.
    if (this.#state >= RELEASING) {
      values.drop();
      settle({ error: this.#refusal() });
      return;
    }
    if (this.#underWay.size === 0) this.#link.hold();
    const call: CallUnderWay = { settle, stop: null };
    this.#underWay.set(id, call);
    if (state === null) return;
    try {
      const stop = this.#watch(id, message.path, options, state);
      if (this.#underWay.has(id)) call.stop = stop;
      // The signal has fired while the arguments were read.
      else stop();
    } catch (error) {
      // Of a signal that takes no listener.
      state.giveUp();
      this.#settle(id, { error });
    }
  }

  release(): Promise<void> {
    if (this.#state === OPEN) {
      this.#state = DRAINING;
      if (this.#underWay.size === 0) this.#postRelease();
    }
    return this.#ended.promise;
  }

  /** The other side is gone. @param refusal what each call rejects with */
  lose(loss: Loss, refusal: () => Error = () => callLost(loss)): void {
    // What it has said comes before its end.
    if (!this.#isEnded) this.#link.takeIn();
    this.refuse(refusal);
  }

  /** What the other side may still say is of no use. */
  refuse(refusal: () => Error): void {
    if (this.#isEnded) return;
    this.#refusal = refusal;
    this.#end();
  }

  #nextId(): string {
    return `${this.#idPrefix}${++this.#lastId}`;
  }

  #watch(
    id: string,
    path: readonly string[] | undefined,
    { signal, timeoutMs }: CallOptions,
    state: CallState,
  ): () => void {
    const giveUp = (error: Error): void => {
      state.giveUp();
      this.#settle(id, { error });
    };
    const stopListening =
      signal === undefined ? null : onCancel(signal, () => giveUp(cancellationOf(signal)!));
    const timer =
      timeoutMs === undefined || timeoutMs === Infinity
        ? null
        : AsyncScope.root.run(
            setTimeout,
            () =>
              giveUp(new TimeoutError(`The call of ${nameOf(path)} has not settled within ${timeoutMs} ms`)),
            timeoutMs,
          );
    return () => {
      if (timer !== null) clearTimeout(timer);
      if (stopListening !== null) unlisten(stopListening);
    };
  }

  #onReply(message: ReplyMessage): void {
    if (!message.id.startsWith(this.#idPrefix)) return;
    if (message.id === this.#releaseId) {
      if (this.#state === RELEASING) this.#end();
      return;
    }
    if (!this.#underWay.has(message.id)) {
      // Its caller has given it up.
      drop(message);
      return;
    }
    const { skein } = message;
    if (skein !== undefined) {
      this.#settle(message.id, { error: decodeThrown(skein) });
      return;
    }
    this.#settle(message.id, { reply: received(message, this.#doors, null) });
  }

  #onUnread(message: UnreadMessage): void {
    if (message.skein === "unread") this.#askForMissing();
    else if (message.skein === "lost") for (const id of message.calls) this.#settle(id, { error: unread() });
  }

  /** A message between the two ends was lost, and a call of ours may wait for it. */
  #askForMissing(): void {
    const calls = [...this.#underWay.keys()];
    if (calls.length > 0) this.#link.post({ skein: "missing", calls } satisfies UnreadMessage, []);
  }

  #settle(id: string, outcome: Outcome): void {
    const call = this.#underWay.get(id);
    if (call === undefined) return;
    this.#underWay.delete(id);
    if (this.#underWay.size === 0) {
      this.#link.letGo();
      if (this.#state === DRAINING) this.#postRelease();
    }
    call.settle(outcome);
    call.stop?.();
  }

  #postRelease(): void {
    this.#state = RELEASING;
    this.#link.hold();
    this.#releaseId = this.#nextId();
    this.#link.post({ id: this.#releaseId, type: "RELEASE" }, []);
  }

  #end(): void {
    const wasHeld = this.#underWay.size > 0 || this.#state === RELEASING;
    this.#state = ENDED;
    this.#stopHearing();
    this.#stopWatching();
    this.#signals.close();
    if (wasHeld) this.#link.letGo();
    this.#link.close();
    const calls = [...this.#underWay.values()];
    this.#underWay.clear();
    for (const { settle, stop } of calls) {
      settle({ error: this.#refusal() });
      stop?.();
    }
    this.#ended.resolve();
  }
}

/** The signal may be any object of the program's: what it throws here holds up no call. */
function unlisten(stopListening: () => void): void {
  try {
    stopListening();
  } catch (error) {
    AsyncScope.root.run(queueMicrotask, () => {
      throw error;
    });
  }
}

function nameOf(path: readonly string[] = []): string {
  return path.length === 0 ? "the function" : `\`${path.join(".")}\``;
}
