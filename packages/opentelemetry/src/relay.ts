/**
 * `@skein/opentelemetry/relay`, spans that end on pool threads reach the exporter of the main thread
 * through shared memory. Threads need no connection of their own, and what has ended there is safe when the thread dies.
 */
import { context, createContextKey, diag, ROOT_CONTEXT } from "@opentelemetry/api";
import { MultiProducerConcurrentConsumer, type ProducerHandle, SharedProducer } from "@skein/batching";
import { argumentTypeError, type OptionNames, ownOptions } from "@skein/context/errors";
import { type RelayedSpan, readSpan, writeSpan, type WrittenSpan } from "./span-wire.ts";

export type { RelayedResource, RelayedSpan } from "./span-wire.ts";
export type { ProducerHandle } from "@skein/batching";

/** As the SDK defines it, in all its versions. */
export interface RelayedSpanExporter {
  export(spans: RelayedSpan[], done: (result: { code: number; error?: Error }) => void): void;
  shutdown(): Promise<void>;
  forceFlush?(): Promise<void>;
}

/** Options of {@link receiveSpans}. */
export interface ReceiveSpansOptions {
  /** How long a span waits for others, in milliseconds. @default 1000 */
  pushIntervalMs?: number | undefined;
  /** Of the shared memory, which holds what has not been exported yet. Spans that find no room are dropped. @default 4 MiB */
  sharedBytes?: number | undefined;
}

/** The main thread's end of a relay. */
export interface SpanReceiver extends AsyncDisposable {
  /** For `relayExporter` on the threads: `workerData: { spans: receiver.handle }`. */
  readonly handle: ProducerHandle;
}

const optionNames: OptionNames<ReceiveSpansOptions> = { pushIntervalMs: true, sharedBytes: true };
const SUCCESS = 0;
const FAILED = 1;
const BATCH_SIZE = 512;
/** As the SDK does: what an exporter sends is not traced. */
const untraced = ROOT_CONTEXT.setValue(
  createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING"),
  true,
);

/**
 * Takes the spans of threads and gives them to `exporter`, at most 512 at a time, one batch after the other. Does not keep the process
 * alive; spans that wait do. Disposing it exports what is here and leaves the exporter open. Batches that fail are dropped, with a line in
 * OpenTelemetry's `diag`.
 *
 * @throws TypeError, RangeError for a bad argument or option, naming it.
 * @example
 * const receiver = receiveSpans(new OTLPTraceExporter());
 * const pool = new ThreadPool({ initialize: new URL("./thread-telemetry.js", import.meta.url), workerData: { spans: receiver.handle } });
 */
export function receiveSpans(exporter: RelayedSpanExporter, options?: ReceiveSpansOptions): SpanReceiver {
  if (typeof (exporter as RelayedSpanExporter | null)?.export !== "function")
    throw argumentTypeError("exporter", "a SpanExporter", exporter);
  const { pushIntervalMs = 1000, sharedBytes = 4 << 20 } = ownOptions(options, optionNames);
  const consumer = new MultiProducerConcurrentConsumer<WrittenSpan>({
    batchSize: BATCH_SIZE,
    pushIntervalMs,
    sharedBytes,
    maxConcurrency: 1,
    slots: 1,
    onError: (error) => {
      diag.error("@skein/opentelemetry: spans of threads could not be exported", error);
      return "drop";
    },
  });
  consumer.start(
    (spans) =>
      new Promise<void>((resolve, reject) => {
        context.with(untraced, () =>
          exporter.export(spans.map(readSpan), ({ code, error }) => {
            if (code === SUCCESS) resolve();
            else reject(error ?? new Error("The exporter has failed"));
          }),
        );
      }),
  );
  return {
    handle: consumer.producer(0).handle,
    async [Symbol.asyncDispose]() {
      await consumer.complete();
      await exporter.forceFlush?.();
    },
  };
}

/**
 * A SpanExporter for a pool thread: what it is given is in shared memory when it returns. Use it with a SimpleSpanProcessor, which gives it
 * each span as it ends; a batching one would lose its batch with the thread. A span costs some microseconds.
 *
 * @param handle That of `receiveSpans`, from `workerData`.
 * @throws TypeError when it is not a handle.
 */
export function relayExporter(handle: ProducerHandle): RelayedSpanExporter {
  const producer = SharedProducer.attach<WrittenSpan>(handle);
  return {
    export(spans, done) {
      let lost = 0;
      let failure: { readonly error: Error } | null = null;
      for (const span of spans) {
        try {
          if (!producer.tryPush(writeSpan(span))) lost++;
        } catch (error) {
          // The others go on.
          failure ??= { error: error as Error };
        }
      }
      if (failure !== null) done({ code: FAILED, error: failure.error });
      else if (lost === 0) done({ code: SUCCESS });
      else
        done({
          code: FAILED,
          error: new Error(`${lost} spans found no room on their way to the main thread`),
        });
    },
    async shutdown() {},
    async forceFlush() {},
  };
}
