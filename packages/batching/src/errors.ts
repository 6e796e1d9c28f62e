import { SkeinError } from "@skein/context/errors";

export { InvalidOperationError } from "@skein/context/errors";

/** A slot holds as many waiting items as it may; the item was not accepted. */
export class CapacityExceededError extends SkeinError {
  readonly slot: number;

  constructor(slot: number, limit: string) {
    super("ERR_SKEIN_CAPACITY_EXCEEDED", `Slot ${slot} is full: ${limit}`);
    this.slot = slot;
  }
}

/** An item takes more bytes than the shared memory of its slot has: it could never be accepted. */
export class ItemTooLargeError extends SkeinError {
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
  readonly failed: readonly {
    readonly items: readonly unknown[];
    readonly slot: number;
    readonly error: unknown;
  }[];

  constructor(failed: BatchesFailedError["failed"]) {
    super("ERR_SKEIN_BATCHES_FAILED", `${failed.length} batches failed, and there is no \`onError\``, {
      cause: failed[0]?.error,
    });
    this.failed = failed;
  }
}
