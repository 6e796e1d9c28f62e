/**
 * One thread stops between any two of its atomic operations, and there another runs its whole operation, or the first one is
 * ended. Every such place is tried.
 */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { timeLimit } from "../../../../test/support/time-limit.ts";
import type * as Atomics from "../../src/shared/atomics.ts";
import { Bell, BELL_BYTES } from "../../src/shared/bell.ts";
import { SegmentReader, SegmentWriter } from "../../src/shared/segment.ts";

/** Called before each atomic operation, and before the plain code behind the last one. */
const seam = vi.hoisted(() => ({ step: (): void => {} }));

vi.mock("../../src/shared/atomics.ts", async (importOriginal) => {
  const real = await importOriginal<typeof Atomics>();
  const stepped: Record<string, unknown> = {};
  for (const [name, fn] of Object.entries(real)) {
    stepped[name] = (...args: never[]): unknown => {
      seam.step();
      return (fn as (...args: never[]) => unknown)(...args);
    };
  }
  return stepped;
});

class Ended extends Error {}

const SHARED_BYTES = 8192;

/** Two producers and an owner around one slot. Items are numbers; each takes as many blocks as it says. */
class World {
  readonly reader = new SegmentReader(SHARED_BYTES);
  readonly control = new SharedArrayBuffer(BELL_BYTES);
  readonly bell = new Bell(this.control);
  readonly #writers = [0, 1].map((hint) => new SegmentWriter(this.reader.buffer, SHARED_BYTES, hint));
  readonly accepted: number[][] = [[], []];
  readonly arrived: number[] = [];
  /** What `complete` took; nothing may be accepted afterwards. */
  isClosed = false;
  rung: Promise<unknown> | null = null;
  isAsleep = false;

  push(producer: number, number: number, blocks = 1): void {
    const item = new Uint8Array(blocks * 256 - 10).fill(number);
    if (this.#writers[producer]!.write(item) !== "accepted") return;
    this.accepted[producer]!.push(number);
    this.bell.ring();
  }

  take(): void {
    const first: number[] = [];
    this.reader.arrivals.takeAll(first);
    this.#read(first);
  }

  close(): void {
    const first: number[] = [];
    this.reader.arrivals.close(first);
    this.isClosed = true;
    this.#read(first);
  }

  /** Takes all, and goes to sleep unless there is more. */
  sleep(): void {
    this.isAsleep = false;
    this.take();
    this.bell.announceSleep();
    if (!this.reader.arrivals.isEmpty()) return;
    this.rung = this.bell.whenRung();
    this.isAsleep = true;
  }

  /** How many single-block items fit now. */
  room(): number {
    let count = 0;
    const item = new Uint8Array(1);
    while (this.#writers[0]!.write(item) === "accepted") count++;
    return count;
  }

  #read(first: readonly number[]): void {
    for (const block of first) {
      const item = this.reader.read(block);
      // A torn item is one that nobody has pushed.
      this.arrived.push(item.every((byte) => byte === item[0]) ? item[0]! : -1);
    }
  }
}

/** Runs `main`, and `other` in the middle of it, once for each place; `check` after each run. @returns how many places. */
function atEveryStep(
  prepare: (world: World) => void,
  main: (world: World) => void,
  other: (world: World) => void,
  check: (world: World) => void,
): number {
  for (let place = 0; ; place++) {
    const world = new World();
    prepare(world);
    let steps = 0;
    let isReached = false;
    seam.step = () => {
      if (steps++ !== place) return;
      isReached = true;
      seam.step = () => {};
      other(world);
    };
    try {
      main(world);
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
    }
    seam.step = () => {};
    if (!isReached) return place;
    check(world);
  }
}

/** Everything that was accepted arrived once, whole, and in the order of its producer. */
function expectAllArrived(world: World): void {
  if (!world.isClosed) world.take();
  expect(world.arrived.toSorted((a, b) => a - b)).toEqual(world.accepted.flat().toSorted((a, b) => a - b));
  for (const numbers of world.accepted) {
    expect(world.arrived.filter((number) => numbers.includes(number))).toEqual(numbers);
  }
}

function die(): never {
  throw new Ended();
}

beforeEach(() => {
  seam.step = () => {};
});

const nothing = (): void => {};

describe("a thread stops anywhere", () => {
  const others: [string, (world: World) => void][] = [
    ["another producer pushes", (world) => world.push(1, 50)],
    [
      "another producer pushes twice, several blocks each",
      (world) => {
        world.push(1, 50, 3);
        world.push(1, 51, 2);
      },
    ],
    ["the owner takes all", (world) => world.take()],
    ["the owner closes", (world) => world.close()],
    [
      "others push, the owner takes, others push",
      (world) => {
        world.push(1, 50);
        world.take();
        world.push(1, 51);
      },
    ],
  ];

  it.each(others)("I1 in a push: %s", (_, other) => {
    const places = atEveryStep(
      (world) => world.push(0, 1),
      (world) => {
        world.push(0, 2, 3);
        world.push(0, 3);
      },
      other,
      expectAllArrived,
    );
    expect(places).toBeGreaterThan(8);
  });

  it.each(others.slice(0, 2))("in the owner's take: %s", (_, other) => {
    const places = atEveryStep(
      (world) => world.push(0, 1, 2),
      (world) => {
        world.take();
        world.take();
      },
      other,
      expectAllArrived,
    );
    expect(places).toBeGreaterThan(3);
  });

  it.each(others.slice(0, 2))("in the owner's close: %s", (_, other) => {
    const places = atEveryStep(
      (world) => world.push(0, 1),
      (world) => world.close(),
      other,
      expectAllArrived,
    );
    expect(places).toBeGreaterThan(1);
  });
});

describe("a thread is ended anywhere in a push", () => {
  it("loses nothing that was accepted, holds up nobody, and the audit makes up for its blocks", () => {
    const rooms = new Set<number>();
    const places = atEveryStep(
      nothing,
      (world) => {
        world.push(0, 1);
        world.push(0, 2, 3);
      },
      die,
      (world) => {
        world.push(1, 50);
        world.take();
        // Its last item may have been linked without that it came to know it.
        const known = world.accepted.flat();
        const unknown = world.arrived.filter((number) => !known.includes(number));
        expect(unknown.length).toBeLessThanOrEqual(1);
        expect(world.arrived.filter((number) => known.includes(number))).toEqual(known);
        world.reader.audit.run();
        world.reader.audit.run();
        rooms.add(world.room());
      },
    );
    expect(places).toBeGreaterThan(5);
    expect([...rooms]).toEqual([SHARED_BYTES / 256]);
  });
});

describe("the bell", () => {
  /** An owner that waits has seen everything, or somebody has rung since. */
  async function expectNobodyForgotten(world: World): Promise<void> {
    if (!world.isAsleep || world.rung === null || world.reader.arrivals.isEmpty()) return;
    const { promise: forgotten, resolve } = Promise.withResolvers<string>();
    const limit = setTimeout(resolve, timeLimit(10_000), "forgotten");
    expect(await Promise.race([world.rung, forgotten])).toBe("ok");
    clearTimeout(limit);
  }

  it.each([
    [
      "the owner goes to sleep in a push",
      (world: World) => world.push(0, 1),
      (world: World) => world.sleep(),
    ],
    [
      "a push comes while the owner goes to sleep",
      (world: World) => world.sleep(),
      (world: World) => world.push(0, 1),
    ],
  ])("[A2] %s", async (_, main, other) => {
    const worlds: World[] = [];
    const places = atEveryStep(
      (world) => world.bell.wake(),
      main,
      other,
      (world) => void worlds.push(world),
    );
    expect(places).toBeGreaterThan(3);
    await Promise.all(worlds.map(expectNobodyForgotten));
  });

  it("I2 rings once for any number of items", () => {
    const world = new World();
    world.sleep();
    let rings = 0;
    const bell = new Int32Array(world.control);
    for (let i = 0; i < 10; i++) {
      const before = bell[0];
      world.push(0, i);
      if (before !== bell[0]) rings++;
    }
    expect(rings).toBe(1);
  });
});
