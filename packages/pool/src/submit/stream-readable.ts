/** A stream of results as a Web ReadableStream. */
import type { ReadableByteStreamController, ReadableStream } from "node:stream/web";
import { argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import type { JobStream, ReadableOptions } from "./job-stream.ts";
import { process } from "../shared/intrinsics.ts";

const names: OptionNames<ReadableOptions> = { type: true };

/** It asks for an item when it is read: what runs ahead is the job. */
export function readableOf<T>(stream: JobStream<T>, options: ReadableOptions | undefined): ReadableStream<T> {
  const { type } = ownOptions(options, names);
  if (type !== undefined && type !== "bytes") throw argumentTypeError("type", '"bytes" or undefined', type);
  // As it is now: loading it takes a millisecond, which only who asks for it pays.
  const web = process.getBuiltinModule("node:stream/web");
  const cancel = async (): Promise<void> => {
    await stream.return();
  };
  if (type === undefined)
    return new web.ReadableStream<T>(
      {
        async pull(controller) {
          const { done, value } = await stream.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        },
        cancel,
      },
      { highWaterMark: 0 },
    );
  return new web.ReadableStream({
    type,
    pull: (controller) => pullBytes(stream, controller),
    cancel,
  }) as ReadableStream<T>;
}

async function pullBytes(
  stream: JobStream<unknown>,
  controller: ReadableByteStreamController,
): Promise<void> {
  for (;;) {
    const { done, value } = await stream.next();
    if (done === true) {
      controller.close();
      controller.byobRequest?.respond(0);
      return;
    }
    if (!ArrayBuffer.isView(value)) {
      await stream.throw(
        argumentTypeError("item", "a typed array or DataView, for a stream of bytes", value),
      );
      return;
    }
    // It takes no empty ones.
    if (value.byteLength === 0) continue;
    try {
      controller.enqueue(value);
    } catch (error) {
      // Of shared memory.
      await stream.throw(error);
    }
    return;
  }
}
