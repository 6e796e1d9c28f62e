import { argumentRangeError } from "@skein/context/errors";
import { tryCancel, tryFault, trySucceed } from "../task-state.ts";
import { createTask } from "../task.ts";
import type { Task } from "../task.ts";
import type { ValueTaskSource } from "./value-task-source.ts";

/** A task that ends as the operation does. Consumes the operation. */
export function sourceAsTask<T>(source: ValueTaskSource<T>, token: number): Task<T> {
  const task = createTask<T>("inline");
  const relay = new Relay(source, token, task);
  if (source.getStatus(token) === "pending") source.onCompleted(relayOnce, relay, token, 0);
  else relayOnce(relay);
  return task;
}

class Relay {
  readonly #source: ValueTaskSource<unknown>;
  readonly #token: number;
  readonly #task: Task<unknown>;
  #isDone = false;

  constructor(source: ValueTaskSource<unknown>, token: number, task: Task<unknown>) {
    this.#source = source;
    this.#token = token;
    this.#task = task;
  }

  complete(): void {
    if (this.#isDone)
      throw argumentRangeError("state", "given once; the source called back twice", "the state again");
    this.#isDone = true;
    let result: unknown;
    let isCanceled = false;
    try {
      // Before getResult: a pooled source forgets it there.
      isCanceled = this.#source.getStatus(this.#token) === "canceled";
      result = this.#source.getResult(this.#token);
    } catch (error) {
      if (isCanceled) tryCancel(this.#task, error);
      else tryFault(this.#task, error);
      return;
    }
    trySucceed(this.#task, result);
  }
}

/** @throws RangeError when a source calls back with something else, or again (A6.9). */
function relayOnce(state: unknown): void {
  if (!(state instanceof Relay)) throw argumentRangeError("state", "what onCompleted was given", state);
  state.complete();
}
