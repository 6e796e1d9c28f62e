import type { FrameWriter } from "../adapter/frame-writer.ts";
import type { JobRequest } from "../adapter/job-request.ts";
import { JOB, JobFlag } from "../adapter/process-frames.ts";
import { type FunctionSource, textOf } from "../jobs/function-source.ts";

/** Requests of one process. Those of a burst name their function and their context once. */
export class RequestWriter {
  readonly #writer: FrameWriter;
  #source: FunctionSource | null = null;
  #function = "";
  #context: string | null = null;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  write(number: number, { fn, args, context, attempt, reports }: JobRequest): void {
    const text = fn === this.#source ? this.#function : textOf(fn);
    const isSameFunction = text === this.#function;
    const isSameContext = context !== null && context === this.#context;
    const isContextWritten = context !== null && !isSameContext;
    const writer = this.#writer;
    writer.begin(JOB, (isSameFunction ? 0 : text.length) + (isContextWritten ? context.length : 0));
    writer.u32(number);
    writer.u8(
      (isSameFunction ? JobFlag.sameFunction : 0) |
        (isSameContext ? JobFlag.sameContext : 0) |
        (context === null ? JobFlag.noContext : 0) |
        (reports === null ? 0 : JobFlag.progress),
    );
    writer.u8(attempt);
    if (!isSameFunction) writer.text(text);
    if (isContextWritten) writer.text(context);
    writer.end(args.bytes);
    this.#source = fn;
    this.#function = text;
    if (context !== null) this.#context = context;
  }
}
