/** BullMQ's backend for whoever listens to the events of a queue, with less to do for each job. */
import type { BackendFactory, IQueueBackend } from "bullmq";
import { Promise } from "./native-promise.ts";
import { setTimeout } from "./timers.ts";

/** So many jobs are many. */
const MANY = 32;
/** While many are under way: then one answer has many events. */
const PAUSE_MS = 2;
/** The others say where a job stands. */
const heard: ReadonlySet<string> = new Set(["completed", "failed", "progress"]);

type Events = Awaited<ReturnType<IQueueBackend["readEvents"]>>;

export interface EventReading {
  /** How many jobs of this caller are. */
  readonly underWay: () => number;
  /**
   * The last event before them. BullMQ would look for the last one when it begins to read, and again each time that none has come: those between
   * two such looks nobody would hear of.
   */
  readonly begin: () => Promise<string>;
  /** The longest wait for an event while any job is under way. */
  readonly waitMs: number;
}

export function readingEvents(
  backend: BackendFactory<IQueueBackend, never>,
  { underWay, begin, waitMs }: EventReading,
): BackendFactory<IQueueBackend, never> {
  return (...args) => {
    const made = backend(...args);
    const read = made.readEvents.bind(made);
    made.readEvents = async (last, idleMs) => {
      // "$" is whatever comes from now on.
      if (last !== "$" && underWay() >= MANY) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const from = last === "$" ? await begin() : last;
      return outcomesOf(await read(from, underWay() > 0 ? waitMs : idleMs));
    };
    return made;
  };
}

/** The last event stays, whatever it is: by its id BullMQ knows where to go on. */
function outcomesOf(events: Events): Events {
  return events?.map(([stream, entries]) => [
    stream,
    entries.filter(([, fields], i) => {
      const at = fields.indexOf("event");
      return i === entries.length - 1 || at < 0 || heard.has(fields[at + 1]!);
    }),
  ]);
}
