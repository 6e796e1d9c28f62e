import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ArrayTaskQueue, FixedQueue, type Task, type TaskQueue } from "../src/index.ts";

type Step = "push" | "unshift" | "shift" | { readonly remove: number };

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant<Step>("push") },
    { weight: 2, arbitrary: fc.constant<Step>("shift") },
    { weight: 2, arbitrary: fc.constant<Step>("unshift") },
    fc.record({ remove: fc.nat(60) }),
  ),
  { maxLength: 120 },
);

/** @returns what was taken out, and the sizes on the way. */
function play(queue: TaskQueue, given: readonly Step[]): unknown[] {
  const seen: unknown[] = [];
  /** Whatever was put in and is not out again: what `remove` may be given. */
  const inside: Task[] = [];
  const take = (): Task | null => {
    const task = queue.shift();
    if (task !== null) inside.splice(inside.indexOf(task), 1);
    return task;
  };
  let id = 0;
  for (const step of given) {
    const task = { id: id++ } as unknown as Task;
    if (step === "shift") seen.push(take());
    else if (typeof step === "object") {
      if (inside.length > 0) queue.remove(inside.splice(step.remove % inside.length, 1)[0]!);
    } else {
      queue[step]!(task);
      inside.push(task);
    }
    seen.push(queue.size);
  }
  while (queue.size > 0) seen.push(take());
  return [...seen, queue.shift()];
}

class Model implements TaskQueue {
  #tasks: Task[] = [];

  get size(): number {
    return this.#tasks.length;
  }

  push(task: Task): void {
    this.#tasks.push(task);
  }

  unshift(task: Task): void {
    this.#tasks.unshift(task);
  }

  shift(): Task | null {
    return this.#tasks.shift() ?? null;
  }

  remove(task: Task): void {
    this.#tasks = this.#tasks.filter((each) => each !== task);
  }
}

describe.each([
  ["FixedQueue", () => new FixedQueue()],
  ["ArrayTaskQueue", () => new ArrayTaskQueue()],
] as const)("%s", (_name, makeQueue) => {
  it("does what a list does", () => {
    fc.assert(
      fc.property(steps, (given) => {
        expect(play(makeQueue(), given)).toEqual(play(new Model(), given));
      }),
    );
  });
});
