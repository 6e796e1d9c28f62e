/** The owner's end of shared memory: takes what other threads pushed, and gives it to the slots as far as they have room. */
import { AsyncScope, CarriedScope, ExecutionContext } from "@skein/context";
import type { ContextCarrier } from "@skein/context";
import type { PushScope } from "./context-of.ts";
import { decodeItem } from "./item-codec.ts";
import { whenSettled } from "./native-promise.ts";
import { nextTurn } from "./node-time.ts";
import type { ResolvedOptions } from "./options.ts";
import type { ProducerHandle } from "./shared-producer.ts";
import { Bell, BELL_BYTES } from "./shared/bell.ts";
import { SegmentReader } from "./shared/segment.ts";
import type { SlotQueue } from "./slot-queue.ts";

const { process } = globalThis;

/** Where items go. */
export interface InletTarget<T> {
  put(queue: SlotQueue<T>, item: T, scope: PushScope | null): void;
  /** An item that cannot be decoded. */
  fail(queue: SlotQueue<T>, error: unknown): void;
}

interface Channel<T> {
  readonly queue: SlotQueue<T>;
  readonly reader: SegmentReader;
  /** Taken, and not yet given to the slot, which has no room. Stays in shared memory, where it holds off the producers. */
  readonly parked: number[];
  parkedFrom: number;
}

const KNOWN_SCOPES = 256;

/** Inlets that listen: they look once more when the event loop has nothing else to do, since no wait of theirs keeps it alive. */
const listening = new Set<{ look(): void }>();
function lookBeforeExit(): void {
  for (const inlet of listening) inlet.look();
}

export class SharedInlet<T> {
  readonly #options: ResolvedOptions<T>;
  readonly #target: InletTarget<T>;
  readonly #control = new SharedArrayBuffer(BELL_BYTES);
  readonly #bell = new Bell(this.#control);
  readonly #channels: Channel<T>[] = [];
  readonly #bySlot: (Channel<T> | undefined)[] = [];
  readonly #scopes = new Map<ContextCarrier, CarriedScope>();
  readonly #onBell: (how: unknown) => void;
  readonly #onTurn: () => void;
  #isListening = false;
  /** A wait is under way: it cannot be cancelled, so there is no second one. */
  #isWaiting = false;
  #isTurnQueued = false;

  constructor(options: ResolvedOptions<T>, target: InletTarget<T>) {
    this.#options = options;
    this.#target = target;
    this.#onBell = (how) => {
      this.#isWaiting = false;
      if (!this.#isListening) return;
      if (how === "timed-out") {
        this.#audit();
        // Nobody has pushed for a while: their contexts are not kept.
        this.#scopes.clear();
      }
      this.look();
    };
    this.#onTurn = () => {
      this.#isTurnQueued = false;
      if (this.#isListening) this.look();
    };
  }

  handleFor(queue: SlotQueue<T>, isOpen: boolean): ProducerHandle {
    const { flowContext, sharedBytes } = this.#options;
    let channel = this.#bySlot[queue.index];
    if (channel === undefined) {
      channel = { queue, reader: new SegmentReader(sharedBytes), parked: [], parkedFrom: 0 };
      this.#bySlot[queue.index] = channel;
      this.#channels.push(channel);
      if (!isOpen) channel.reader.arrivals.close(channel.parked);
    }
    const segment = channel.reader.buffer;
    return {
      kind: "skein:producer",
      slot: queue.index,
      flowContext,
      sharedBytes,
      bell: this.#control,
      segment,
    };
  }

  /** Takes what is there, and from now on what comes. */
  listen(): void {
    for (const { reader } of this.#channels) reader.arrivals.open();
    this.#isListening = true;
    if (listening.size === 0) process.on("beforeExit", lookBeforeExit);
    listening.add(this);
    this.look();
  }

  /** Gives all that was accepted to the slots, whatever their capacity; nothing is accepted from here on. */
  close(): void {
    for (const channel of this.#channels) {
      channel.reader.arrivals.close(channel.parked);
      this.#admit(channel, Infinity);
    }
    this.#isListening = false;
    this.#scopes.clear();
    listening.delete(this);
    if (listening.size === 0) process.off("beforeExit", lookBeforeExit);
    this.#bell.wake();
  }

  /** The slot has room again. @returns whether an item was waiting for it. */
  admitOne(slot: number): boolean {
    const channel = this.#bySlot[slot];
    if (channel === undefined || channel.parked.length === channel.parkedFrom) return false;
    this.#admit(channel, 1);
    return true;
  }

  /** Takes what is there, then goes to sleep, or looks again in the next turn: whoever pushes without pause must not stop this one. */
  look(): void {
    const { capacity } = this.#options;
    for (const channel of this.#channels) {
      channel.reader.arrivals.takeAll(channel.parked);
      if (channel.parked.length > 0) this.#admit(channel, capacity - channel.queue.pending);
    }
    this.#bell.announceSleep();
    if (this.#channels.every(({ reader }) => reader.arrivals.isEmpty())) {
      if (!this.#isWaiting) AsyncScope.root.run(() => this.#wait());
      return;
    }
    this.#bell.wake();
    this.#lookNextTurn();
  }

  /** Under the empty context, where the continuation stays. */
  #wait(): void {
    const rung = this.#bell.whenRung();
    if (rung === null) {
      // It rang already.
      this.#lookNextTurn();
      return;
    }
    whenSettled(rung, this.#onBell);
    this.#isWaiting = true;
  }

  #lookNextTurn(): void {
    if (this.#isTurnQueued) return;
    AsyncScope.root.run(nextTurn, this.#onTurn);
    this.#isTurnQueued = true;
  }

  #admit(channel: Channel<T>, room: number): void {
    const { parked } = channel;
    const end = Math.min(parked.length, channel.parkedFrom + Math.max(0, room));
    for (let i = channel.parkedFrom; i < end; i++) this.#accept(channel, parked[i]!);
    channel.parkedFrom = end;
    // What was given away goes when it is more than half: the list of a slot that always has some must not grow for ever.
    if (end * 2 > parked.length) {
      parked.splice(0, end);
      channel.parkedFrom = 0;
    }
  }

  #accept({ queue, reader }: Channel<T>, block: number): void {
    try {
      const value: unknown = decodeItem(reader.read(block));
      if (this.#options.flowContext) {
        const [item, carrier] = value as [T, ContextCarrier | null];
        this.#target.put(queue, item, this.#scopeOf(carrier));
      } else {
        this.#target.put(queue, value as T, null);
      }
    } catch (error) {
      this.#target.fail(queue, error);
    }
  }

  #scopeOf(carrier: ContextCarrier | null): PushScope {
    if (carrier === null) return AsyncScope.root;
    let scope = this.#scopes.get(carrier);
    if (scope === undefined) {
      scope = new CarriedScope(ExecutionContext.fromCarrier(carrier));
      if (this.#scopes.size === KNOWN_SCOPES) this.#scopes.clear();
      this.#scopes.set(carrier, scope);
    }
    return scope;
  }

  #audit(): void {
    for (const { reader, parked } of this.#channels) {
      if (parked.length === 0 && reader.arrivals.isEmpty()) reader.audit.run();
    }
  }
}
