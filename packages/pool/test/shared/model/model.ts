/**
 * The controller of the model tests: runs threads through many schedules, one atomic operation at a time. The threads are generators, made from
 * the pool's own code (test/support/stepping.ts). A schedule is a list of choices (schedules.ts): which thread goes on, which wait times
 * out, which thread is ended. Between the steps the test looks at the memory. What fails is thrown with the seed and the steps.
 */
import { createLayout, type Layout } from "../../../src/shared/layout.ts";
import { createLoopDelayBuffer } from "../../../src/shared/trace/loop-delay.ts";
import { createNotesBuffer } from "../../../src/shared/trace/note-log.ts";
import { TraceMemory } from "../../../src/shared/trace/trace-log.ts";
import { controlBytes, exitWord, messageWord } from "./model-words.ts";
import type { Answer, Operation, Request, Steps } from "./operations.ts";
import { LOOP_DELAYS, NOTES_BYTES, TRACE_RECORDS } from "./programs.ts";
import { programs } from "./programs.ts?stepped";
import type { Choice, Run, Scenario } from "./scenario.ts";
import { byChance, DepthFirst } from "./schedules.ts";
import { beginSchedule, enter, isSteps, type ThreadState } from "./stepped-atomics.ts";

const MAX_STEPS = 2000;

interface Thread extends ThreadState {
  readonly steps: Steps<unknown>;
  /** What it asks for; null when it has ended. */
  request: Request | null;
  readonly log: number[];
  /** It is blocked, or its waitAsync is pending, and it has got a wake-up. */
  isWoken: boolean;
  /** The word of its pending waitAsync, or -1. */
  asyncWord: number;
}

export class Model implements Run {
  readonly layout: Layout;
  readonly control: Int32Array;
  readonly slotsBuffer: SharedArrayBuffer;
  readonly #traceBuffer: SharedArrayBuffer = new TraceMemory(TRACE_RECORDS).buffer;
  readonly #notesBuffer: SharedArrayBuffer = createNotesBuffer(NOTES_BYTES);
  readonly #loopDelayBuffer: SharedArrayBuffer = createLoopDelayBuffer(LOOP_DELAYS);
  killed = -1;
  readonly #threads: Thread[] = [];
  #trace: string[] = [];
  #timeoutsLeft = 0;
  #mortal: readonly number[] = [];

  /** @param maxThreads Of the layout. */
  constructor(maxThreads = 2) {
    this.layout = createLayout(4, maxThreads, 2);
    this.control = new Int32Array(new SharedArrayBuffer(controlBytes(this.layout)));
    this.slotsBuffer = new SharedArrayBuffer(this.layout.slotsBytes);
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
    return [...(this.#threads[thread]?.log ?? [])];
  }

  blockedOn(thread: number): number {
    const { request, isWoken } = this.#threads[thread]!;
    return request !== null && !isWoken && isBlocking(request.operation) ? request.index : -1;
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
      scenario.atEnd?.(this);
    } catch (error) {
      const more = this.#trace.length > 200 ? ` … ${this.#trace.length} steps` : "";
      throw new Error(`${label}schedule: ${this.#trace.slice(0, 200).join(" ")}${more}`, { cause: error });
    }
  }

  #begin(scenario: Scenario): void {
    this.control.fill(0);
    new Int32Array(this.slotsBuffer).fill(0);
    new TraceMemory(TRACE_RECORDS, this.#traceBuffer).clear();
    new Uint8Array(this.#notesBuffer).fill(0);
    new Uint8Array(this.#loopDelayBuffer).fill(0);
    scenario.prepare(this);
    this.killed = -1;
    this.#trace = [];
    this.#mortal = scenario.mortal ?? [];
    this.#timeoutsLeft = scenario.timeouts ?? 0;
    beginSchedule(this.control, scenario.fault ?? null);
    this.#threads.length = 0;
    for (const [thread, [program, ...args]] of scenario.threads.entries()) {
      const log: number[] = [];
      const environment = {
        control: this.control,
        slotsBuffer: this.slotsBuffer,
        traceBuffer: this.#traceBuffer,
        notesBuffer: this.#notesBuffer,
        loopDelayBuffer: this.#loopDelayBuffer,
        layout: this.layout,
        thread,
        log: (...values: number[]) => void log.push(...values),
      };
      const steps = programs[program]!(environment, ...args);
      if (!isSteps(steps)) throw new Error(`${program} has no atomic operation`);
      const state = {
        steps,
        log,
        request: null,
        delayed: null,
        isRegistered: false,
        isWoken: false,
        asyncWord: -1,
      };
      this.#threads.push(state);
      // Up to its first operation.
      this.#goOn(thread, "go");
    }
  }

  #choices(): Choice[] {
    const choices: Choice[] = [];
    for (const [thread, { request, isWoken }] of this.#threads.entries()) {
      if (request === null) continue;
      if (!isBlocking(request.operation) || isWoken) choices.push({ thread, action: "step" });
      else if (request.operation === "waiting" && this.#timeoutsLeft > 0)
        choices.push({ thread, action: "timeout" });
      if (this.killed < 0 && this.#mortal.includes(thread)) choices.push({ thread, action: "kill" });
    }
    return choices;
  }

  #take({ thread, action }: Choice): void {
    const state = this.#threads[thread]!;
    const { operation, index, value } = state.request!;
    this.#trace.push(
      action === "step"
        ? `${thread}:${operation}[${index}]${operation === "load" ? "" : `=${value}`}`
        : `${thread}:${action}`,
    );
    if (action === "kill") {
      // Nothing of it runs any more, no `finally` either.
      state.request = null;
      state.isWoken = false;
      state.asyncWord = -1;
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
      this.#goOn(thread, "timed-out");
      return;
    }
    if (isBlocking(operation)) {
      state.isWoken = false;
      if (operation === "awaiting") state.asyncWord = -1;
      this.#goOn(thread, "notified");
      return;
    }
    state.isRegistered = false;
    this.#goOn(thread, "go");
    if (operation === "notify") this.#notify(index);
    if (operation === "waitAsync" && state.isRegistered) state.asyncWord = index;
  }

  #notify(word: number): void {
    for (const [thread, state] of this.#threads.entries()) {
      if (this.blockedOn(thread) === word || state.asyncWord === word) state.isWoken = true;
    }
  }

  /** Performs what it has asked for, and runs it up to its next operation. */
  #goOn(thread: number, answer: Answer): void {
    const state = this.#threads[thread]!;
    enter(state);
    try {
      const { done, value } = state.steps.next(answer);
      state.request = done === true ? null : value;
    } catch (error) {
      state.request = null;
      throw new Error(`Thread ${thread}`, { cause: error });
    }
  }
}

function isBlocking(operation: Operation): boolean {
  return operation === "waiting" || operation === "waiting without end" || operation === "awaiting";
}
