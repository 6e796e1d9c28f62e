/**
 * Faults that nobody observed reach Node's `unhandledRejection`, once, after the turn in which the task faulted.
 *
 * Faulted tasks without an observer are collected; one check per turn, behind its microtasks, looks at them again. For
 * those still unobserved it makes a native promise that is rejected with the very error, so that Node's own machinery
 * (listeners, `--unhandled-rejections` modes, exit codes) decides what follows. It is made in the context in which the task faulted:
 * listeners see that where Node shows them the context of a promise.
 */

import { AsyncScope } from "@skein/context";
import { nextTick, queueMicrotask } from "./timers.ts";

interface Fault<F> {
  readonly of: F;
  readonly scope: AsyncScope;
}

/** Collects faulted tasks; what a fault is, its owner tells. */
export class FaultWatch<F> {
  readonly #isObserved: (fault: F) => boolean;
  readonly #errorOf: (fault: F) => unknown;
  readonly #checkAfterMicrotasks: () => void;
  #faults: Fault<F>[] = [];

  constructor(isObserved: (fault: F) => boolean, errorOf: (fault: F) => unknown) {
    this.#isObserved = isObserved;
    this.#errorOf = errorOf;
    const check = (): void => this.#check();
    // A tick that is queued from inside a microtask runs when the microtasks have run out.
    this.#checkAfterMicrotasks = () => nextTick(check);
  }

  add(fault: F): void {
    const scope = AsyncScope.capture();
    // Before the first is added: where the stack is full this throws, and the next fault must ask again.
    if (this.#faults.length === 0) AsyncScope.root.run(queueMicrotask, this.#checkAfterMicrotasks);
    this.#faults.push({ of: fault, scope });
  }

  #check(): void {
    const faults = this.#faults;
    this.#faults = [];
    for (const { of: fault, scope } of faults) {
      if (!this.#isObserved(fault)) void scope.runOnce(reject, this.#errorOf(fault));
    }
  }
}

/** For `unhandledRejection`: nobody else sees the promise. */
async function reject(error: unknown): Promise<void> {
  throw error;
}
