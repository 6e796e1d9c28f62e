/**
 * Which thread is the home of a job that one thread alone may run. The option `thread` names it. For `affinity` a key is hashed into one of a
 * fixed number of buckets, so that what is remembered does not grow with the number of keys; a bucket has a home from its first job on:
 * the thread that has least to do, or fewest buckets. It keeps that until the thread leaves or ends.
 */
import { ASLEEP, IDLE, type Parking } from "../shared/parking.ts";
import { Home, type Homes } from "../submit/home.ts";
import type { Placement } from "../submit/submit-options.ts";
import type { PoolThread } from "./pool-thread.ts";

/** Two of ten keys share a bucket once in a hundred pools; they then share a thread. */
const BUCKETS = 4096;
/** Jobs that wait in slots for one thread, at most, besides those that it may have at once. */
const MAX_WAITING_SLOTS = 64;
/** Of them, how many each priority may have when others have all. */
const PRIORITY_SHARE = 1 / 8;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export interface HomeParts {
  readonly parking: Parking;
  /** Threads that take jobs. */
  readonly taking: () => readonly PoolThread[];
  /** Whether one more would be started for a job. */
  readonly mayStart: () => boolean;
  readonly wanted: () => void;
}

interface Candidate {
  readonly thread: PoolThread;
  readonly load: number;
  readonly buckets: number;
  readonly isIdle: boolean;
}

/** How many slots the jobs of one home may have: all homes together about half of them, and no fewer than a thread may have at once. */
export function slotsOfHome(slots: number, places: number, jobsPerThread: number): HomeSlots {
  const waiting = Math.max(1, Math.min(MAX_WAITING_SLOTS, Math.floor(slots / 2 / places)));
  return { maxSlots: waiting + jobsPerThread, slotsOfPriority: Math.ceil(waiting * PRIORITY_SHARE) };
}

type HomeSlots = Pick<Homes, "maxSlots" | "slotsOfPriority">;

export class ThreadHomes implements Homes {
  readonly maxSlots: number;
  readonly slotsOfPriority: number;
  readonly #parts: HomeParts;
  readonly #homes = new Map<PoolThread, Home>();
  readonly #buckets = new Map<number, Home>();

  constructor({ maxSlots, slotsOfPriority }: HomeSlots, parts: HomeParts) {
    this.maxSlots = maxSlots;
    this.slotsOfPriority = slotsOfPriority;
    this.#parts = parts;
  }

  homeOf(placement: Placement, mayWait: boolean): Home | null {
    if (placement.kind === "thread") {
      const { threadId } = placement;
      const thread = this.#parts.taking().find((each) => each.threadId === threadId);
      return thread === undefined ? null : this.#of(thread);
    }
    const bucket = bucketOf(placement.key);
    const known = this.#buckets.get(bucket);
    if (known !== undefined && !known.isClosed) return known;
    const thread = this.#choose(mayWait);
    if (thread === null) return null;
    const home = this.#of(thread);
    this.#buckets.set(bucket, home);
    return home;
  }

  close(serial: number): Home | null {
    for (const [thread, home] of this.#homes) {
      if (home.serial !== serial) continue;
      this.#homes.delete(thread);
      home.isClosed = true;
      return home;
    }
    return null;
  }

  wanted(): void {
    this.#parts.wanted();
  }

  #of(thread: PoolThread): Home {
    let home = this.#homes.get(thread);
    if (home === undefined) this.#homes.set(thread, (home = new Home(thread.index, thread.serial)));
    return home;
  }

  /** For a key, a spare is one while its predecessor leaves: it is ready then. */
  #candidates(): PoolThread[] {
    return this.#parts.taking().filter((thread) => !thread.isSpare || thread.isReady);
  }

  #choose(mayWait: boolean): PoolThread | null {
    let best: Candidate | null = null;
    for (const thread of this.#candidates()) {
      const candidate = this.#weigh(thread);
      if (best === null || isBetter(candidate, best)) best = candidate;
    }
    if (best === null) return null;
    const isFree = best.isIdle && best.load === 0 && best.buckets === 0;
    return mayWait && !isFree && this.#parts.mayStart() ? null : best.thread;
  }

  #weigh(thread: PoolThread): Candidate {
    const home = this.#homes.get(thread);
    const state = this.#parts.parking.state(thread.index);
    let buckets = 0;
    if (home !== undefined) for (const each of this.#buckets.values()) if (each === home) buckets++;
    return {
      thread,
      load: home === undefined ? 0 : home.inSlots + home.inBacklog,
      buckets,
      isIdle: state === ASLEEP || state === IDLE,
    };
  }
}

function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.load !== other.load) return one.load < other.load;
  if (one.buckets !== other.buckets) return one.buckets < other.buckets;
  return one.isIdle && !other.isIdle;
}

/** FNV-1a over the characters. */
function bucketOf(key: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), FNV_PRIME);
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1);
}
