/**
 * Console output of a thread goes through the main thread's event loop, and the second chunk waits until the first has
 * arrived (hazard H16). The host stays alive, and this thread stays in its event loop, until everything is through.
 */
export function outputPending(): boolean {
  return process.stdout.writableLength > 0 || process.stderr.writableLength > 0;
}

/** Calls `done` from the event loop when nothing is pending any more. */
export function whenOutputFlushed(done: () => void): void {
  const stream = process.stdout.writableLength > 0 ? process.stdout : process.stderr;
  stream.write("", () => {
    if (outputPending()) whenOutputFlushed(done);
    else done();
  });
}
