/**
 * The controller of the model tests: starts the threads once, then runs them through many schedules, one atomic operation at a
 * time. A schedule is a list of choices: which thread goes on, which wait times out, which thread is ended. `explore` takes them
 * in order, depth first, up to a number of preemptions; `sample` takes them by a seed. Between the steps the test looks at the
 * memory. What fails is thrown with the seed and the steps.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { createLayout, type Layout } from "../../../src/shared/layout.ts";
import {
  announce,
  ARGUMENTS,
  ASKING,
  awaitChange,
  DONE,
  ERROR_TEXT,
  FAILED,
  FAULT,
  type Fault,
  GO,
  GRANT,
  HANDSHAKE_BYTES,
  INDEX,
  KILL,
  LOG,
  MODEL_THREADS,
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
import { type ProgramName, programs } from "./programs.ts";
import { seededRandom } from "../seeded-random.ts";

export interface Scenario {
  /** One per thread. */
  readonly threads: readonly (readonly [program: ProgramName, ...args: number[]])[];
  /** Memory is zero; fills it. */
  readonly prepare: (memory: ModelMemory) => void;
  /** What holds between any two steps. */
  readonly always?: (run: Run) => void;
  /** What holds when no thread can go on: all have finished or are blocked. */
  readonly atRest?: (run: Run) => void;
  /** What holds when the schedule is over and all threads have ended. */
  readonly atEnd?: (run: Run) => void;
  /** Threads that may be ended at any step, one of them in a schedule. */
  readonly mortal?: readonly number[];
  /** How many waits may time out in a schedule. */
  readonly timeouts?: number;
  readonly fault?: Fault;
}

export interface ModelMemory {
  readonly layout: Layout;
  readonly control: Int32Array;
  readonly slotsBuffer: SharedArrayBuffer;
}

/** What a check sees of the schedule so far. */
export interface Run extends ModelMemory {
  /** What each thread has told. */
  logs(thread: number): number[];
  /** The thread that was ended, or -1. */
  readonly killed: number;
  /** The word for which a thread is blocked, or -1. */
  blockedOn(thread: number): number;
}

type Action = "step" | "timeout" | "kill";
interface Choice {
  readonly thread: number;
  readonly action: Action;
}

const MAX_STEPS = 2000;

export class Model implements AsyncDisposable, Run {
  readonly layout: Layout = createLayout(4, 2);
  readonly control: Int32Array;
  readonly slotsBuffer: SharedArrayBuffer;
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

  private constructor() {
    this.#controlBuffer = new SharedArrayBuffer(controlBytes(this.layout));
    this.control = new Int32Array(this.#controlBuffer);
    this.slotsBuffer = new SharedArrayBuffer(this.layout.slotsBytes);
    this.#handshake = new Int32Array(this.#handshakeBuffer);
  }

  static async start(): Promise<Model> {
    const model = new Model();
    for (let thread = 0; thread < MODEL_THREADS; thread++) {
      model.#handshake[threadBase(thread) + STATUS] = DONE;
      const workerData: ModelThreadData = {
        handshake: model.#handshakeBuffer,
        control: model.#controlBuffer,
        slots: model.slotsBuffer,
        layout: model.layout,
        thread,
      };
      model.#workers.push(new Worker(new URL("./model.worker.ts", import.meta.url), { workerData }));
    }
    await Promise.all(model.#workers.map((worker) => once(worker, "message")));
    return model;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** All schedules with at most so many preemptions, depth first. @returns how many those were. */
  explore(scenario: Scenario, maxPreemptions: number, maxSchedules = 20_000): number {
    // By depth: the choices there, and which of them is taken.
    const path: { choices: Choice[]; taken: number }[] = [];
    let schedules = 0;
    for (;;) {
      if (++schedules > maxSchedules) throw new Error(`More than ${maxSchedules} schedules: lower the bound`);
      let depth = 0;
      let preemptions = 0;
      let last = 0;
      this.#run(scenario, "", (choices) => {
        const canGoOn = choices.some((choice) => choice.thread === last && choice.action === "step");
        const costs = (choice: Choice): boolean =>
          canGoOn && choice.action !== "kill" && (choice.action === "timeout" || choice.thread !== last);
        if (depth === path.length) {
          const allowed = choices.filter((choice) => preemptions < maxPreemptions || !costs(choice));
          // To go on with the same thread comes first.
          allowed.sort((a, b) => rank(a, last) - rank(b, last));
          path.push({ choices: allowed, taken: 0 });
        }
        const here = path[depth++]!;
        const choice = here.choices[here.taken]!;
        if (costs(choice)) preemptions++;
        if (choice.action !== "kill") last = choice.thread;
        return choice;
      });
      path.length = depth;
      while (path.length > 0 && path.at(-1)!.taken + 1 === path.at(-1)!.choices.length) path.pop();
      if (path.length === 0) return schedules;
      path.at(-1)!.taken++;
    }
  }

  /** So many schedules by chance, SKEIN_MODEL_FACTOR times as many when that is set. Any number of preemptions; a thread is ended in about every second one. @returns how many. */
  sample(scenario: Scenario, schedules: number, seed = Date.now() & 0x7fffffff): number {
    const total = schedules * Number(process.env["SKEIN_MODEL_FACTOR"] ?? 1);
    for (let i = 0; i < total; i++) {
      const random = seededRandom(seed + i);
      const mortal = random() < 0.5;
      // Long runs of one thread find other things than fair ones.
      const stubborn = random();
      let last = 0;
      this.#run(scenario, `seed ${seed + i}, `, (choices) => {
        const steps = choices.filter((choice) => choice.action === "step");
        const others = choices.filter(
          (choice) => choice.action !== "step" && (mortal || choice.action !== "kill"),
        );
        const same = steps.find((choice) => choice.thread === last);
        let choice: Choice;
        if (steps.length === 0 || (others.length > 0 && random() < 0.03)) {
          const from = steps.length === 0 ? choices.filter((c) => c.action === "timeout") : others;
          choice = from[Math.floor(random() * from.length)]!;
        } else if (same !== undefined && random() < stubborn) {
          choice = same;
        } else {
          choice = steps[Math.floor(random() * steps.length)]!;
        }
        last = choice.thread;
        return choice;
      });
    }
    return total;
  }

  logs(thread: number): number[] {
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

function rank(choice: Choice, last: number): number {
  if (choice.action !== "step") return 2;
  return choice.thread === last ? 0 : 1;
}
