import { AsyncScope } from "@skein/context";
import { settled, whenSettled } from "./native-promise.ts";
import { nodeNow, nodePerformanceNow, startNodeTimer, stopNodeTimer } from "./node-time.ts";

/** How far apart a timer and its clock may be and still tell the same time: timers of Node may fire a fraction early. */
const TOLERANCE_MS = 1;
/** How often somebody looks whether the fake timers that a timer belongs to are still there. */
const SHORTEST_WATCH_MS = 50;
const LONGEST_WATCH_MS = 1000;

const nativeDateNow = Date.now;

/**
 * Time as the program has it at the moment: that of Node, or that of whatever has taken the place of the global timers.
 *
 * State of the world | `setTimeout` | `performance.now` | `Date.now` | `now` follows    |
 *                    | Node's       | any               | any        | Node             |
 *                    | other        | other             | any        | performance.now  |
 *                    | other        | Node's            | other      | Date.now         |
 *                    | other        | Node's            | Node's     | Node, and the timers that fire (`reached`) |
 *
 * `now` goes on from where it was when one world follows another, so times from before can be compared with those after. A timer
 * of a world that is gone never fires: the next push sees that (`isLost`), and without one a timer of Node, which looks once a
 * second at least and does not keep the process alive.
 */
export class SteeredTime {
  /** What `now` was read from last. */
  #source: unknown = nodePerformanceNow;
  #shift = 0;
  #last = 0;

  now(): number {
    if (globalThis.setTimeout === startNodeTimer && this.#source === nodePerformanceNow) {
      return (this.#last = nodeNow() + this.#shift);
    }
    const source = this.#sourceNow();
    const read = this.#read(source);
    if (source !== this.#source) {
      this.#source = source;
      this.#shift = this.#last - read;
    }
    // A fake clock can be set back.
    if (read + this.#shift < this.#last) this.#shift = this.#last - read;
    return (this.#last = read + this.#shift);
  }

  /** @param onLost The timer will not fire. */
  startTimer(callback: () => void, ms: number, onLost: () => void): unknown {
    return AsyncScope.root.run(() => this.#start(callback, ms, onLost));
  }

  stopTimer(timer: unknown): void {
    if (timer instanceof ForeignTimer) timer.stop();
    else stopNodeTimer(timer as NodeJS.Timeout);
  }

  isLost(timer: unknown): boolean {
    return timer instanceof ForeignTimer && timer.isLost;
  }

  reached(at: number): void {
    if (at - this.now() <= TOLERANCE_MS) return;
    this.#shift += at - this.#last;
    this.#last = at;
  }

  #start(callback: () => void, ms: number, onLost: () => void): unknown {
    const start: unknown = globalThis.setTimeout;
    if (start !== startNodeTimer) {
      try {
        const timer = new ForeignTimer(callback, ms);
        timer.watch(ms, onLost);
        return timer;
      } catch {
        // No timers at all, or such as throw: Node's are there.
      }
    }
    return startNodeTimer(callback, ms);
  }

  #sourceNow(): unknown {
    if (globalThis.setTimeout === startNodeTimer) return nodePerformanceNow;
    const performanceNow: unknown = (globalThis.performance as { readonly now: unknown } | undefined)?.now;
    if (performanceNow !== nodePerformanceNow && typeof performanceNow === "function") return performanceNow;
    const dateNow: unknown = globalThis.Date.now;
    return dateNow === nativeDateNow ? nodePerformanceNow : dateNow;
  }

  #read(source: unknown): number {
    if (source === nodePerformanceNow) return nodeNow();
    try {
      const read: unknown = source === globalThis.Date.now ? Date.now() : globalThis.performance.now();
      if (Number.isFinite(read)) return read as number;
    } catch {
      // As below.
    }
    // A clock that tells no time stands still.
    return this.#last - this.#shift;
  }
}

/** A timer made by whatever has taken the place of the global `setTimeout`. Fires once at most, and never inside `start`. */
class ForeignTimer {
  readonly #callback: () => void;
  readonly #start: unknown;
  readonly #clear: unknown;
  readonly #timer: unknown;
  #watch: NodeJS.Timeout | undefined = undefined;
  #isMade = false;
  #isOver = false;

  /** @throws whatever the foreign function throws. */
  constructor(callback: () => void, ms: number) {
    this.#callback = callback;
    this.#start = globalThis.setTimeout;
    this.#clear = globalThis.clearTimeout;
    try {
      this.#timer = globalThis.setTimeout(() => this.#fire(), ms);
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
    this.#isMade = true;
  }

  get isLost(): boolean {
    return !this.#isOver && globalThis.setTimeout !== this.#start;
  }

  watch(ms: number, onLost: () => void): void {
    if (this.#isOver) return;
    const interval = Math.min(Math.max(ms, SHORTEST_WATCH_MS), LONGEST_WATCH_MS);
    const look = (): void => {
      if (this.isLost) onLost();
      else this.watch(ms, onLost);
    };
    this.#watch = startNodeTimer(look, interval);
    this.#watch.unref();
  }

  stop(): void {
    this.#end();
    try {
      if (typeof this.#clear === "function") Reflect.apply(this.#clear, globalThis, [this.#timer]);
    } catch {
      // It is over either way.
    }
  }

  #fire(): void {
    if (this.#isOver) return;
    if (!this.#isMade) {
      // It was called back at once, on the stack of a push.
      whenSettled(settled, () => this.#fire());
      return;
    }
    this.#end();
    this.#callback();
  }

  #end(): void {
    this.#isOver = true;
    stopNodeTimer(this.#watch);
    this.#watch = undefined;
  }
}
