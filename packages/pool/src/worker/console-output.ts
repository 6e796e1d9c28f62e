/**
 * Console output of a thread goes through the main thread's event loop, and the second chunk waits until the first has
 * arrived (hazard H16). What waits for it: the process, which stays alive; this thread, which stays in its event loop; and the outcome of
 * a job that has printed, so that a program which ends with its last job loses nothing.
 */
import { AsyncScope } from "@skein/context";
import { clearTimeout, setTimeout } from "../shared/timers.ts";

/** Longest wait for output, in milliseconds: somebody may have put something else in place of a stream. */
const PATIENCE_MS = 1000;

type Output = NodeJS.WriteStream;

const streams: readonly Output[] = [process.stdout, process.stderr];

export function outputPending(): boolean {
  return streams[0]!.writableLength > 0 || streams[1]!.writableLength > 0;
}

/** Calls `done` from the event loop, once, when what was written until now has arrived, or has been waited for long enough. */
export function whenOutputFlushed(done: () => void): void {
  AsyncScope.root.run(() => {
    let left = 0;
    const timer = setTimeout(() => {
      left = -1;
      done();
    }, PATIENCE_MS);
    timer.unref();
    const arrived = (): void => {
      if (--left !== 0) return;
      clearTimeout(timer);
      done();
    };
    for (const stream of streams) {
      if (stream.writableLength === 0) continue;
      left++;
      stream.write("", arrived);
    }
    if (left === 0) {
      clearTimeout(timer);
      done();
    }
  });
}
