/** One worker thread, seen from the host: started under the empty context, unref'ed, spoken to over a port of its own. */
import { MessageChannel, type MessagePort, type Transferable, Worker } from "node:worker_threads";
import { AsyncScope } from "@skein/context";
import { marked } from "../jobs/pool-thread.ts";
import { isDeno } from "../shared/is-deno.ts";
import { threadEntry } from "../thread-entry.ts";
import { explained, noThreadEntry } from "./thread-entry-missing.ts";
import { MessageIntake } from "../messages/message-intake.ts";
import { LaneReceiver, LaneSender } from "../transfer/memory-lane.ts";
import { ThreadLead } from "./thread-lead.ts";
import { type ThreadOptions, threadStart } from "./thread-flags.ts";
import { type HandledThread, ThreadHandle } from "./thread-handle.ts";
import type { HostMessage, ThreadData, WorkerMessage } from "../messages/protocol.ts";
import { Promise } from "../shared/intrinsics.ts";

export interface ThreadEvents {
  message(thread: PoolThread, message: WorkerMessage): void;
  /** A user ends it. */
  dismissed(thread: PoolThread): void;
  /** Once, after the thread has ended; `cause` is the uncaught error that ended it, if one did. */
  exit(thread: PoolThread, exitCode: number, cause: unknown): void;
}

export class PoolThread {
  readonly index: number;
  readonly serial: number;
  /** Of `worker_threads`. */
  readonly threadId: number;
  /** What it loads before it is ready. */
  readonly modules: readonly string[];
  readonly port: MessagePort;
  readonly intake: MessageIntake<WorkerMessage>;
  /** Takes no more jobs, and ends when it has finished what it has. */
  isLeaving = false;
  /** Looks for jobs, or has: it has loaded what it needs. */
  isReady = false;
  /** Is to take the place of another, and does not count before (recycling.ts). */
  isSpare = false;
  /** Was told to leave when its successor was ready: nobody has to start for it when it has ended. */
  isReplaced = false;
  /** Has said that it had nothing to do for `idleTimeoutMs`. */
  isIdle = false;
  /** Calls `dispose`, then ends. */
  isDisposing = false;
  /** The pool has ended it, because a job on it did not stop, or a user has. */
  wasTerminated = false;
  /** Was terminated, and does not end: nobody waits for it any more. Its place is taken until it has ended. */
  isLost = false;
  /** Still on the roster until all it had is settled. */
  hasEnded = false;
  readonly #worker: Worker;
  readonly #handled: HandledThread;
  /** Of jobs that it was given past the queues, with their carried values. */
  readonly lead: ThreadLead = new ThreadLead();
  /** For the memory of jobs that it is sent ahead. */
  readonly lane: LaneSender = new LaneSender((port) => this.post({ type: "lane", port }, [port]));
  /** For the memory of results that it has for the host. */
  readonly results: LaneReceiver = new LaneReceiver();
  #cause: unknown;
  readonly ended: Promise<void>;

  constructor(data: Omit<ThreadData, "port" | "type">, options: ThreadOptions, events: ThreadEvents) {
    this.index = data.index;
    this.serial = data.serial;
    this.modules = data.modules;
    // Handlers run in the context in which their emitter was made (hazard H14): never in that of a request.
    const { worker, port } = AsyncScope.root.run(startWorker, data, options);
    // No closure over `data`: the listeners below would keep for life all the memories that it lists.
    this.#handled = AsyncScope.root.run(ThreadHandle.of, worker, options.name, data.index, {
      isLeaving: () => this.isLeaving || this.wasTerminated || this.hasEnded,
      terminate: () => {
        events.dismissed(this);
        return this.ended;
      },
    });
    this.port = port;
    this.#worker = worker;
    this.threadId = worker.threadId;
    this.intake = new MessageIntake<WorkerMessage>(
      port,
      (message) => events.message(this, message),
      // A carried value that cannot be received: its job rejects when its result, or the news of its progress, is there.
      () => {},
    );
    worker.on("error", (error: unknown) => {
      this.#cause = explained(error);
    });
    this.ended = new Promise((resolve) => {
      worker.on("exit", (exitCode) => {
        events.exit(this, exitCode, this.#cause);
        port.close();
        resolve();
      });
    });
    // After the listeners: adding one refs again (H12).
    port.unref();
    worker.unref();
  }

  /** For users. */
  get handle(): ThreadHandle {
    return this.#handled.handle;
  }

  /** It has got ready, and that was told; or it has ended. */
  opened(): void {
    this.#handled.open();
  }

  post(message: HostMessage, transfer?: readonly Transferable[]): void {
    if (transfer === undefined) this.port.postMessage(message);
    else this.port.postMessage(message, transfer);
  }

  /** Ends the thread wherever it is. `ended` resolves when it has. */
  terminate(): void {
    void this.#worker.terminate();
  }

  /** While somebody waits for the thread's end. */
  ref(): void {
    this.#worker.ref();
  }

  unref(): void {
    this.#worker.unref();
  }
}

function startWorker(
  data: Omit<ThreadData, "port" | "type">,
  options: ThreadOptions,
): { worker: Worker; port: MessagePort } {
  if (threadEntry === null) throw noThreadEntry();
  const { port1, port2 } = new MessageChannel();
  const { entry, options: workerOptions } = threadStart(threadEntry, options);
  const threadData: ThreadData = { ...data, type: "skein:thread", port: port2 };
  // See worker/thread-data.ts. The options have no prototype: thread-flags.ts.
  const first = isDeno ? { workerData: threadData, transferList: [port2] } : null;
  const worker = marked(
    () => new Worker(entry, first === null ? workerOptions : { ...workerOptions, ...first }),
  );
  if (!isDeno) worker.postMessage(threadData, [port2]);
  return { worker, port: port1 };
}
