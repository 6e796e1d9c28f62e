/**
 * How soon a thread that cannot load a module any more is replaced (worker/module-table.ts). At once, as a rule: the next job shall not meet
 * a failure that is over. A module that fails on the replacements too costs a thread each time, so they come ever less often.
 *
 * Threads that were there when a failure was counted have met the same one: they do not count again.
 */
const AT_ONCE = 4;
const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 1000;
/** After so long without a failure the next one is the first again. */
const FORGET_MS = 10_000;

interface Failures {
  count: number;
  /** Of the newest thread when the last one was counted. */
  newest: number;
  at: number;
}

export class ReloadLimit {
  /** By URL. Those of modules that failed of late. */
  readonly #failures = new Map<string, Failures>();

  /**
   * The thread with this serial has failed to load the module at `url`.
   * @param newest The highest serial of all threads. @param now In milliseconds.
   * @returns after how many milliseconds the thread may be replaced; 0: at once.
   */
  delayMs(url: string, serial: number, newest: number, now: number): number {
    const before = this.#failures.get(url);
    if (before === undefined || now - before.at > FORGET_MS) {
      for (const [other, { at }] of this.#failures) if (now - at > FORGET_MS) this.#failures.delete(other);
      this.#failures.set(url, { count: 1, newest, at: now });
      return 0;
    }
    if (serial > before.newest) {
      before.count++;
      before.newest = newest;
      before.at = now;
    }
    return before.count <= AT_ONCE
      ? 0
      : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (before.count - AT_ONCE - 1));
  }
}
