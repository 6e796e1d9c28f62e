/**
 * Jobs that come to this thread past the queues: their slots are RUNNING and its own, so nobody else can run them unless they are given
 * back. In the order in which they are run:
 *
 * | list      | the job                                                        | may go back |
 * | --------- | -------------------------------------------------------------- | ----------- |
 * | resumable | was claimed, its carried values were not here; now they are    | no          |
 * | handed    | came in a message together with its carried values             | yes         |
 * | assigned  | is for this thread alone (broadcast)                           | no          |
 */
export class Arrivals {
  readonly #giveBack: (slots: readonly number[]) => void;
  readonly #resumable: number[] = [];
  readonly #handed: number[] = [];
  readonly #assigned: number[] = [];

  /** @param giveBack Gives handed jobs to others: this thread has not begun them. */
  constructor(giveBack: (slots: readonly number[]) => void) {
    this.#giveBack = giveBack;
  }

  resume(slot: number): void {
    this.#resumable.push(slot);
  }

  hand(slot: number): void {
    this.#handed.push(slot);
  }

  assign(slot: number): void {
    this.#assigned.push(slot);
  }

  get hasResumable(): boolean {
    return this.#resumable.length > 0;
  }

  get hasHanded(): boolean {
    return this.#handed.length > 0;
  }

  get isEmpty(): boolean {
    return this.#resumable.length + this.#handed.length + this.#assigned.length === 0;
  }

  /** Whether the job in `slot` waits here for its turn to go on. */
  isResumable(slot: number): boolean {
    return this.#resumable.includes(slot);
  }

  /** The next job that came with a message, unless `accepts` refuses it. */
  get nextHanded(): number | undefined {
    return this.#handed[0];
  }

  takeResumable(): number | undefined {
    return this.#resumable.shift();
  }

  takeHanded(): number | undefined {
    return this.#handed.shift();
  }

  /** The first that `accepts` takes. */
  takeAssigned(accepts: (slot: number) => boolean): number | undefined {
    const at = this.#assigned.findIndex((slot) => accepts(slot));
    return at < 0 ? undefined : this.#assigned.splice(at, 1)[0];
  }

  giveBackHanded(): void {
    if (this.#handed.length > 0) this.#giveBack(this.#handed.splice(0));
  }
}
