/**
 * The life of memories over a host and its threads, whose messages arrive late: seeded schedules of what each may do next, over the real
 * parts, with threads that are killed between any two steps and that take in no message for long. After each step every payload under way can be read.
 */
import { describe, expect, it } from "vitest";
import { ArenaMemories } from "../../src/host/arena-memories.ts";
import { type ArenaMemory, Arenas } from "../../src/shared/arenas.ts";
import { HOST_SERIAL } from "../../src/shared/pool-memory.ts";
import { type MemorySource, Payloads } from "../../src/shared/payloads.ts";
import { MemoryRequests } from "../../src/worker/memory-requests.ts";
import { seededRandom } from "../shared/seeded-random.ts";
import { timeLimit } from "../../../../test/support/time-limit.ts";

const SCHEDULES = 60;
const STEPS = 400;
const MiB = 1 << 20;

interface Payload {
  readonly from: Thread;
  /** Null: anybody, as arguments are. Freed by their owner. */
  readonly to: Thread | null;
  readonly handle: number;
  readonly arena: number;
  readonly block: number;
  readonly length: number;
  readonly value: number;
}

interface Thread {
  readonly serial: number;
  readonly arenas: Arenas;
  readonly payloads: Payloads;
  /** Posted to this thread and not taken in. */
  readonly inbox: (() => void)[];
  /** Posted by it to the host. */
  readonly outbox: (() => void)[];
}

class World {
  readonly random: () => number;
  readonly threads: Thread[] = [];
  readonly underWay: Payload[] = [];
  readonly host: Thread;
  readonly memories: ArenaMemories;
  replaced = 0;
  #lastSerial = 0;
  #value = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    const arenas = new Arenas(() => this.takeAllOutboxes());
    this.memories = new ArenaMemories(arenas, {
      serials: () => this.threads.map(({ serial }) => serial),
      known: (to, arena) => this.post(to, ({ arenas: own }) => own.add(arena)),
      granted: (to, arena) =>
        this.post(to, (thread) => {
          thread.arenas.add(arena);
          this.requestsOf.get(thread)!.granted();
          thread.payloads.adopt(arena);
        }),
      gone: (to, id) =>
        this.post(to, (thread) => {
          thread.arenas.drop(id);
          thread.outbox.push(() => this.memories.onDropped(thread.serial));
        }),
    });
    const source: MemorySource = {
      request: (bytes) => this.memories.request(bytes),
      gone: (id) => {
        this.replaced++;
        this.memories.gone(id);
      },
      grown: () => {},
    };
    const payloads = new Payloads(this.memories.create(HOST_SERIAL, false), source);
    this.host = { serial: HOST_SERIAL, arenas, payloads, inbox: [], outbox: [] };
  }

  readonly requestsOf = new Map<Thread, MemoryRequests>();

  start(): void {
    const serial = ++this.#lastSerial;
    const first = this.memories.create(serial, false);
    const inbox: (() => void)[] = [];
    const outbox: (() => void)[] = [];
    const arenas = new Arenas(() => inbox.splice(0).forEach((take) => take()));
    const known: readonly ArenaMemory[] = [...this.host.arenas.entries()];
    for (const arena of known) arenas.add(arena);
    const requests = new MemoryRequests(
      (bytes) => outbox.push(() => this.memories.onWanted(serial, bytes)),
      (id) => {
        this.replaced++;
        outbox.push(() => this.memories.gone(id));
      },
      () => {},
    );
    const thread: Thread = { serial, arenas, payloads: new Payloads(first, requests), inbox, outbox };
    this.requestsOf.set(thread, requests);
    this.threads.push(thread);
  }

  post(serial: number, take: (thread: Thread) => void): void {
    const thread = this.threads.find((each) => each.serial === serial);
    thread?.inbox.push(() => take(thread));
  }

  takeAllOutboxes(): void {
    for (const { outbox } of this.threads) outbox.splice(0).forEach((take) => take());
  }

  any<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.random() * list.length)];
  }

  send(from: Thread, to: Thread | null): void {
    const length = this.random() < 0.1 ? 20 * MiB : 200 + Math.floor(this.random() * 5000);
    const value = (this.#value = (this.#value + 1) & 0xff);
    const handle = from.payloads.allocate(length);
    const [bytes, at] = [from.payloads.bytes(handle), from.payloads.offset(handle)];
    bytes[at] = bytes[at + length - 1] = value;
    const [arena, block] = [from.payloads.arenaOf(handle), from.payloads.blockOf(handle)];
    this.underWay.push({ from, to, handle, arena, block, length, value });
  }

  /** @returns whether the payload is what was sent. */
  isReadable({ arena, block, length, value }: Payload, reader: Thread): boolean {
    const bytes = reader.arenas.bytes(arena, block, length);
    return bytes[block * 8] === value && bytes[block * 8 + length - 1] === value;
  }

  assertReadable(payload: Payload, reader: Thread): void {
    if (!this.isReadable(payload, reader)) throw new Error(`thread ${reader.serial} reads another payload`);
  }

  finish(payload: Payload): void {
    this.underWay.splice(this.underWay.indexOf(payload), 1);
    const { from, to, arena, block, handle } = payload;
    if (to === null) from.payloads.free(handle);
    else to.arenas.giveBack(arena, block);
  }

  kill(thread: Thread): void {
    this.threads.splice(this.threads.indexOf(thread), 1);
    // What it had posted is taken in; what it sent to the host is read; what it had is given up.
    thread.outbox.splice(0).forEach((take) => take());
    for (const payload of this.underWay.slice()) {
      if (payload.from === thread || payload.to === thread) {
        if (payload.to === this.host) this.assertReadable(payload, this.host);
        this.underWay.splice(this.underWay.indexOf(payload), 1);
        // The host gives back what a dead thread was to read (orphaned-slots.ts).
        if (payload.from !== thread && this.host.arenas.has(payload.arena))
          this.host.arenas.giveBack(payload.arena, payload.block);
      }
    }
    this.memories.ended(thread.serial);
    for (const other of this.threads) this.post(other.serial, ({ arenas }) => arenas.dropOf(thread.serial));
  }

  step(): void {
    const choice = this.random();
    const thread = this.any(this.threads);
    const payload = this.any(this.underWay);
    if (thread === undefined || (choice < 0.03 && this.threads.length < 3)) this.start();
    else if (choice < 0.05) this.kill(thread);
    else if (choice < 0.2) this.send(this.host, null);
    else if (choice < 0.4)
      this.send(thread, this.random() < 0.5 ? this.host : (this.any(this.threads) ?? null));
    else if (choice < 0.6 && payload !== undefined) {
      const reader = payload.to ?? thread;
      this.assertReadable(payload, reader);
      this.finish(payload);
    } else if (choice < 0.7) thread.inbox.shift()?.();
    else if (choice < 0.8) thread.outbox.shift()?.();
    else if (choice < 0.9) thread.payloads.trim();
    else this.host.payloads.trim();
  }

  /** All work is over, and all messages arrive. */
  rest(): void {
    for (const payload of this.underWay.slice()) this.finish(payload);
    for (let i = 0; i < 8; i++) {
      for (const thread of [...this.threads, this.host]) thread.payloads.trim();
      for (const { inbox } of this.threads) inbox.splice(0).forEach((take) => take());
      this.takeAllOutboxes();
    }
  }
}

describe("ArenaMemories and Payloads, stepped", { timeout: timeLimit(120_000) }, () => {
  it("every payload can be read by whoever it is for, and at rest nothing large is left, on no thread", () => {
    let replaced = 0;
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const world = new World(seed);
      try {
        for (let i = 0; i < STEPS; i++) world.step();
        for (const payload of world.underWay) {
          for (const reader of payload.to === null ? world.threads : [payload.to])
            expect(world.isReadable(payload, reader)).toBe(true);
        }
        world.rest();
        const left = [world.host, ...world.threads].map(({ arenas, payloads }) => ({
          memories: [...arenas.entries()].length,
          isSmall: payloads.sizeBytes <= 16 * MiB,
        }));
        const expected = { memories: world.threads.length + 1, isSmall: true };
        expect(left).toEqual(left.map(() => expected));
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
      replaced += world.replaced;
    }
    expect(replaced).toBeGreaterThan(SCHEDULES);
  });
});
