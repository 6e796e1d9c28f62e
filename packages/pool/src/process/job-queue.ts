import { ItemQueue } from "@skein/scheduling/internal";
import { LOW_FIRST_EVERY, NORMAL_FIRST_EVERY } from "../shared/job-queues.ts";
import { PRIORITIES } from "../shared/layout.ts";
import { type Journey, QUEUED } from "./journey.ts";

interface Level {
  /** Given back by a process; served first. */
  returned: ItemQueue<Journey>;
  fresh: ItemQueue<Journey>;
  /** Those that are QUEUED. */
  size: number;
}

/**
 * Jobs that wait, by priority. One that is given up is skipped when its turn comes; when those outnumber the ones that wait, and when none
 * waits, all of them are let go.
 */
export class JobQueue {
  /** Highest first. */
  readonly #levels: readonly Level[] = PRIORITIES.map(() => ({
    returned: new ItemQueue<Journey>(),
    fresh: new ItemQueue<Journey>(),
    size: 0,
  }));
  #size = 0;
  #looks = 0;

  get size(): number {
    return this.#size;
  }

  sizeOf(priority: number): number {
    return this.#levels[priority]!.size;
  }

  /** The highest priority of a job that waits: the smallest number. Infinity: none waits. */
  get highest(): number {
    const highest = this.#levels.findIndex(({ size }) => size > 0);
    return highest < 0 ? Infinity : highest;
  }

  add(journey: Journey): void {
    this.#count(journey, 1);
    this.#levels[journey.job.options.priority]!.fresh.add(journey);
  }

  /** In front. */
  addAgain(journey: Journey): void {
    this.#count(journey, 1);
    this.#levels[journey.job.options.priority]!.returned.add(journey);
  }

  /** It is not QUEUED any more, and was here. */
  removed(journey: Journey): void {
    this.#count(journey, -1);
    letGo(this.#levels[journey.job.options.priority]!);
  }

  /** The one whose turn it is, which is not here any more. Null: there is none. */
  take(): Journey | null {
    if (this.#size === 0) return null;
    const look = ++this.#looks;
    const first = this.#levels[look % NORMAL_FIRST_EVERY !== 0 ? 0 : look % LOW_FIRST_EVERY === 0 ? 2 : 1]!;
    const level = first.size > 0 ? first : this.#levels[this.highest]!;
    const { returned, fresh } = level;
    for (;;) {
      const journey = (returned.size > 0 ? returned : fresh).take();
      if (journey.stage !== QUEUED) continue;
      this.#count(journey, -1);
      letGo(level);
      return journey;
    }
  }

  takeAll(): Journey[] {
    const all: Journey[] = [];
    for (let next = this.take(); next !== null; next = this.take()) all.push(next);
    return all;
  }

  #count({ job }: Journey, by: number): void {
    this.#levels[job.options.priority]!.size += by;
    this.#size += by;
  }
}

/** Those that were given up, if they outnumber the ones that wait. */
function letGo(level: Level): void {
  const { returned, fresh, size } = level;
  if (returned.size + fresh.size <= size * 2) return;
  level.returned = living(returned);
  level.fresh = living(fresh);
}

function living(queue: ItemQueue<Journey>): ItemQueue<Journey> {
  const kept = new ItemQueue<Journey>();
  for (const journey of queue.toArray()) if (journey.stage === QUEUED) kept.add(journey);
  return kept;
}
