/** Items that go in one message and have nothing in common there: each is copied for itself, as if it were sent alone. */

/** Arrives as an array. */
export class Chunk {
  readonly items: readonly unknown[];
  /** How many of them were encoded: all, or those before the one at fault. */
  encoded = 0;
  /**
   * When it could not be encoded: the arguments that come piece by piece, as far as they were met. Whoever has sent the chunk lets them go: the items
   * before the one at fault may be sent again.
   */
  met: readonly { readonly source: object; isTaken: boolean }[] = [];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}
