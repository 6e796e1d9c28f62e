/** An object that is always there helps only as long as it has the hidden class of those that come and go. */
import { setFlagsFromString } from "node:v8";
import { describe, expect, it } from "vitest";
import { CompletionPump } from "../../src/host/completion-pump.ts";
import { keptBytes, STREAM_SHAPE, StreamReader, StreamWriter } from "../../src/shared/stream-ring.ts";
import { setImmediate } from "../../src/shared/timers.ts";
import { CallbackJob } from "../../src/submit/callback-job.ts";
import { captureCallerFrames, Frames } from "../../src/submit/caller-frames.ts";
import { noFunction } from "../../src/submit/function-registry.ts";
import { OpenedStream } from "../../src/submit/job-stream.ts";
import { StreamReaders, WaitingPromise, NO_ITEM } from "../../src/submit/stream-readers.ts";
import { defaultSubmitOptions } from "../../src/submit/submit-options.ts";
import { TaskJob } from "../../src/submit/task-job.ts";
import { ItemWriter } from "../../src/transfer/item-writer.ts";

setFlagsFromString("--allow-natives-syntax");
// oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-type-assertion -- no other way to ask V8
const haveSameMap = new Function("some", "other", "return %HaveSameMap(some, other)") as (
  some: object,
  other: object,
) => boolean;

function waiting(): object {
  const readers = new StreamReaders(() => NO_ITEM, null);
  const made = new WaitingPromise(null);
  made.by = {};
  readers.join(made);
  return made;
}

const source = { isOver: true } as never;

describe("what is kept has the hidden class of", () => {
  it.each<[string, object, () => object]>([
    ["a job", TaskJob.kept, () => new TaskJob(noFunction, defaultSubmitOptions)],
    ["the end of a ring that reads", StreamReader.kept, () => new StreamReader(keptBytes, 0, 16)],
    ["the end that writes", StreamWriter.kept, () => new StreamWriter(keptBytes, 0, STREAM_SHAPE, 16, 3)],
    [
      "a writer of items",
      ItemWriter.kept,
      () => new ItemWriter({} as never, StreamWriter.kept, keptBytes, 0, true),
    ],
    ["who waits for an item", WaitingPromise.kept, waiting],
    ["an open stream", OpenedStream.kept, () => OpenedStream.of(source)],
    ["a caller's frames", Frames.kept, () => captureCallerFrames(waiting, true)!],
    ["an Immediate", CompletionPump.kept, () => setImmediate(() => {})],
  ])("%s", (_, kept, make) => {
    expect(haveSameMap(kept, make())).toBe(true);
  });

  it("and of nothing else", () => {
    expect(haveSameMap(TaskJob.kept, CallbackJob.kept)).toBe(false);
  });
});
