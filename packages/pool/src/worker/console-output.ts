/**
 * Console output of a thread goes through the main thread's event loop, and the second chunk waits until the first has
 * arrived (hazard H16). What waits for it: the process, which stays alive; this thread, which stays in its event loop; and the outcome of
 * a job that has printed, so that a program which ends with its last job loses nothing.
 */
import { AsyncScope } from "@skein/context";
import { clearTimeout, setTimeout } from "../shared/timers.ts";
import { process } from "../shared/intrinsics.ts";

/** Longest wait for output, in milliseconds: somebody may have put something else in place of a stream. */
const PATIENCE_MS = 1000;

type Output = NodeJS.WriteStream;

const streams: readonly Output[] = [process.stdout, process.stderr];
/** As they were before a job could put something else in their place. */
const writes = streams.map((stream) => stream.write.bind(stream));

export function outputPending(): boolean {
  return streams[0]!.writableLength > 0 || streams[1]!.writableLength > 0;
}

/** Calls `done` from the event loop, once, when what was written until now has arrived, or, with false, has been waited for long enough. */
export function whenOutputFlushed(done: (hasArrived: boolean) => void): void {
  AsyncScope.root.run(() => {
    let left = 0;
    const timer = setTimeout(() => {
      left = -1;
      done(false);
    }, PATIENCE_MS);
    timer.unref();
    const arrived = (): void => {
      if (--left !== 0) return;
      clearTimeout(timer);
      done(true);
    };
    // One more, so that none of them is the last before all were asked.
    left++;
    for (const [i, stream] of streams.entries()) {
      // A job may have ended it.
      if (stream.writableLength === 0 || !stream.writable) continue;
      left++;
      writes[i]!("", arrived);
    }
    arrived();
  });
}
