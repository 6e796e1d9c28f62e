import { AsyncScope } from "@skein/context";
import { settled, whenSettled } from "./native-promise.ts";
import type { FailedBatch } from "./pump.ts";

const { process } = globalThis;

/** How many failed items are kept where `capacity` does not say. */
const KEPT_ITEMS = 10_000;
/** Warnings come after 1, 10, 100 … failed batches. */
const GROWTH = 10;
const LONGEST_TEXT = 500;

// oxlint-disable-next-line typescript/unbound-method -- applied to the process below
const { emitWarning } = process;
const define = Object.defineProperty;

/** Batches that failed and that nobody decided about: the first of them are kept for the report, and the process is told. */
export class FailureLog<T> {
  readonly #name: string | undefined;
  readonly #limit: number;
  #kept: FailedBatch<T>[] = [];
  #keptItems = 0;
  #droppedItems = 0;
  /** Batches, since the consumer was made. */
  #total = 0;
  #announceAt = 1;
  #firstError = "";

  constructor(name: string | undefined, capacity: number) {
    this.#name = name;
    this.#limit = capacity === Number.MAX_SAFE_INTEGER ? KEPT_ITEMS : capacity;
  }

  /** No user code runs in here: the warning follows in a microtask. */
  add(failure: FailedBatch<T>): void {
    // What could not be decoded was an item too.
    const items = Math.max(1, failure.items.length);
    if (this.#kept.length === 0 || this.#keptItems + items <= this.#limit) {
      this.#kept.push(failure);
      this.#keptItems += items;
    } else {
      this.#droppedItems += items;
    }
    if (++this.#total < this.#announceAt) return;
    this.#announceAt *= GROWTH;
    const total = this.#total;
    AsyncScope.root.run(whenSettled, settled, () => this.#announce(total, failure.error));
  }

  /** What was kept, and how many items were not; the next report begins anew. */
  take(): { failed: FailedBatch<T>[]; failedItemsDropped: number } {
    const report = { failed: this.#kept, failedItemsDropped: this.#droppedItems };
    this.#kept = [];
    this.#keptItems = 0;
    this.#droppedItems = 0;
    return report;
  }

  #announce(total: number, error: unknown): void {
    if (total === 1) this.#firstError = textOf(error);
    const consumer = this.#name === undefined ? "a consumer" : `the consumer "${this.#name}"`;
    const failed =
      total === 1
        ? `A batch of ${consumer} has failed with ${this.#firstError}`
        : `${total} batches of ${consumer} have failed, the first with ${this.#firstError}`;
    const message =
      `${failed}. No \`onError\` decided what to do: the report of complete() will have the first batches, ` +
      "with up to `capacity` items. Pass `onError` to retry or drop batches";
    // Errors of another realm, such as that of a test framework, are none to Node: then it makes one itself.
    if (!warn(warningOf(message, error))) warn(message, WARNING_NAME, WARNING_CODE);
  }
}

const WARNING_NAME = "BatchesFailedWarning";
const WARNING_CODE = "SKEIN_BATCHES_FAILED";

function warn(...args: unknown[]): boolean {
  try {
    Reflect.apply(emitWarning, process, args);
    return true;
  } catch {
    return false;
  }
}

/** Defined, not assigned: `Error.prototype` may be frozen. `cause` is what the batch failed with. */
function warningOf(message: string, cause: unknown): Error {
  const warning = new Error(message);
  const own = { name: WARNING_NAME, code: WARNING_CODE, cause };
  for (const [key, value] of Object.entries(own)) {
    define(warning, key, {
      __proto__: null,
      value,
      configurable: true,
      writable: true,
    } as PropertyDescriptor);
  }
  return warning;
}

/** The error may be anything, and show itself by code of the user's. */
function textOf(error: unknown): string {
  try {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : `the value ${String(error)}`;
    return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
  } catch {
    return "an error that cannot be shown";
  }
}
