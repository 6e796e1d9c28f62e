/**
 * One process, seen from the pool: its pipes, what was sent to it, and its end. Started under the empty context, unref'ed.
 *
 * A job sent   | taken | its journey is in the process                                                      | send
 *              | left  | the journey was taken back; the process has not come to its request yet            | WITHDRAWN
 *              | over  | its reply is here; the lifeline owes answers about it, or it is not in `#sent` any more | REPLY
 * Invariants   I1 No two jobs that are in `#sent` have the same word in the process: `hasRoom`.
 */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { AsyncScope } from "@skein/context";
import { decodeValue } from "../adapter/encoded-value.ts";
import { FrameReader } from "../adapter/frame-reader.ts";
import { FrameWriter } from "../adapter/frame-writer.ts";
import type { JobReply, JobReport } from "../adapter/job-request.ts";
import * as Frames from "../adapter/process-frames.ts";
import { type ErrorWire, fromWire } from "../codec/error-wire.ts";
import { CallState } from "../shared/call-state.ts";
import { stringify } from "../shared/intrinsics.ts";
import { clearTimeout, now, setImmediate, setTimeout } from "../shared/timers.ts";
import { BEGUN, type Journey, OVER, SENT } from "./journey.ts";
import { RequestWriter } from "./request-writer.ts";
import { type SpawnSettings, spawnProcess } from "./spawn.ts";

/** How long what a dead process has written is waited for: somebody else may hold its pipe open. */
const PIPES_MS = 1000;

/** What a pool hears of its process. */
export interface ProcessEvents {
  /** @param failure What a module threw that did not load. */
  ready(process: PoolProcess, failure: { readonly error: unknown } | null): void;
  /** The journey is OVER. */
  replied(process: PoolProcess, journey: Journey, reply: JobReply, times: RunTimes): void;
  /** The process has not begun it, and never will. */
  returned(journey: Journey): void;
  /** All that has come in was told. */
  heard(process: PoolProcess): void;
  /** Once, when all that it had written was told. */
  ended(process: PoolProcess, end: ProcessEnd): void;
}

/** By the clock of shared/clock.ts. */
export interface RunTimes {
  readonly beganUs: number;
  readonly ranUs: number;
}

export interface ProcessEnd {
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** Its uncaught error, or why it could not be started. */
  readonly cause: unknown;
  /** What it had, in the order in which it was sent. */
  readonly journeys: readonly Journey[];
}

interface SentJob {
  /** Null: left, or over. */
  journey: Journey | null;
  /** Of the lifeline. */
  answersDue: number;
  isReplied: boolean;
}

export class PoolProcess {
  /** 0: it could not be started. */
  readonly pid: number;
  /** What it loads before it is ready. */
  readonly modules: readonly string[];
  readonly startedAt: number = now();
  /** When there was a sign of it last. */
  heardAt: number = this.startedAt;
  /** Takes jobs: it has loaded what it needs. */
  isReady = false;
  /** Takes no more jobs, and ends when it has finished what it has. */
  isLeaving = false;
  /** Is to take the place of another, and does not count before: host/recycling.ts. */
  isSpare = false;
  isReplaced = false;
  /** For an exclusive job: "next": it gets no other job before; "now": it has it. */
  reserved: "no" | "next" | "now" = "no";
  /** The pool has killed it. */
  wasTerminated = false;
  hasEnded = false;
  asksToLeave = false;
  /** A module has failed there for good: the next job shall not meet that. */
  cannotLoad = false;
  isToldToLeave = false;
  /** Another one is to take its place. */
  isDue = false;
  /** Jobs were recalled, and nothing has come from its main thread since: it is in a long one. */
  isStuck = false;
  /** Jobs it has, by stage. */
  unbegun = 0;
  begun = 0;
  /** Of its jobs that are SENT. */
  unbegunBytes = 0;
  /** Jobs it was ever sent, but for those that came back. */
  sent = 0;
  executed = 0;
  busyUs = 0;
  /** Of its idleness, or of its leaving. */
  timer: NodeJS.Timeout | null = null;
  readonly #child: ChildProcess;
  readonly #events: ProcessEvents;
  readonly #pipe: Socket;
  readonly #control: Socket;
  readonly #writer: FrameWriter;
  readonly #requests: RequestWriter;
  /** By number, in the order in which they were sent. */
  readonly #sent = new Map<number, SentJob>();
  #next = 0;
  #controlBytes: Uint8Array = new Uint8Array(0);
  #cause: unknown;
  #isGarbled = false;
  /** Its exit and the ends of its pipes, which have not been seen. */
  #endsLeft = 3;
  #pipesTimer: NodeJS.Timeout | null = null;

  /** @throws what `spawnProcess` throws. */
  constructor(
    settings: SpawnSettings,
    start: Frames.ProcessStart,
    workerData: Uint8Array | null,
    events: ProcessEvents,
  ) {
    this.#events = events;
    this.modules = start.modules;
    this.#child = AsyncScope.root.run(spawnProcess, settings);
    this.pid = this.#child.pid ?? 0;
    const { pipe, control } = pipesOf(this.#child);
    this.#pipe = pipe;
    this.#control = control;
    this.#writer = new FrameWriter((bytes) => {
      if (!pipe.writable) return true;
      pipe.write(bytes);
      return pipe.writableLength === 0;
    });
    this.#requests = new RequestWriter(this.#writer);
    AsyncScope.root.run(() => this.#listen());
    const text = stringify(start)!;
    this.#writer.begin(Frames.START, text.length);
    this.#writer.text(text);
    this.#writer.end(workerData);
    this.#writer.flush();
  }

  /** How many jobs it has. */
  get load(): number {
    return this.unbegun + this.begun;
  }

  unbegunJourneys(): Journey[] {
    const journeys = Array.from(this.#sent.values(), ({ journey }) => journey);
    return journeys.filter((journey) => journey !== null && journey.stage === SENT) as Journey[];
  }

  get hasRoom(): boolean {
    const [oldest = this.#next] = this.#sent.keys();
    return (this.#next - oldest) >>> 0 < Frames.AHEAD;
  }

  /** `flush` has to follow. */
  send(journey: Journey): void {
    const number = this.#next;
    this.#next = (number + 1) >>> 0;
    journey.stage = SENT;
    journey.number = number;
    journey.process = this;
    journey.isRecalled = false;
    if (this.load === 0) this.heardAt = now();
    this.#sent.set(number, { journey, answersDue: 0, isReplied: false });
    this.unbegun++;
    this.unbegunBytes += journey.bytes;
    this.sent++;
    this.#requests.write(number, journey.request);
  }

  flush(): void {
    this.#writer.flush();
  }

  /** The answer comes as `returned`, or as the reply. */
  stop({ number }: Journey): void {
    this.#tell(Frames.STOP, number);
  }

  /** What it has not begun comes back as `returned`. */
  recall(isMeant: (journey: Journey) => boolean): void {
    for (const journey of this.unbegunJourneys()) {
      if (journey.isRecalled || !isMeant(journey)) continue;
      journey.isRecalled = true;
      this.isStuck = true;
      this.#tell(Frames.RECALL, journey.number);
    }
  }

  /** It has no job, and gets none any more. */
  leave(): void {
    this.#writer.begin(Frames.LEAVE);
    this.#writer.end();
    this.#writer.flush();
  }

  /** Ends it wherever it is, also when it was stopped by a signal. */
  kill(): void {
    this.wasTerminated = true;
    this.#child.kill("SIGKILL");
  }

  #tell(op: number, number: number): void {
    const sent = this.#sent.get(number);
    if (sent === undefined || !this.#control.writable) return;
    sent.answersDue++;
    this.#control.write(Frames.controlMessage(op, number));
  }

  #listen(): void {
    const reader = new FrameReader(Frames.ANSWER_KINDS, (kind, body) => this.#onFrame(kind, body));
    this.#pipe.on("data", (bytes: Uint8Array) => {
      this.heardAt = now();
      this.isStuck = false;
      this.#hear(() => reader.push(bytes));
    });
    this.#control.on("data", (bytes: Uint8Array) => this.#hear(() => this.#onControl(bytes)));
    for (const pipe of [this.#pipe, this.#control]) {
      // Of a process that has died; its exit tells.
      pipe.on("error", () => {});
      pipe.on("close", () => this.#oneEnd());
      pipe.unref();
    }
    this.#child.on("error", (error) => {
      // It was not killed, or not started: only then there is no exit.
      if (this.pid === 0) this.#exited(error);
    });
    this.#child.on("exit", () => this.#exited(undefined));
    this.#child.unref();
  }

  /** What is no answer comes from a job that writes to the pool's pipes: nothing can be read after it, so the process ends. */
  #hear(read: () => void): void {
    if (this.#isGarbled) return;
    try {
      read();
    } catch (error) {
      this.#isGarbled = true;
      this.#cause = error;
      this.kill();
    }
    this.#events.heard(this);
  }

  #exited(error: unknown): void {
    this.#cause ??= error;
    // When the program stood still for so long, the timer comes before what has been written is read.
    this.#pipesTimer = setTimeout(() => setImmediate(() => this.#end()), PIPES_MS);
    this.#oneEnd();
  }

  #oneEnd(): void {
    if (--this.#endsLeft === 0) this.#end();
  }

  #end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    for (const timer of [this.#pipesTimer, this.timer]) if (timer !== null) clearTimeout(timer);
    this.#pipe.destroy();
    this.#control.destroy();
    const journeys = Array.from(this.#sent.values(), ({ journey }) => journey).filter(
      (each) => each !== null,
    );
    this.#sent.clear();
    this.unbegun = this.begun = 0;
    this.#events.ended(this, {
      exitCode: this.pid === 0 ? undefined : (this.#child.exitCode ?? undefined),
      signal: this.#child.signalCode ?? undefined,
      cause: this.#cause,
      journeys,
    });
  }

  #onFrame(kind: number, body: Frames.FrameBody): void {
    switch (kind) {
      case Frames.READY: {
        const hasFailed = (body.u8() & Frames.ReplyFlag.failed) !== 0;
        this.isReady = true;
        this.#events.ready(this, hasFailed ? { error: errorOf(body) } : null);
        break;
      }
      case Frames.BEGAN:
        this.#onBegan(this.#journeyOf(body.u32()));
        break;
      case Frames.REPLY:
        this.#onReply(body);
        break;
      case Frames.PROGRESS: {
        const journey = this.#journeyOf(body.u32());
        if (journey !== null) reportProgress(journey, body);
        break;
      }
      case Frames.CAUSE:
        this.#cause = errorOf(body);
    }
  }

  #onBegan(journey: Journey | null): void {
    if (journey === null || journey.stage !== SENT) return;
    journey.stage = BEGUN;
    this.unbegun--;
    this.unbegunBytes -= journey.bytes;
    this.begun++;
    new CallState(journey.request.state).begin();
    report(journey, { kind: "began" });
  }

  #onReply(body: Frames.FrameBody): void {
    const number = body.u32();
    const flags = body.u8();
    const times = { beganUs: body.f64(), ranUs: body.f64() };
    const sent = this.#sent.get(number);
    if (sent === undefined) throw Frames.foreignBytes();
    const { journey } = sent;
    sent.journey = null;
    sent.isReplied = true;
    this.#forget(number, sent);
    this.asksToLeave ||= (flags & Frames.ReplyFlag.asksToLeave) !== 0;
    this.cannotLoad ||= (flags & Frames.ReplyFlag.cannotLoad) !== 0;
    if (journey === null) return;
    if ((flags & Frames.ReplyFlag.withdrawn) !== 0) {
      this.#takeBack(journey);
      return;
    }
    this.begun--;
    this.executed++;
    this.busyUs += times.ranUs;
    journey.stage = OVER;
    const kind = (flags & Frames.ReplyFlag.failed) === 0 ? "result" : "error";
    this.#events.replied(this, journey, { kind, value: valueOf(body) }, times);
  }

  #onControl(bytes: Uint8Array): void {
    const all = Uint8Array.from([...this.#controlBytes, ...bytes]);
    let at = 0;
    for (; all.length - at >= Frames.CONTROL_BYTES; at += Frames.CONTROL_BYTES)
      this.#onAnswer(all[at]!, Frames.u32At(all, at + 1));
    this.#controlBytes = all.subarray(at);
  }

  #onAnswer(op: number, number: number): void {
    const sent = this.#sent.get(number);
    if (sent === undefined || (op !== Frames.WITHDRAWN && op !== Frames.BEGUN)) throw Frames.foreignBytes();
    const { journey } = sent;
    sent.answersDue--;
    this.#forget(number, sent);
    if (op !== Frames.WITHDRAWN || journey === null) return;
    sent.journey = null;
    this.#takeBack(journey);
  }

  #forget(number: number, { answersDue, isReplied }: SentJob): void {
    if (isReplied && answersDue === 0) this.#sent.delete(number);
  }

  #journeyOf(number: number): Journey | null {
    return this.#sent.get(number)?.journey ?? null;
  }

  #takeBack(journey: Journey): void {
    if (journey.stage === BEGUN) this.begun--;
    else {
      this.unbegun--;
      this.unbegunBytes -= journey.bytes;
    }
    this.sent--;
    this.#events.returned(journey);
  }
}

function pipesOf(child: ChildProcess): { pipe: Socket; control: Socket } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `spawnProcess` asks for them; there are none where no file can be opened
  const [, , , pipe, control] = (child.stdio ?? []) as unknown as readonly (Socket | undefined)[];
  if (pipe !== undefined && control !== undefined) return { pipe, control };
  child.on("error", () => {});
  throw new Error("No pipe to a process could be opened: the program has too many open files");
}

function report({ job, request }: Journey, message: JobReport): void {
  if (!job.isDecided) request.reports?.postMessage(message);
}

function reportProgress(journey: Journey, body: Frames.FrameBody): void {
  try {
    report(journey, { kind: "progress", value: decodeValue(valueOf(body)) });
  } catch {
    // It is nested too deeply for the stack of this thread, say. The frames behind it can be read.
    report(journey, { kind: "lost" });
  }
}

function valueOf(body: Frames.FrameBody): { bytes: Uint8Array; carried: null; shared: null } {
  return { bytes: body.rest(), carried: null, shared: null };
}

function errorOf(body: Frames.FrameBody): unknown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the process itself
  return fromWire(decodeValue(valueOf(body)) as ErrorWire);
}
