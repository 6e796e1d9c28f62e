import { Worker } from "node:worker_threads";
import { beforeEach, describe, expect, it } from "vitest";
import { createArenaMemory, giveBack, type GrowingMemory } from "../../src/shared/arena.ts";
import { type NumberedMemory, Payloads } from "../../src/shared/payloads.ts";

const KiB = 1 << 10;
const MiB = 1 << 20;

let memories: Map<number, GrowingMemory>;
let requests: number[];
let gone: number[];
let grown: number;
/** Whether a memory is there at once, as on the host. */
let isHost: boolean;
let payloads: Payloads;

function create(memory: GrowingMemory = createArenaMemory()): NumberedMemory {
  const id = 100 + memories.size;
  memories.set(id, memory);
  return { id, memory };
}

function open(
  first: GrowingMemory = createArenaMemory(),
  next: () => GrowingMemory = createArenaMemory,
): void {
  payloads = new Payloads(create(first), {
    request(blockBytes) {
      requests.push(blockBytes);
      return isHost ? create(next()) : null;
    },
    gone: (id) => gone.push(id),
    grown: () => grown++,
  });
}

beforeEach(() => {
  memories = new Map();
  requests = [];
  gone = [];
  grown = 0;
  isHost = true;
  open();
});

/** As a reader on another thread does it. */
function returnBlock(handle: number): void {
  giveBack(new Int32Array(memories.get(payloads.arenaOf(handle))!.buffer), payloads.blockOf(handle));
}

function bytesOf(handle: number, length: number): Uint8Array {
  const { buffer } = memories.get(payloads.arenaOf(handle))!;
  return new Uint8Array(buffer, payloads.blockOf(handle) * 8, length);
}

/** A thread that gives a block back while this one is blocked. */
class Reader implements Disposable {
  readonly #worker: Worker;

  constructor(shared: GrowingMemory) {
    const giveBackOf = `import(${JSON.stringify(new URL("../../src/shared/arena.ts", import.meta.url).href)})`;
    this.#worker = new Worker(
      `const { parentPort, workerData } = require("node:worker_threads");
       parentPort.on("message", async (block) => (await ${giveBackOf}).giveBack(new Int32Array(workerData.buffer), block));`,
      { eval: true, workerData: { buffer: shared.buffer }, execArgv: ["--conditions=@skein/source"] },
    );
  }

  giveBackLater(block: number): void {
    this.#worker.postMessage(block);
  }

  [Symbol.dispose](): void {
    void this.#worker.terminate();
  }
}

describe("Payloads", () => {
  it("smoke: a block is written through its handle and read by the numbers of its memory and its place", () => {
    const handle = payloads.allocate(1000);
    payloads.bytes(handle).fill(7, payloads.offset(handle), payloads.offset(handle) + 1000);
    expect(bytesOf(handle, 1001)).toEqual(Uint8Array.from([...new Uint8Array(1000).fill(7), 0]));
    expect(payloads.arenaOf(handle)).toBe(100);
    payloads.free(handle);
    expect(payloads.allocate(1000)).toBe(handle);
    expect([requests, gone, grown]).toEqual([[], [], 0]);
  });

  it("after a burst the memory is gone: not at once, but when nothing was in use between two trims", () => {
    const large = payloads.allocate(100 * MiB);
    expect(grown).toBe(1);
    returnBlock(large);
    expect(payloads.trim()).toBe(true);
    expect([requests, gone]).toEqual([[], []]);
    expect(payloads.trim()).toBe(false);
    expect([requests, gone]).toEqual([[0], [100]]);
    expect(payloads.sizeBytes).toBeLessThanOrEqual(MiB);
    // And again.
    payloads.free(payloads.allocate(100 * MiB));
    expect(grown).toBe(2);
    payloads.trim();
    expect(payloads.trim()).toBe(false);
    expect(gone).toEqual([100, 101]);
  });

  it("a stream of large payloads is served by the same memory", () => {
    for (let i = 0; i < 10; i++) {
      const block = payloads.allocate(20 * MiB);
      if (i % 2 === 0) returnBlock(block);
      else payloads.free(block);
      expect(payloads.trim()).toBe(true);
    }
    expect([requests, gone, grown]).toEqual([[], [], 1]);
  });

  it("a memory of moderate size stays", () => {
    payloads.free(payloads.allocate(10 * MiB));
    expect([payloads.trim(), payloads.trim(), grown, requests]).toEqual([false, false, 0, []]);
  });

  it("what is still in use is read where it is: its memory goes with the last block, freed or returned", () => {
    const [kept, read, large] = [1, 2, 3].map((i) => payloads.allocate(i === 3 ? 50 * MiB : 1000));
    payloads.free(large!);
    payloads.trim();
    expect(payloads.trim()).toBe(true);
    expect([payloads.isCurrent(kept!), requests, gone]).toEqual([false, [0], []]);
    const next = payloads.allocate(1000);
    expect([payloads.isCurrent(next), payloads.arenaOf(next), payloads.arenaOf(kept!)]).toEqual([
      true,
      101,
      100,
    ]);
    expect(new Set([kept, read, next]).size).toBe(3);
    payloads.free(kept!);
    expect(gone).toEqual([]);
    returnBlock(read!);
    expect(payloads.trim()).toBe(false);
    expect(gone).toEqual([100]);
    payloads.free(next);
  });

  it("the last block that is freed takes its memory along at once", () => {
    const [kept, large] = [payloads.allocate(1000), payloads.allocate(50 * MiB)];
    payloads.free(large);
    payloads.trim();
    payloads.trim();
    payloads.free(kept);
    expect(gone).toEqual([100]);
  });

  it("a series of growing payloads ends only where the machine does, also when always one is under way", () => {
    // The sizes that a memory of 8 MiB was cut into fit no later payload.
    const limited = (): GrowingMemory => ({ buffer: new SharedArrayBuffer(8 * MiB) });
    open(limited(), limited);
    let former = payloads.allocate(100);
    for (let size = 64 * KiB; size < 4 * MiB; size = Math.ceil(size * 1.19)) {
      const next = payloads.allocate(size);
      payloads.free(former);
      former = next;
    }
    expect(requests.length).toBeGreaterThan(0);
    expect(gone.length).toBe(requests.length);
    expect(payloads.sizeBytes).toBe(8 * MiB);
  });

  it("says so when even a new memory has no room", () => {
    const limited = (): GrowingMemory => ({ buffer: new SharedArrayBuffer(MiB) });
    open(limited(), limited);
    payloads.allocate(600 * KiB);
    expect(() => payloads.allocate(2 * MiB)).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_ARENA_FULL" }),
    );
    expect(payloads.arenaOf(payloads.allocate(600 * KiB))).toBe(memories.size + 99);
  });

  it("a thread that has to ask goes on with what it has, until the new memory comes", () => {
    isHost = false;
    const [kept, large] = [payloads.allocate(1000), payloads.allocate(50 * MiB)];
    returnBlock(large);
    payloads.trim();
    expect(payloads.trim()).toBe(true);
    expect(requests).toEqual([0]);
    const meanwhile = payloads.allocate(30 * MiB);
    expect(payloads.arenaOf(meanwhile)).toBe(100);
    payloads.adopt(create());
    expect([payloads.arenaOf(payloads.allocate(10)), gone]).toEqual([101, []]);
    payloads.free(kept);
    returnBlock(meanwhile);
    payloads.trim();
    expect(gone).toEqual([100]);
  });

  it("waits for blocks that are given back, and then has room", () => {
    isHost = false;
    open({ buffer: new SharedArrayBuffer(MiB) });
    const blocks = [1, 2, 3].map(() => payloads.allocate(300 * KiB));
    using reader = new Reader(memories.get(payloads.arenaOf(blocks[1]!))!);
    reader.giveBackLater(payloads.blockOf(blocks[1]!));
    expect(payloads.allocatePatiently(300 * KiB, 60_000, () => {})).toBe(blocks[1]);
  });

  it("waits for a new memory as well", () => {
    isHost = false;
    open({ buffer: new SharedArrayBuffer(MiB) });
    payloads.allocate(700 * KiB);
    let looks = 0;
    const block = payloads.allocatePatiently(700 * KiB, 60_000, () => {
      if (++looks === 2) payloads.adopt(create());
    });
    expect(payloads.arenaOf(block)).toBe(99 + memories.size);
  });

  it("does not wait for ever", () => {
    isHost = false;
    open({ buffer: new SharedArrayBuffer(MiB) });
    payloads.allocate(700 * KiB);
    expect(() => payloads.allocatePatiently(700 * KiB, 10, () => {})).toThrow("No room");
  });

  it("teardown: a closed pool holds no memory", () => {
    payloads.free(payloads.allocate(50 * MiB));
    payloads.close();
    expect(payloads.sizeBytes).toBe(256);
    expect([payloads.trim(), gone]).toEqual([false, []]);
  });

  it("teardown: a block that is freed after the pool was closed harms nobody, in whichever memory it was", () => {
    const blocks = [payloads.allocate(KiB)];
    payloads.adopt(create());
    blocks.push(payloads.allocate(KiB));
    payloads.close();
    for (const block of blocks) payloads.free(block);
    expect([payloads.sizeBytes, gone]).toEqual([256, []]);
  });
});
