/**
 * Parking: a thread with nothing to do falls asleep, and no job is missed.
 *
 * Words      PARK[w] @ layout.parkWord + 16 w, own cache line
 *            OUTPUT[w] the word after: 1 while console output of thread w has not reached the main thread
 *            MAIL[w] the word after that: 1: the host has posted what thread w is to take in before it sleeps, at once or in a turn
 *            then JOIN[w], see join-edges.ts
 *            then REACH[w]: what thread w may take (job-queues.ts), 0 ALL; set by w before it searches or sleeps
 *            then HANDING[w]: 1 while the host posts jobs to thread w, past the queues
 *            then PACE[w]: how many microseconds such jobs take on average, rounded up; 0: not known
 * State      | value       | means                                               | written by                |
 *            | 0 DEAD      | no thread has this index, or it has not started     | host                      |
 *            | 1 BUSY      | runs a job, or its event loop                       | thread w                  |
 *            | 2 SEARCHING | looks for work, and will once more before it sleeps | thread w                  |
 *            | 3 ASLEEP    | in Atomics.wait, or about to                        | thread w                  |
 *            | 4 IDLE      | in its event loop with a waitAsync                  | thread w                  |
 *            | 5 NOTIFIED  | told to look again                                  | any other thread          |
 * Moves      m1 BUSY → SEARCHING → BUSY (store)          m2 SEARCHING → ASLEEP (store), then the last search
 *            m3 ASLEEP → IDLE (CAS)                      m4 ASLEEP, IDLE → NOTIFIED (CAS, then notify), by a producer
 *            m5 NOTIFIED, ASLEEP, IDLE → SEARCHING (store) after a wake-up; from the latter two when the notify of an earlier
 *               wake-up came late
 *            m6 ASLEEP, NOTIFIED → BUSY (store) when the last search found a job, or after a doze
 *            m7 any → DEAD → SEARCHING (store) when the thread has ended, when the next one starts       anything else is a bug
 * Invariants I1 Only ASLEEP and IDLE are ever left by another thread, only towards NOTIFIED, only by CAS.
 *            I2 At most one waiter per word: thread w leaves IDLE only after a notify, which wakes all waiters, so none is stale (H3).
 *            I3 No counter of sleepers exists that a dying thread could leave wrong: producers read the words.
 * Pairings   [P1] a producer pushes the job, links a result of w, or lets a stream of w go on (stream-ring.ts), then loads PARK[w]; m2 stores
 *                 ASLEEP, then searches. Either the producer sees w not BUSY, or the last search sees the job, the result or the stream.
 *            [P2] a producer that sees w SEARCHING or NOTIFIED wakes nobody. w stores BUSY when it found a job, by whatever way and
 *                 before it runs it, and then, if more jobs remain, wakes one more thread itself. Either the producer sees
 *                 BUSY, or w sees the job. A store of m5 or m6 may overwrite NOTIFIED: w searches after it.
 *            [P3] m4 CASes the word before it notifies; wait and waitAsync compare it: no wake-up falls in between.
 *            [P4] the host posts a message, stores MAIL[w] = 1, then loads PARK[w]; m2 stores ASLEEP, then loads MAIL[w].
 *                 Either the host sees w not BUSY, or w sees the mail. w stores 0 before it takes the messages, so what is posted
 *                 meanwhile sets it again.
 *            [P5] for an exclusive job only threads count whose REACH is ALL. w stores REACH before SEARCHING or ASLEEP, and searches
 *                 after it. Either the producer sees ALL, or it read REACH before w stored it, and so w's search sees the job.
 *            [P6] the host stores HANDING[w] = 1, then loads REACH[w], and posts jobs unless that is OWN. w stores REACH[w] = OWN, waits
 *                 while HANDING[w] is 1, and then takes its messages. Either the host sees OWN, or w has the jobs before it begins one that
 *                 it may be ended for, and gives them back.
 * Liveness   If every thread is ASLEEP or IDLE and no wake-up is under way, all rings and deques are empty: by P1 and I1. A dead
 *            thread may have swallowed a wake-up: after each exit the host stores DEAD, then wakes another if they are not.
 *            It may also have died between the CAS and the notify of m4: a word that says NOTIFIED with its thread still asleep,
 *            which every producer would rely on. So the host notifies such words again.
 * Sources    rayon's sleep protocol; .NET A3.10; ECMA-262 §25.4 Atomics. Model test: test/shared/parking.model.test.ts
 */
import { cas, load, notify, store, wait, waitAsync } from "./atomics.ts";
import { ALL, OWN, type Reach } from "./reach.ts";
import type { JoinEdges } from "./join-edges.ts";
import { type Layout, LINE_WORDS } from "./layout.ts";
import { Places } from "./places.ts";

export const DEAD = 0;
export const BUSY = 1;
export const SEARCHING = 2;
export const ASLEEP = 3;
export const IDLE = 4;
const NOTIFIED = 5;
/** Offsets from the parking word. */
const OUTPUT = 1;
const MAIL = 2;
const REACH = 4;
const HANDING = 5;
const PACE = 6;

export class Parking {
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #places: Places;
  /** How many threads were ready when `wakeOne` last found nobody, or when they were last counted. */
  readySeen = 0;

  constructor(control: Int32Array, layout: Layout) {
    this.#words = control;
    this.#base = layout.parkWord;
    this.#places = new Places(control, layout);
  }

  /**
   * After a push: makes sure that somebody will find the job.
   * @param self The thread that pushed, from inside a job: it is BUSY, and knows.
   * @param isExclusive Whether only a thread that may take everything is of use.
   * @returns 'searching': a thread is looking already. 'woken': one was asleep. 'none': all are busy or not there; `readySeen` says how
   * many there are.
   */
  wakeOne(self = -1, isExclusive = false): "searching" | "woken" | "none" {
    const threads = this.#places.used;
    let sleeper = -1;
    let ready = 0;
    for (let w = 0; w < threads; w++) {
      if (w === self) {
        ready++;
        continue;
      }
      const state = load(this.#words, this.#word(w)); // [P1] [P2]
      if (state === DEAD) continue;
      ready++;
      if (state === BUSY) continue;
      if (isExclusive && load(this.#words, this.#word(w) + REACH) !== ALL) continue; // [P5]
      if (state === SEARCHING || state === NOTIFIED) return "searching";
      if (sleeper < 0) sleeper = w;
    }
    for (let w = sleeper; w >= 0 && w < threads; w++) {
      if (isExclusive && load(this.#words, this.#word(w) + REACH) !== ALL) continue; // [P5]
      if (this.wake(w)) return "woken";
    }
    this.readySeen = ready;
    return "none";
  }

  /** Wakes thread `w` if it sleeps. */
  wake(w: number): boolean {
    const word = this.#word(w);
    // [P3] I1: a word that is neither at its turn was SEARCHING in between, and that search comes after the caller's push
    if (!cas(this.#words, word, ASLEEP, NOTIFIED) && !cas(this.#words, word, IDLE, NOTIFIED)) return false;
    notify(this.#words, word); // [P3]
    return true;
  }

  /**
   * Wakes a sleeping thread, whatever others say: one that was told to look may be stuck in code of its own, in a timer or a listener.
   * But none that sleeps in `join`, which may not take every job.
   * @returns false when none sleeps.
   */
  wakeAnother(joins: JoinEdges, isExclusive = false): boolean {
    for (let w = 0; w < this.#places.used; w++) {
      if (isExclusive && load(this.#words, this.#word(w) + REACH) !== ALL) continue; // [unpaired] asked again
      if (!joins.isWaiting(w) && this.wake(w)) return true;
    }
    return false;
  }

  /** Brings `readySeen` up to date. */
  countReady(): void {
    this.readySeen = 0;
    for (let w = 0; w < this.#places.used; w++) {
      if (load(this.#words, this.#word(w)) !== DEAD) this.readySeen++; // [unpaired] a hint for the host
    }
  }

  state(w: number): number {
    return load(this.#words, this.#word(w)); // [unpaired] bookkeeping and statistics
  }

  /** How many threads run or look for jobs. */
  awake(): number {
    let count = 0;
    for (let w = 0; w < this.#places.used; w++) {
      const state = load(this.#words, this.#word(w)); // [unpaired] a heuristic for spinning
      if (state === BUSY || state === SEARCHING || state === NOTIFIED) count++;
    }
    return count;
  }

  /** What thread `w` may take. */
  reachOf(w: number): number {
    return load(this.#words, this.#word(w) + REACH); // [unpaired] a hint
  }

  // For thread w itself.

  setReach(w: number, reach: Reach): void {
    store(this.#words, this.#word(w) + REACH, reach); // [P5] [P6]
  }

  setBusy(w: number): void {
    store(this.#words, this.#word(w), BUSY); // [P2]
  }

  setSearching(w: number): void {
    store(this.#words, this.#word(w), SEARCHING); // [P2] m1, m5
  }

  /** m2: the caller must search once more, then either `stayAwake` or `sleep`. */
  announceSleep(w: number): void {
    store(this.#words, this.#word(w), ASLEEP); // [P1]
  }

  /** m6. When a wake-up came meanwhile it is used up here; as after `setBusy`, the caller wakes another if more jobs remain. */
  stayAwake(w: number): void {
    store(this.#words, this.#word(w), BUSY); // [P2] a NOTIFIED in between is the same as not having slept
  }

  /**
   * Blocks until a producer wakes this thread, at most `timeoutMs`. May block: it runs in the thread's own dispatch loop,
   * which holds no job.
   * @returns 'awake': woken, before or during the wait. 'idle': m3, the time is over; the thread goes to its event loop.
   */
  sleep(w: number, timeoutMs: number): "awake" | "idle" {
    const word = this.#word(w);
    // 'not-equal': NOTIFIED. 'ok': NOTIFIED, or still ASLEEP when the notify of an earlier wake-up came late; looking again is
    // harmless. 'timed-out': may still lose the race to a producer's CAS. [P3]
    if (wait(this.#words, word, ASLEEP, timeoutMs) !== "timed-out") return "awake";
    return cas(this.#words, word, ASLEEP, IDLE) ? "idle" : "awake"; // [P3] I1
  }

  /**
   * Blocks like `sleep`, for a thread that waits inside a job and has no event loop to go to: afterwards the caller stores BUSY or
   * SEARCHING, whatever woke it.
   * @returns whether anybody has.
   */
  doze(w: number, timeoutMs: number): boolean {
    return wait(this.#words, this.#word(w), ASLEEP, timeoutMs) !== "timed-out"; // [P3] all three results mean: look again
  }

  /** In IDLE: a promise that resolves when a producer wakes the thread, or null when that has happened already. */
  whenWoken(w: number): Promise<unknown> | null {
    return waitAsync(this.#words, this.#word(w), IDLE); // [P3] I2
  }

  // For the host.

  /** m7, and before a thread starts. Finishes the wake-ups that the thread may have begun (see Liveness). */
  setDead(w: number): void {
    store(this.#words, this.#word(w), DEAD); // [unpaired] the thread has ended, nothing runs beside this
    store(this.#words, this.#word(w) + OUTPUT, 0); // [unpaired] as the line above
    store(this.#words, this.#word(w) + MAIL, 0); // [unpaired] as the line above
    store(this.#words, this.#word(w) + REACH, ALL); // [unpaired] as the line above
    store(this.#words, this.#word(w) + PACE, 0); // [unpaired] as the line above
    this.finishWakeUps();
  }

  /** Of a thread that has ended, or of this one, which had no stack for the second half of m4. */
  finishWakeUps(): void {
    for (let w = 0; w < this.#places.used; w++) {
      const word = this.#word(w);
      if (load(this.#words, word) === NOTIFIED) notify(this.#words, word); // [P3] one notify too many is harmless, m5
    }
  }

  // Messages that a thread without a job is to take in without its event loop.

  /** After posting to thread `w`. */
  announceMail(w: number): void {
    store(this.#words, this.#word(w) + MAIL, 1); // [P4]
    this.wake(w);
  }

  hasMail(w: number): boolean {
    return load(this.#words, this.#word(w) + MAIL) !== 0; // [P4]
  }

  /** By thread `w`, which takes its messages in if this is true. */
  takeMail(w: number): boolean {
    if (!this.hasMail(w)) return false;
    store(this.#words, this.#word(w) + MAIL, 0); // [P4]
    return true;
  }

  // Jobs past the queues, which are not to be lost with a thread that is ended.

  /** By the host, before it posts jobs to thread `w`. @returns false: it may take none now. */
  beginHanding(w: number): boolean {
    store(this.#words, this.#word(w) + HANDING, 1); // [P6]
    if (load(this.#words, this.#word(w) + REACH) !== OWN) return true; // [P6]
    this.endHanding(w);
    return false;
  }

  /** They are posted, and announced. */
  endHanding(w: number): void {
    store(this.#words, this.#word(w) + HANDING, 0); // [P6]
    notify(this.#words, this.#word(w) + HANDING); // [P6]
  }

  /** By thread `w`, which has told that it takes nothing any more. Blocks while the host is posting to it, some microseconds. */
  awaitHanding(w: number): void {
    wait(this.#words, this.#word(w) + HANDING, 1, Infinity); // [P6] all results mean: it is over
  }

  /** By thread `w`. */
  setPace(w: number, usPerJob: number): void {
    store(this.#words, this.#word(w) + PACE, usPerJob); // [unpaired] a hint
  }

  paceOf(w: number): number {
    return load(this.#words, this.#word(w) + PACE); // [unpaired] a hint
  }

  // Console output on its way: hazard H16.

  setOutputPending(w: number, pending: boolean): void {
    store(this.#words, this.#word(w) + OUTPUT, pending ? 1 : 0); // [unpaired] ordered by the PARK store that follows
  }

  anyBusy(): boolean {
    for (let w = 0; w < this.#places.used; w++) {
      if (load(this.#words, this.#word(w)) === BUSY) return true; // [unpaired] asked again until false
    }
    return false;
  }

  anyOutputPending(): boolean {
    for (let w = 0; w < this.#places.used; w++) {
      if (load(this.#words, this.#word(w) + OUTPUT) !== 0) return true; // [unpaired] asked again until false
    }
    return false;
  }

  #word(w: number): number {
    return this.#base + w * LINE_WORDS;
  }
}
