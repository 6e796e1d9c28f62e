/** Queues of tasks that no thread has taken, as Piscina has them: an interface, and two first-in first-out queues. */
import { reportUncaught } from "./report-uncaught.ts";
import type { kQueueOptions } from "./symbols.ts";

export interface Task {
  readonly [kQueueOptions]: object | null;
}

/** What queues and load balancers see of a task. */
export interface PiscinaTask extends Task {
  readonly taskId: number;
  readonly filename: string;
  readonly name: string;
  readonly created: number;
  readonly isAbortable: boolean;
}

export interface TaskQueue {
  readonly size: number;
  shift(): Task | null;
  remove(task: Task): void;
  push(task: Task): void;
  unshift?(task: Task): void;
}

export function isTaskQueue(value: unknown): value is TaskQueue {
  if (typeof value !== "object" || value === null || !("size" in value)) return false;
  const { shift, remove, push } = value as Partial<TaskQueue>;
  return [shift, remove, push].every((method) => typeof method === "function");
}

/** Whoever takes the task out goes on, whatever a queue of the program's throws: a task that is over is skipped where it stays. */
export function takeOut(queue: TaskQueue, task: Task): void {
  try {
    queue.remove(task);
  } catch (error) {
    reportUncaught(error);
  }
}

export class ArrayTaskQueue implements TaskQueue {
  readonly tasks: Task[] = [];

  get size(): number {
    return this.tasks.length;
  }

  shift(): Task | null {
    return this.tasks.shift() ?? null;
  }

  push(task: Task): void {
    this.tasks.push(task);
  }

  unshift(task: Task): void {
    this.tasks.unshift(task);
  }

  /** @throws RangeError when the task is not in the queue. */
  remove(task: Task): void {
    const index = this.tasks.indexOf(task);
    if (index < 0) throw new RangeError("The task is not in the queue");
    this.tasks.splice(index, 1);
  }
}

/** Taking from the front costs the same however long it is: a ring that doubles when it is full. */
export class FixedQueue implements TaskQueue {
  #ring: (Task | undefined)[] = Array.from({ length: 16 }, () => undefined);
  #first = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  isEmpty(): boolean {
    return this.#size === 0;
  }

  push(task: Task): void {
    this.#makeRoom();
    this.#ring[this.#at(this.#size++)] = task;
  }

  unshift(task: Task): void {
    this.#makeRoom();
    this.#first = this.#at(-1);
    this.#ring[this.#first] = task;
    this.#size++;
  }

  shift(): Task | null {
    if (this.#size === 0) return null;
    const task = this.#ring[this.#first]!;
    this.#ring[this.#first] = undefined;
    this.#first = this.#at(1);
    this.#size--;
    return task;
  }

  /** Nothing happens when the task is not in the queue. */
  remove(task: Task): void {
    for (let i = 0; i < this.#size; i++) {
      if (this.#ring[this.#at(i)] !== task) continue;
      if (i === 0) {
        this.shift();
        return;
      }
      for (let j = i + 1; j < this.#size; j++) this.#ring[this.#at(j - 1)] = this.#ring[this.#at(j)];
      this.#ring[this.#at(--this.#size)] = undefined;
      return;
    }
  }

  #at(offset: number): number {
    return (this.#first + offset) & (this.#ring.length - 1);
  }

  #makeRoom(): void {
    const { length } = this.#ring;
    if (this.#size < length) return;
    this.#ring = Array.from({ length: 2 * length }, (_, i) =>
      i < length ? this.#ring[this.#at(i)] : undefined,
    );
    this.#first = 0;
  }
}
