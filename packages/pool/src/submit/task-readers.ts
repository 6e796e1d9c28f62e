/** What readers of a stream have of the call that gave it: its policy, and its task, whose outcome is the end. */
import { type Task, TaskCompletionSource } from "@skein/scheduling";
import { rejectionOf } from "./pending-job.ts";
import type { MakeWaiting, TellEnd } from "./stream-readers.ts";
import type { SubmitOptions } from "./submit-options.ts";

/** The policy decides how who awaits an item goes on. */
export function waitingBy(policy: SubmitOptions["continuations"]): MakeWaiting | null {
  if (policy === undefined) return null;
  return (by) => {
    const source = new TaskCompletionSource<IteratorResult<unknown, unknown>>(policy);
    return {
      promise: source.task,
      by,
      resolve: (result) => void source.trySetResult(result),
      reject: (error) => void source.trySetError(rejectionOf(error)),
    };
  };
}

export function endOf(completion: Task<unknown>): TellEnd {
  return (waiting) => {
    if (completion.status === "succeeded") waiting.resolve({ done: true, value: completion.result });
    else void completion.then(undefined, (error: unknown) => waiting.reject(error));
  };
}
