/** Items that go in one message and have nothing in common there: each is copied for itself, as if it were sent alone. */

/** Arrives as an array. */
export class Chunk {
  readonly items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}
