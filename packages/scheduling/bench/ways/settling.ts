/** A completion, somebody who waits for it, and the result. */
import { type ContinuationPolicy, type Task, TaskCompletionSource, awaiter } from "@skein/scheduling";

let received = 0;
function receive(value: number): void {
  received += value;
}

export async function resolveThen(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { promise, resolve } = Promise.withResolvers<number>();
    void promise.then(receive);
    resolve(1);
  }
  await Promise.resolve();
}

/** With the policies that put off continuations, the last ones run after this. */
export function setResultThen(continuations: ContinuationPolicy): (count: number) => void {
  const options = { continuations };
  return (count) => {
    for (let i = 0; i < count; i++) {
      const completion = new TaskCompletionSource<number>(options);
      void completion.task.then(receive);
      completion.setResult(1);
    }
  };
}

function receiveTask(task: Task<number>): void {
  received += task.result;
}

/** As in a program, where who waits is not who completes. */
function receiveFrom(task: Task<number>): void {
  task[awaiter]().unsafeOnCompleted(receiveTask, task);
}

const inline = { continuations: "inline" } as const;

export function setResultContinuation(count: number): void {
  for (let i = 0; i < count; i++) {
    const completion = new TaskCompletionSource<number>(inline);
    receiveFrom(completion.task);
    completion.setResult(1);
  }
}
