/**
 * The messages of a job name it by the task of its call. A streaming job goes on with another one when that has the stream, and must not hold the
 * first: the stream would never be collected. Remembered only for streams that begin while somebody listens.
 */
const calls = new WeakMap<object, WeakRef<object>>();

/** `task` stands for the job that `called` has stood for. */
export function nameAs(task: object, called: object): void {
  calls.set(task, new WeakRef(called));
}

/** The task that messages name; `task` itself if the call's was collected: nobody knows it any more. */
export function calledTask(task: object): object {
  return calls.get(task)?.deref() ?? task;
}
