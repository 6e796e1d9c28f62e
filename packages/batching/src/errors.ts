import { SkeinError, nameErrorClass } from "@skein/context/errors";

export { InvalidOperationError } from "@skein/context/errors";

/** A slot holds as many waiting items as it may; the item was not accepted. */
export class CapacityExceededError extends SkeinError {
  static {
    nameErrorClass(this, "CapacityExceededError");
  }

  readonly slot: number;

  constructor(slot: number, limit: string) {
    super("ERR_SKEIN_CAPACITY_EXCEEDED", `Slot ${slot} is full: ${limit}`);
    this.slot = slot;
  }
}

/** An item takes more bytes than the shared memory of its slot has: it could never be accepted. */
export class ItemTooLargeError extends SkeinError {
  static {
    nameErrorClass(this, "ItemTooLargeError");
  }

  readonly sizeBytes: number;
  readonly limitBytes: number;

  constructor(sizeBytes: number, limitBytes: number) {
    super(
      "ERR_SKEIN_ITEM_TOO_LARGE",
      `The item takes ${sizeBytes} bytes; the shared memory of its slot has ${limitBytes}`,
    );
    this.sizeBytes = sizeBytes;
    this.limitBytes = limitBytes;
  }
}

/** Disposal found batches whose pump had failed, and nobody who would have seen the report of `complete()`. */
export class BatchesFailedError extends SkeinError {
  static {
    nameErrorClass(this, "BatchesFailedError");
  }

  readonly failed: readonly {
    readonly items: readonly unknown[];
    readonly slot: number;
    readonly error: unknown;
  }[];

  /** How many more items were in failed batches that were not kept. */
  readonly failedItemsDropped: number;

  constructor(failed: BatchesFailedError["failed"], failedItemsDropped: number = 0) {
    const more =
      failedItemsDropped === 0 ? "" : `, and ${failedItemsDropped} items in more that were not kept`;
    super(
      "ERR_SKEIN_BATCHES_FAILED",
      `${failed.length} batches failed${more}, and no \`onError\` decided about them`,
      { cause: failed[0]?.error },
    );
    this.failed = failed;
    this.failedItemsDropped = failedItemsDropped;
  }
}

/** An item that a SharedProducer was given holds something that cannot be copied to the consumer's thread. Nothing was pushed. */
export class NotCloneableError extends SkeinError {
  static {
    nameErrorClass(this, "NotCloneableError");
  }

  /** Where the value is, for example `item.rows[0].toString`. */
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super("ERR_SKEIN_NOT_CLONEABLE", `${path} ${problem}`, options);
    this.path = path;
  }
}
