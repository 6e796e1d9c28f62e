/**
 * The controller of the model tests: starts the threads once, then runs them through many schedules, one atomic operation at a
 * time. A schedule is a list of choices (schedules.ts): which thread goes on, which wait times out, which thread is ended. Between the steps the test looks at the
 * memory. What fails is thrown with the seed and the steps.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { createLayout, type Layout } from "../../../src/shared/layout.ts";
import { TraceMemory } from "../../../src/shared/trace/trace-log.ts";
import {
  announce,
  ARGUMENTS,
  ASKING,
  awaitChange,
  DONE,
  ERROR_TEXT,
  FAILED,
  FAULT,
  GO,
  GRANT,
  HANDSHAKE_BYTES,
  INDEX,
  KILL,
  LOG,
  MODEL_THREADS,
  neverLook,
  NOTIFIED,
  OP,
  type Operation,
  OPERATIONS,
  PROGRAM,
  REGISTERED,
  RUNNING,
  STATUS,
  threadBase,
  TIMED_OUT,
  VALUE,
} from "./handshake.ts";
import { controlBytes, exitWord, messageWord } from "./model-words.ts";
import type { ModelThreadData } from "./model.worker.ts";
import { keepToOneCore } from "./one-core.ts";
import { programs, TRACE_RECORDS } from "./programs.ts";
import type { Choice, Run, Scenario } from "./scenario.ts";
import { byChance, DepthFirst } from "./schedules.ts";

const MAX_STEPS = 2000;

export class Model implements AsyncDisposable, Run {
  readonly layout: Layout;
  readonly control: Int32Array;
  readonly slotsBuffer: SharedArrayBuffer;
  readonly #traceBuffer: SharedArrayBuffer = new TraceMemory(TRACE_RECORDS).buffer;
  killed = -1;
  readonly #handshake: Int32Array;
  readonly #handshakeBuffer = new SharedArrayBuffer(HANDSHAKE_BYTES);
  readonly #controlBuffer: SharedArrayBuffer;
  readonly #workers: Worker[] = [];
  /** By thread: a wake-up that a blocked thread, or its pending waitAsync, has got. */
  readonly #woken: boolean[] = [];
  /** By thread: the word of its pending waitAsync, or -1. */
  readonly #asyncWord: number[] = [];
  #trace: string[] = [];
  #threads = 0;
  #timeoutsLeft = 0;
  #mortal: readonly number[] = [];

  private constructor(maxThreads: number) {
    this.layout = createLayout(4, maxThreads, 2);
    this.#controlBuffer = new SharedArrayBuffer(controlBytes(this.layout));
    this.control = new Int32Array(this.#controlBuffer);
    this.slotsBuffer = new SharedArrayBuffer(this.layout.slotsBytes);
    this.#handshake = new Int32Array(this.#handshakeBuffer);
  }

  /** @param maxThreads Of the layout; the model always has three threads. */
  static async start(maxThreads = 2): Promise<Model> {
    const model = new Model(maxThreads);
    const onOneCore = keepToOneCore();
    if (onOneCore) neverLook();
    for (let thread = 0; thread < MODEL_THREADS; thread++) {
      model.#handshake[threadBase(thread) + STATUS] = DONE;
      const workerData: ModelThreadData = {
        handshake: model.#handshakeBuffer,
        control: model.#controlBuffer,
        slots: model.slotsBuffer,
        trace: model.#traceBuffer,
        layout: model.layout,
        thread,
        onOneCore,
      };
      model.#workers.push(new Worker(new URL("./model.worker.ts", import.meta.url), { workerData }));
    }
    await Promise.all(model.#workers.map((worker) => once(worker, "message")));
    return model;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /**
   * All schedules with at most so many preemptions, SKEIN_MODEL_DEPTH more when that is set, depth first.
   * @returns how many those were.
   */
  explore(scenario: Scenario, maxPreemptions: number, maxSchedules = 20_000): number {
    const schedules = new DepthFirst(maxPreemptions + Number(process.env["SKEIN_MODEL_DEPTH"] ?? 0));
    let count = 0;
    do {
      if (++count > maxSchedules) throw new Error(`More than ${maxSchedules} schedules: lower the bound`);
      schedules.begin();
      this.#run(scenario, "", (choices) => schedules.choose(choices));
    } while (schedules.next());
    return count;
  }

  /** So many schedules by chance, SKEIN_MODEL_FACTOR times as many when that is set. @returns how many. */
  sample(scenario: Scenario, schedules: number, seed = Date.now() & 0x7fffffff): number {
    const total = schedules * Number(process.env["SKEIN_MODEL_FACTOR"] ?? 1);
    for (let i = 0; i < total; i++) this.#run(scenario, `seed ${seed + i}, `, byChance(seed + i));
    return total;
  }

  logs(thread: number): number[] {
    // Of a thread that has no program here an earlier scenario may have left some.
    if (thread >= this.#threads) return [];
    const start = threadBase(thread) + LOG;
    return [...this.#handshake.subarray(start + 1, start + 1 + this.#handshake[start]!)];
  }

  blockedOn(thread: number): number {
    if (this.#status(thread) !== ASKING || this.#woken[thread]) return -1;
    return isBlocking(this.#operation(thread)) ? this.#handshake[threadBase(thread) + INDEX]! : -1;
  }

  #run(scenario: Scenario, label: string, choose: (choices: Choice[]) => Choice): void {
    this.#begin(scenario);
    try {
      for (let steps = 0; ; steps++) {
        if (steps === MAX_STEPS) throw new Error("No end: some thread goes on without getting anywhere");
        const choices = this.#choices();
        if (!choices.some((choice) => choice.action === "step")) scenario.atRest?.(this);
        // When all are at rest nobody is ended any more.
        if (!choices.some((choice) => choice.action !== "kill")) break;
        this.#take(choose(choices));
        scenario.always?.(this);
      }
      this.#unwind();
      scenario.atEnd?.(this);
    } catch (error) {
      this.#unwind();
      const more = this.#trace.length > 200 ? ` … ${this.#trace.length} steps` : "";
      throw new Error(`${label}schedule: ${this.#trace.slice(0, 200).join(" ")}${more}`, { cause: error });
    }
  }

  #begin(scenario: Scenario): void {
    this.control.fill(0);
    new Int32Array(this.slotsBuffer).fill(0);
    new TraceMemory(TRACE_RECORDS, this.#traceBuffer).clear();
    scenario.prepare(this);
    this.killed = -1;
    this.#trace = [];
    this.#threads = scenario.threads.length;
    this.#mortal = scenario.mortal ?? [];
    this.#timeoutsLeft = scenario.timeouts ?? 0;
    const { fault } = scenario;
    this.#handshake.set(
      fault === undefined
        ? [0]
        : [
            1,
            OPERATIONS.indexOf(fault.operation),
            fault.from,
            fault.to,
            fault.value,
            OPERATIONS.indexOf(fault.until),
          ],
      FAULT,
    );
    const names = Object.keys(programs);
    for (const [thread, [program, ...args]] of scenario.threads.entries()) {
      this.#woken[thread] = false;
      this.#asyncWord[thread] = -1;
      const base = threadBase(thread);
      this.#handshake[base + PROGRAM] = names.indexOf(program);
      this.#handshake.set([args.length, ...args], base + ARGUMENTS);
      // The thread runs up to its first operation.
      announce(this.#handshake, base + STATUS, RUNNING);
      awaitChange(this.#handshake, base + STATUS, RUNNING);
    }
  }

  #choices(): Choice[] {
    const choices: Choice[] = [];
    for (let thread = 0; thread < this.#threads; thread++) {
      if (this.#status(thread) !== ASKING) continue;
      const operation = this.#operation(thread);
      if (!isBlocking(operation) || this.#woken[thread]) choices.push({ thread, action: "step" });
      else if (operation === "waiting" && this.#timeoutsLeft > 0) choices.push({ thread, action: "timeout" });
      if (this.killed < 0 && this.#mortal.includes(thread)) choices.push({ thread, action: "kill" });
    }
    return choices;
  }

  #take({ thread, action }: Choice): void {
    const base = threadBase(thread);
    const operation = this.#operation(thread);
    const index = this.#handshake[base + INDEX]!;
    this.#trace.push(
      action === "step"
        ? `${thread}:${operation}[${index}]${operation === "load" ? "" : `=${this.#handshake[base + VALUE]}`}`
        : `${thread}:${action}`,
    );
    if (action === "kill") {
      this.#grant(thread, KILL);
      this.#woken[thread] = false;
      this.#asyncWord[thread] = -1;
      this.killed = thread;
      // The host hears of it, in its event loop.
      this.control[exitWord(this.layout)] = thread + 1;
      this.control[messageWord(this.layout)]!++;
      this.#notify(exitWord(this.layout));
      this.#notify(messageWord(this.layout));
      return;
    }
    if (action === "timeout") {
      this.#timeoutsLeft--;
      this.#grant(thread, TIMED_OUT);
      return;
    }
    if (isBlocking(operation)) {
      this.#woken[thread] = false;
      if (operation === "awaiting") this.#asyncWord[thread] = -1;
      this.#grant(thread, NOTIFIED);
      return;
    }
    this.#handshake[base + REGISTERED] = 0;
    this.#grant(thread, GO);
    if (operation === "notify") this.#notify(index);
    if (operation === "waitAsync" && this.#handshake[base + REGISTERED] === 1)
      this.#asyncWord[thread] = index;
  }

  #notify(word: number): void {
    for (let thread = 0; thread < this.#threads; thread++) {
      if (this.blockedOn(thread) === word || this.#asyncWord[thread] === word) this.#woken[thread] = true;
    }
  }

  #grant(thread: number, grant: number): void {
    const base = threadBase(thread);
    Atomics.store(this.#handshake, base + STATUS, RUNNING);
    announce(this.#handshake, base + GRANT, grant);
    if (awaitChange(this.#handshake, base + STATUS, RUNNING) !== FAILED) return;
    const start = base + ERROR_TEXT;
    const codes = this.#handshake.subarray(start + 1, start + 1 + this.#handshake[start]!);
    throw new Error(`Thread ${thread}: ${String.fromCharCode(...codes)}`);
  }

  /** Ends the threads that are still there. */
  #unwind(): void {
    for (let thread = 0; thread < this.#threads; thread++) {
      if (this.#status(thread) === ASKING) this.#grant(thread, KILL);
    }
  }

  #status(thread: number): number {
    return Atomics.load(this.#handshake, threadBase(thread) + STATUS);
  }

  #operation(thread: number): Operation {
    return OPERATIONS[this.#handshake[threadBase(thread) + OP]!]!;
  }
}

function isBlocking(operation: Operation): boolean {
  return operation === "waiting" || operation === "waiting without end" || operation === "awaiting";
}
