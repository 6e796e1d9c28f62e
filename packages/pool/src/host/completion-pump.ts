/**
 * How the submitting thread learns of finished jobs. Three ways, each dearer than the one before, and slower:
 *
 * 1. It spins: in a microtask after the submission it looks for up to about 3 µs. For jobs that are over sooner, one after the other: with
 *    few outstanding, and as long as it finds what it looks for. Not more often than `SPINS_PER_TURN` without a turn of the event loop
 *    between, which so never waits longer than for the same number of settled promises.
 * 2. It looks into the inbox once per turn of its event loop (1–2 µs), as long as that has paid off lately, at most `MAX_WINDOW` turns
 *    after the last result.
 * 3. It asks for the bell and sleeps: 5–20 µs, and a system call on either side.
 *
 * While as many threads run as there are cores, an empty look is taken from a job: then it does not spin, and looks on only while each
 * turn finds something.
 */
import { availableParallelism } from "node:os";
import { AsyncScope } from "@skein/context";
import { pause } from "../shared/atomics.ts";
import { Promise, promiseThen } from "../shared/intrinsics.ts";
import { Patience } from "../shared/patience.ts";
import type { Inbox } from "../shared/inbox.ts";
import type { Parking } from "../shared/parking.ts";
import { idleImmediate, now as clockNow, setImmediate } from "../shared/timers.ts";

const MAX_WINDOW = 64;
const CROWDED_WINDOW = 1;
/** A bell that rings this soon after the last look might have been saved by looking on. */
const SOON_US = 150;
const SPINS_PER_TURN = 32;
/** More of them are better taken together. */
const FEW_JOBS = 4;
const LOOKS_PER_SPIN = 32;
/** A spin takes about as long. */
const TURNS_PER_SPIN = 2;
const PAUSES_PER_LOOK = 2;
const settled: Promise<void> = Promise.resolve();

export class CompletionPump {
  /** See `idleImmediate`. */
  static readonly kept: NodeJS.Immediate = AsyncScope.root.run(idleImmediate);

  readonly #inbox: Inbox;
  readonly #parking: Parking;
  readonly #cores: number = availableParallelism();
  readonly #drain: () => number;
  readonly #outstanding: () => number;
  readonly #isAwaited: () => boolean;
  readonly #hasMore: () => boolean;
  readonly #turnBegins: () => void;
  #looking = false;
  #window = MAX_WINDOW;
  #emptyTurns = 0;
  #sleptAt = 0;
  /** Whether no job was outstanding then, and none has been submitted since. */
  #sleptIdle = false;
  readonly #patience = new Patience();
  /** How often it may still spin before the next turn of the event loop. */
  #spinsLeft = 0;
  #isSpinAsked = false;
  /** Whether jobs are over sooner than a spin. */
  #isQuick = true;
  readonly #spinPatience = new Patience();

  /**
   * @param drain Settles what is in the inbox and says how much that was.
   * @param outstanding How many jobs have not settled.
   * @param isAwaited Whether any of them is more than a stream of which nobody waits for an item.
   * @param hasMore Whether `drain` has left some for the next turn.
   * @param turnBegins Whoever awaited what the turns before have settled has gone on.
   */
  constructor(
    inbox: Inbox,
    parking: Parking,
    drain: () => number,
    outstanding: () => number,
    isAwaited: () => boolean,
    hasMore: () => boolean,
    turnBegins: () => void,
  ) {
    this.#inbox = inbox;
    this.#parking = parking;
    this.#drain = drain;
    this.#outstanding = outstanding;
    this.#isAwaited = isAwaited;
    this.#hasMore = hasMore;
    this.#turnBegins = turnBegins;
  }

  /** A job was submitted: look for its result in the next turns, if that has paid off lately. */
  submitted(): void {
    this.#spinSoon();
    if (this.#looking) return;
    if (this.#window === 0) {
      // From here on it sleeps for a result.
      if (this.#sleptIdle) this.#sleptAt = clockNow();
      this.#sleptIdle = false;
      return;
    }
    this.#inbox.wake();
    this.#lookOn();
  }

  /** The bell rang: the inbox counts us as awake since then. */
  onBell(): void {
    if (this.#looking) return;
    if ((clockNow() - this.#sleptAt) * 1000 < SOON_US && this.#patience.cameSoon()) {
      this.#window = MAX_WINDOW;
    }
    this.#turnBegins();
    this.#drain();
    this.#lookOnOrSleep();
  }

  readonly #look = (): void => {
    this.#looking = false;
    const isSoon = this.#emptyTurns < TURNS_PER_SPIN;
    this.#turnBegins();
    const count = this.#drain();
    if (count === 0) {
      this.#emptyTurns++;
    } else {
      this.#emptyTurns = 0;
      this.#patience.paidOff();
      if (isSoon && !this.#isQuick && count <= FEW_JOBS) this.#isQuick = this.#spinPatience.cameSoon();
    }
    this.#spinsLeft = this.#isQuick ? SPINS_PER_TURN : 0;
    if (!this.#looking) this.#lookOnOrSleep();
  };

  // Spinning. A turn, or the bell, is asked for at the same time, and stays asked for.

  #spinSoon(): void {
    if (this.#spinsLeft === 0 || this.#isSpinAsked) return;
    const outstanding = this.#outstanding();
    if (outstanding === 0 || outstanding > FEW_JOBS) return;
    AsyncScope.root.run(promiseThen, settled, this.#onSpinAsked);
    this.#isSpinAsked = true;
  }

  /** Once more: whoever awaits the job is told of it in the microtask behind this one, and has to be there first. */
  readonly #onSpinAsked = (): void => {
    promiseThen(settled, this.#spin);
  };

  readonly #spin = (): void => {
    this.#isSpinAsked = false;
    const outstanding = this.#outstanding();
    if (outstanding === 0 || outstanding > FEW_JOBS || this.#parking.awake() >= this.#cores) return;
    this.#spinsLeft--;
    for (let i = 0; i < LOOKS_PER_SPIN; i++) {
      if (!this.#inbox.isEmpty()) {
        this.#emptyTurns = 0;
        this.#spinPatience.paidOff();
        this.#drain();
        if (this.#hasMore()) {
          if (!this.#looking) this.#lookOn();
        } else if (this.#isAwaited()) {
          // It may have been the end of a stream that was read before: somebody still waits.
          this.#spinSoon();
        }
        return;
      }
      for (let k = 0; k < PAUSES_PER_LOOK; k++) pause();
    }
    this.#isQuick = false;
    this.#spinsLeft = 0;
    this.#spinPatience.wasInVain();
  };

  // Looking, once a turn.

  #lookOnOrSleep(): void {
    for (;;) {
      if (this.#hasMore()) {
        this.#lookOn();
        return;
      }
      if (this.#outstanding() > 0) {
        if (this.#emptyTurns < this.#turnsToLook()) {
          this.#lookOn();
          return;
        }
        if (this.#emptyTurns >= MAX_WINDOW) this.#patience.wasInVain();
        this.#window >>= 1;
      }
      this.#emptyTurns = 0;
      this.#sleptAt = clockNow();
      this.#sleptIdle = this.#outstanding() === 0;
      if (this.#inbox.sleep()) return;
      this.#drain();
    }
  }

  #turnsToLook(): number {
    const isCrowded = this.#parking.awake() >= this.#cores;
    return isCrowded ? Math.min(this.#window, CROWDED_WINDOW) : this.#window;
  }

  #lookOn(): void {
    // The chain of turns belongs to nobody's request.
    AsyncScope.root.run(setImmediate, this.#look);
    this.#looking = true;
  }
}
