/**
 * How the submitting thread learns of finished jobs: it looks into the inbox once per turn of its event loop while results
 * keep coming, and otherwise asks for the bell and sleeps. Looking costs a turn (1–2 µs), the bell 5–20 µs and a system call
 * on either side; so it looks as long as looking has paid off lately, at most `MAX_WINDOW` turns after the last result. While as
 * many threads run as there are cores, an empty turn is taken from a job: then it looks on only while each turn finds something.
 */
import { availableParallelism } from "node:os";
import { AsyncScope } from "@skein/context";
import { Patience } from "../shared/patience.ts";
import type { Inbox } from "../shared/inbox.ts";
import type { Parking } from "../shared/parking.ts";
import { now as clockNow, setImmediate } from "../shared/timers.ts";

const MAX_WINDOW = 64;
const CROWDED_WINDOW = 1;
/** A bell that rings this soon after the last look might have been saved by looking on. */
const SOON_US = 150;

export class CompletionPump {
  readonly #inbox: Inbox;
  readonly #parking: Parking;
  readonly #cores: number = availableParallelism();
  readonly #drain: () => number;
  readonly #isIdle: () => boolean;
  #looking = false;
  #window = MAX_WINDOW;
  #emptyTurns = 0;
  #sleptAt = 0;
  /** Whether no job was outstanding then, and none has been submitted since. */
  #sleptIdle = false;
  readonly #patience = new Patience();

  /** @param drain Settles what is in the inbox and says how much that was. @param isIdle Whether no job is outstanding. */
  constructor(inbox: Inbox, parking: Parking, drain: () => number, isIdle: () => boolean) {
    this.#inbox = inbox;
    this.#parking = parking;
    this.#drain = drain;
    this.#isIdle = isIdle;
  }

  /** A job was submitted: look for its result in the next turns, if that has paid off lately. */
  submitted(): void {
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
    this.#drain();
    this.#lookOnOrSleep();
  }

  readonly #look = (): void => {
    this.#looking = false;
    if (this.#drain() === 0) {
      this.#emptyTurns++;
    } else {
      this.#emptyTurns = 0;
      this.#patience.paidOff();
    }
    if (!this.#looking) this.#lookOnOrSleep();
  };

  #lookOnOrSleep(): void {
    for (;;) {
      if (!this.#isIdle()) {
        if (this.#emptyTurns < this.#turnsToLook()) {
          this.#lookOn();
          return;
        }
        if (this.#emptyTurns >= MAX_WINDOW) this.#patience.wasInVain();
        this.#window >>= 1;
      }
      this.#emptyTurns = 0;
      this.#sleptAt = clockNow();
      this.#sleptIdle = this.#isIdle();
      if (this.#inbox.sleep()) return;
      this.#drain();
    }
  }

  #turnsToLook(): number {
    const isCrowded = this.#parking.awake() >= this.#cores;
    return isCrowded ? Math.min(this.#window, CROWDED_WINDOW) : this.#window;
  }

  #lookOn(): void {
    this.#looking = true;
    // The chain of turns belongs to nobody's request.
    AsyncScope.root.run(setImmediate, this.#look);
  }
}
