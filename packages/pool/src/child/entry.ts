/**
 * The first module of a process of a ProcessPool: its main thread, which runs the jobs.
 *
 * | the program        | the process                                                                        |
 * | ------------------ | ---------------------------------------------------------------------------------- |
 * | says LEAVE         | calls `dispose` of the initialize module, and exits (worker/thread-end.ts)         |
 * | is gone            | the pipes end: it exits; 1 s later the lifeline kills it, if a job does not let it |
 * | is asked to stop by its terminal (SIGINT) | goes on: what becomes of jobs is for the program to say     |
 */
import { Socket } from "node:net";
import { URL } from "node:url";
import { Worker, type WorkerOptions } from "node:worker_threads";
import { decodeValue, encodeValue } from "../adapter/encoded-value.ts";
import { FrameReader } from "../adapter/frame-reader.ts";
import { FrameWriter } from "../adapter/frame-writer.ts";
import * as Frames from "../adapter/process-frames.ts";
import { whenStuck } from "../adapter/run-job.ts";
import { toWire } from "../codec/error-wire.ts";
import { loadJobModule } from "../jobs/load-module.ts";
import { bare } from "../shared/bare.ts";
import { now, setImmediate } from "../shared/timers.ts";
import { parseJson, process } from "../shared/intrinsics.ts";
import { refuseForks } from "../worker/fork-refusal.ts";
import { ThreadEnd } from "../worker/thread-end.ts";
import { LocalJobs } from "./local-jobs.ts";
import { RequestReader } from "./request-reader.ts";

/** Between two looks at the heap, which take microseconds. */
const HEAP_LOOK_MS = 5;

const words = new Int32Array(new SharedArrayBuffer(Frames.WORDS * 4));
startLifeline();

const exit = process.exit.bind(process);
const { getHeapStatistics } = process.getBuiltinModule("node:v8");
const pipe = new Socket(bare({ fd: Frames.JOB_FD, readable: true, writable: true }));
const writer = new FrameWriter((bytes) => {
  pipe.write(bytes);
  return pipe.writableLength === 0;
});
const requests = new RequestReader();
const end = new ThreadEnd({ disposing: () => {} });
let jobs: LocalJobs | null = null;
let isReady = false;
let isStuck = false;
whenStuck(() => {
  isStuck = true;
});

const reader = new FrameReader(Frames.REQUEST_KINDS, (kind, body) => {
  switch (kind) {
    case Frames.START:
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON of our own
      start(parseJson(body.text()) as Frames.ProcessStart, body.rest());
      break;
    case Frames.JOB:
      jobs!.add(requests.read(body));
      break;
    case Frames.LEAVE:
      writer.flush();
      end.begin();
  }
});
pipe.on("data", (bytes: Uint8Array) => {
  reader.push(bytes);
  if (isReady) jobs!.run();
});
pipe.on("error", () => {});
pipe.on("close", () => exit());
process.on("SIGINT", () => {});
process.on("uncaughtExceptionMonitor", (error: unknown) => {
  const isHandled =
    process.listenerCount("uncaughtException") > 0 || process.hasUncaughtExceptionCaptureCallback();
  if (isHandled) return;
  // Getters of the error may write frames of their own.
  const bytes = errorBytes(error);
  writer.begin(Frames.CAUSE);
  writer.end(bytes);
  writer.flush();
});
refuseForks("ProcessPool");

function start(data: Frames.ProcessStart, workerData: Uint8Array): void {
  if (workerData.length > 0) {
    const threads: { workerData: unknown } = process.getBuiltinModule("node:worker_threads");
    threads.workerData = decodeValue({ bytes: workerData, carried: null, shared: null });
    process.getBuiltinModule("node:module").syncBuiltinESMExports();
  }
  void begin(data);
}

async function begin({
  initialize,
  modules,
  jobsPerThread,
  maxHeapBytes,
}: Frames.ProcessStart): Promise<void> {
  const heapIsFull = heapLook(maxHeapBytes);
  jobs = new LocalJobs({
    writer,
    isFlushed: () => pipe.writableLength === 0,
    whenFlushed: (then) => pipe.write("", () => then()),
    words,
    jobsPerThread,
    asksToLeave: heapIsFull,
    cannotLoad: () => isStuck,
  });
  let failure: { readonly error: unknown } | null;
  try {
    if (initialize !== null) end.disposeBy(await loadJobModule(initialize));
    failure = await loadModules(modules);
  } catch (error) {
    // Thrown outside of the promise, it ends the process whatever that does with unhandled rejections.
    setImmediate(() => {
      throw error;
    });
    return;
  }
  isReady = true;
  const bytes = failure === null ? null : errorBytes(failure.error);
  writer.begin(Frames.READY);
  writer.u8(bytes === null ? 0 : Frames.ReplyFlag.failed);
  writer.end(bytes);
  writer.flush();
}

/** @returns the first error. A module that does not load harms none but its own jobs. */
async function loadModules(urls: readonly string[]): Promise<{ readonly error: unknown } | null> {
  let first: { readonly error: unknown } | null = null;
  for (const url of urls) {
    try {
      await loadJobModule(url);
    } catch (error) {
      first ??= { error };
    }
  }
  return first;
}

function heapLook(maxHeapBytes: number | null): () => boolean {
  if (maxHeapBytes === null) return () => false;
  let nextAt = 0;
  return () => {
    const at = now();
    if (at < nextAt) return false;
    nextAt = at + HEAP_LOOK_MS;
    return getHeapStatistics().used_heap_size >= maxHeapBytes;
  };
}

function errorBytes(error: unknown): Uint8Array {
  try {
    return encodeValue(toWire(error, true), "error", { bytesOnly: true }).value.bytes;
  } catch (notSent) {
    return encodeValue(toWire(notSent), "error").value.bytes;
  }
}

/** Without the preloads and the environment of the program: there is nothing of the user's on it. */
function startLifeline(): void {
  const file = import.meta.url.endsWith(".ts") ? "./lifeline.ts" : "./lifeline.js";
  const options: WorkerOptions = {
    workerData: words,
    env: bare({}),
    execArgv: [],
    resourceLimits: bare({ maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 }),
  };
  const lifeline = new Worker(new URL(file, import.meta.url), bare(options));
  lifeline.unref();
}
