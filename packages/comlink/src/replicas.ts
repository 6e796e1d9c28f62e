/** The same object on several threads. */
import type { CallTarget, OutgoingCall } from "./calls.ts";
import { Promise } from "./intrinsics.ts";
import type { ThreadObject } from "./thread-object.ts";

export class Replicas implements CallTarget {
  readonly #objects: readonly ThreadObject[];
  #turn = 0;

  /** @param objects one at least */
  constructor(objects: readonly ThreadObject[]) {
    this.#objects = objects;
  }

  call(call: OutgoingCall): void {
    const open = this.#objects.filter((object) => object.isOpen);
    const { affinity } = call.options;
    const chosen = affinity === undefined ? this.#leastBusy(open) : nearest(open, affinity, this.#objects);
    // One that is gone says why.
    (chosen ?? this.#objects[0]!).call(call);
  }

  async release(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#objects.map((object) => object.release()));
    const errors = outcomes.flatMap((each): unknown[] => (each.status === "rejected" ? [each.reason] : []));
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} replicas failed to end`);
  }

  /** Of those that are equally busy, each in its turn. */
  #leastBusy(open: readonly ThreadObject[]): ThreadObject | undefined {
    const least = Math.min(...open.map(({ size }) => size));
    const free = open.filter(({ size }) => size === least);
    return free[this.#turn++ % free.length];
  }
}

/**
 * The one with the highest weight: when one is gone only its keys move.
 * @see Thaler, Ravishankar, "A name-based mapping scheme for rendezvous", 1996
 */
function nearest(
  open: readonly ThreadObject[],
  key: string | number,
  all: readonly ThreadObject[],
): ThreadObject | undefined {
  let best: ThreadObject | undefined;
  let highest = -1;
  for (const object of open) {
    const weight = hash(`${all.indexOf(object)}:${typeof key}:${key}`);
    if (weight > highest) [best, highest] = [object, weight];
  }
  return best;
}

/** FNV-1a, its bits mixed: names that differ at their end alone must not be close. */
function hash(text: string): number {
  let hashed = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hashed = Math.imul(hashed ^ text.charCodeAt(i), 0x01000193);
  hashed = Math.imul(hashed ^ (hashed >>> 16), 0x85ebca6b);
  hashed = Math.imul(hashed ^ (hashed >>> 13), 0xc2b2ae35);
  return (hashed ^ (hashed >>> 16)) >>> 0;
}
