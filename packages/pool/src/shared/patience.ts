/**
 * Whether to look on for something before sleeping, when what came soon after the last time might have been worth it: tried at once, and
 * ever less often while it is in vain. On a machine that is full, who looks on holds up those it waits for.
 */
const MAX_NEEDED = 64;

export class Patience {
  /** So many times it has to come soon until looking on is tried again. */
  #needed = 1;
  #soon = 0;

  /** What was looked for came while it was looked for. */
  paidOff(): void {
    if (this.#needed > 1) this.#needed >>= 1;
  }

  /** Looking on for as long as is sensible has found nothing. */
  wasInVain(): void {
    this.#needed = Math.min(MAX_NEEDED, this.#needed * 2);
  }

  /** It came soon after looking on had ended. @returns whether to try it again. */
  cameSoon(): boolean {
    if (++this.#soon < this.#needed) return false;
    this.#soon = 0;
    return true;
  }
}
