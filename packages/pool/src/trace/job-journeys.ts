/** What became of each job, from the records of all threads: which arrows can be drawn, and how many jobs waited when. */
import { RECORD_FIELDS } from "../shared/trace/trace-log.ts";
import { KIND, kindOf, priorityOf, serialOf } from "../shared/trace/trace-code.ts";

/** A job as far as it was recorded. */
export interface Journey {
  /** Microseconds; undefined when that is not in the trace. */
  submittedAt: number | undefined;
  settledAt: number | undefined;
  /** By start. */
  readonly runs: Run[];
}

interface Run {
  readonly submittedAt: number;
  readonly start: number;
  readonly end: number;
}

/** So many microseconds between two values of a counter, at least. */
const COUNTER_STEP_US = 10;
export const QUEUES = ["high", "normal", "low", "local"] as const;
const LOCAL = QUEUES.indexOf("local");
const NORMAL = QUEUES.indexOf("normal");

export class JobJourneys {
  readonly #journeys = new Map<number, Journey>();

  /** @param records RECORD_FIELDS numbers each, of one thread. */
  add(records: Float64Array): void {
    for (let at = 0; at < records.length; at += RECORD_FIELDS) {
      const key = records[at + 2]!;
      if (key === 0) continue;
      const start = records[at]!;
      const kind = kindOf(records[at + 3]!);
      if (kind === KIND.submit) this.#of(key).submittedAt = start;
      else if (kind === KIND.settle) this.#of(key).settledAt = start;
      else if (kind === KIND.run) {
        this.#of(key).runs.push({ submittedAt: records[at + 4]!, start, end: records[at + 1]! });
      }
    }
    for (const { runs } of this.#journeys.values()) {
      if (runs.length > 1) runs.sort((a, b) => a.start - b.start);
    }
  }

  get(key: number): Journey | undefined {
    return this.#journeys.get(key);
  }

  /** How many jobs waited in each of QUEUES, whenever that changed. A job waits from its submission until it runs or settles. */
  *queueDepths(): Generator<{ readonly at: number; readonly depths: readonly number[] }> {
    const times: number[] = [];
    const changes: number[] = [];
    const change = (at: number, queue: number, by: 1 | -1): void => {
      times.push(at);
      changes.push(by * (queue + 1));
    };
    for (const [key, { submittedAt, settledAt, runs }] of this.#journeys) {
      const queue = queueOf(key);
      let since = submittedAt ?? runs[0]?.submittedAt;
      if (since === undefined) continue;
      for (const { start, end } of runs) {
        change(since, queue, 1);
        change(start, queue, -1);
        // If there is another one: its thread died, and it waited again.
        since = end;
      }
      if (runs.length > 0) continue;
      change(since, queue, 1);
      if (settledAt !== undefined) change(settledAt, queue, -1);
    }
    const order = Uint32Array.from(times.keys()).toSorted(
      (a, b) => times[a]! - times[b]! || changes[b]! - changes[a]!,
    );
    const depths = QUEUES.map(() => 0);
    let shownAt = -Infinity;
    for (const [i, index] of order.entries()) {
      const by = changes[index]!;
      depths[Math.abs(by) - 1]! += Math.sign(by);
      const at = times[index]!;
      const next = order[i + 1];
      const isLastOfStep = next === undefined || times[next]! >= shownAt + COUNTER_STEP_US;
      if (!isLastOfStep) continue;
      shownAt = at;
      yield { at, depths };
    }
  }

  #of(key: number): Journey {
    let journey = this.#journeys.get(key);
    if (journey === undefined) {
      journey = { submittedAt: undefined, settledAt: undefined, runs: [] };
      this.#journeys.set(key, journey);
    }
    return journey;
  }
}

/** Of QUEUES: as Submission puts them. */
function queueOf(key: number): number {
  const priority = priorityOf(key);
  return serialOf(key) > 0 && priority === NORMAL ? LOCAL : priority;
}
