/**
 * What is noted about the jobs that a thread submits while somebody follows the pool (trace/recording.ts), beside its trace: whose they
 * are, what they failed with, and where those were submitted that failed or took long. Never arguments nor results.
 */
import { readCarrier } from "@skein/context";
import { type ErrorWire, isThrownValue } from "../codec/error-wire.ts";
import { stringify } from "../shared/intrinsics.ts";
import { now } from "../shared/timers.ts";
import { NoteWriter } from "../shared/trace/note-log.ts";
import type { TraceNotes } from "../shared/trace/thread-trace.ts";
import type { Detail } from "../shared/trace/trace-code.ts";
import { frameLines } from "./caller-frames.ts";
import type { ContextEntry } from "./context-entries.ts";
import { type PendingJob, THREW } from "./pending-job.ts";

/** A line is an array: whose values they are, and then those; or what became of the job. */
export type JobNote =
  | readonly [kind: "context", job: number, values: Readonly<Record<string, string>>]
  | readonly [kind: "ended", job: number, error: string | null, frames: string | null];

/** Jobs that took less are not noted when they complete. */
const LONG_US = 1000;
/** Formatting frames takes some ten microseconds: for so many jobs in each interval. */
const FRAMES_PER_INTERVAL = 32;
const INTERVAL_MS = 500;
const VALUE_LENGTH = 200;
const FRAMES_LENGTH = 1500;

export class JobNotes implements TraceNotes {
  readonly #log: NoteWriter;
  readonly #locals: ReadonlySet<string>;
  /** Of each carrier that was seen: the names that are asked for, with their values. */
  readonly #values = new WeakMap<ContextEntry, Readonly<Record<string, string>> | null>();
  #left = 0;
  #since = -Infinity;

  /** @param locals The names of the values that may be told: of AsyncLocals, or as given to `flow`. */
  constructor(buffer: SharedArrayBuffer, locals: readonly string[]) {
    this.#log = new NoteWriter(buffer);
    this.#locals = new Set(locals);
  }

  began(key: number, job: object): void {
    const { context } = job as PendingJob;
    if (context === null || this.#locals.size === 0) return;
    let values = this.#values.get(context);
    if (values === undefined) this.#values.set(context, (values = this.#chosen(context.pieces.join(""))));
    if (values !== null) this.#write(["context", key, values]);
  }

  /** The job has been told: formatters of the user's may run. */
  settled(key: number, job: object, outcome: Detail, value: unknown, us: number): void {
    const { outcome: kind, extras } = job as PendingJob;
    const hasFailed = outcome === "failed" || outcome === "crashed";
    if (!hasFailed && us < LONG_US) return;
    const error = hasFailed ? nameOf(kind === THREW ? thrown(value as ErrorWire) : value) : null;
    const frames = extras.frames !== null && this.#mayFormat() ? frameLines(extras.frames) : undefined;
    if (error === null && frames === undefined) return;
    this.#write(["ended", key, error, frames?.slice(0, FRAMES_LENGTH) ?? null]);
  }

  #chosen(carrier: string): Readonly<Record<string, string>> | null {
    const values: [string, string][] = [];
    for (const [name, text] of readCarrier(carrier, (entry) => entry.text))
      if (this.#locals.has(name)) values.push([name, text.slice(0, VALUE_LENGTH)]);
    return values.length === 0 ? null : Object.fromEntries(values);
  }

  #mayFormat(): boolean {
    if (this.#left-- > 0) return true;
    const at = now();
    if (at - this.#since < INTERVAL_MS) return false;
    this.#since = at;
    this.#left = FRAMES_PER_INTERVAL - 1;
    return true;
  }

  /** Where `toJSON` of a built-in class was replaced, it may throw: then there is a note less. */
  #write(note: JobNote): void {
    try {
      const line = stringify(note);
      if (line !== undefined) this.#log.write(line);
    } catch {}
  }
}

/** As far as an error goes, it is that of the wire form: no class of the user's is asked. */
function thrown(wire: ErrorWire): unknown {
  return isThrownValue(wire) ? wire.thrown : wire.error;
}

/** Asks an accessor of the error's class, if it has one. */
function nameOf(error: unknown): string {
  try {
    const name: unknown = typeof error === "object" && error !== null && "name" in error ? error.name : null;
    if (typeof name === "string") return name.slice(0, VALUE_LENGTH);
  } catch {}
  return `a thrown ${typeof error}`;
}
