/** Why a job is where it is, in sentences. */
import { count, duration, jobName, plural } from "./format.ts";
import { type Job, stateOf } from "./job.ts";
import type { Model } from "./model.ts";

/** So many are named. */
const NAMED = 3;

export function whyWaiting(model: Model, job: Job): string[] {
  switch (stateOf(job)) {
    case "queued":
      return whyQueued(model, job);
    case "running":
      return whyRunning(model, job);
    case "awaiting":
      return [...whyAwaiting(model, job), ...cancellation(model, job)];
    case "finished":
      return [
        "Its outcome is written. The thread that submitted it has yet to take it in: it is busy, or its event loop is.",
      ];
    case "settled":
    default:
      return [];
  }
}

function whyQueued(model: Model, job: Job): string[] {
  const ahead = [...model.jobs.values()].filter(
    (other) =>
      other.priority === job.priority && stateOf(other) === "queued" && other.submitted < job.submitted,
  ).length;
  const threads = model.lanes.filter(({ index, exit }) => index >= 0 && exit === null);
  const busy = threads.filter(({ open }) => open.some(({ kind }) => kind === "run" || kind === "resume"));
  const place =
    ahead === 0
      ? `It is the next of priority “${job.priority}”.`
      : `${plural(ahead * model.oneIn, "job")} of priority “${job.priority}” came before and still wait${ahead * model.oneIn === 1 ? "s" : ""}.`;
  const higher =
    job.priority === "high" ? 0 : model.queued[0] + (job.priority === "low" ? model.queued[1] : 0);
  const first = higher === 0 ? [] : [`${count(higher)} of a higher priority go first, as a rule.`];
  if (threads.length === 0) return [place, "The pool has no thread yet: the first is starting."];
  if (busy.length < threads.length) {
    const [, , , , placed] = model.queued;
    const unless = placed === 0 ? "" : ", unless the job is for another thread alone";
    return [
      place,
      ...first,
      `A thread is free: it takes the job at any moment${unless}, or jobs of its own hold it.`,
    ];
  }
  const longest = busy
    .map((lane) => ({ lane, slice: lane.open.find(({ kind }) => kind === "run" || kind === "resume")! }))
    .toSorted((a, b) => a.slice.start - b.slice.start)[0]!;
  return [
    place,
    ...first,
    `All ${threads.length} threads are busy; ${longest.lane.name} has run ${model.functionName(longest.slice.fn)} for ${duration(model.nowUs - longest.slice.start)}.`,
  ];
}

function whyRunning(model: Model, job: Job): string[] {
  const lane = model.laneOf(job.lane);
  const sentence = `Its function runs on ${lane?.name ?? "a thread"}, since ${duration(model.nowUs - job.runningSince)}.`;
  const top = lane?.open.at(-1);
  const inside = lane?.open.findLast(({ job: id }) => id !== 0);
  if (top?.kind === "joining")
    return [sentence, `It waits in join. ${childrenText(model, job) ?? "What for is not known."}`];
  if (inside !== undefined && inside.job !== job.id)
    return [
      sentence,
      `It waits in join, and its thread helps meanwhile: with ${model.functionName(inside.fn)} (${jobName(inside.job)}).`,
    ];
  return [sentence, ...cancellation(model, job)];
}

function whyAwaiting(model: Model, job: Job): string[] {
  const children = childrenText(model, job);
  const since = `It awaits since ${duration(model.nowUs - job.awaitingSince)}.`;
  if (job.awaitingSince < 0)
    return ["Its function has begun; its module, or its arguments, are being loaded."];
  if (children !== null) return [since, children];
  return [
    since,
    "None of the jobs it has submitted is open, as far as this page has seen: it is a timer, a socket or another promise.",
  ];
}

function childrenText(model: Model, job: Job): string | null {
  const open = (job.children ?? [])
    .map((id) => model.jobs.get(id))
    .filter((child) => child !== undefined && stateOf(child) !== "settled") as Job[];
  if (open.length === 0) return null;
  const named = open
    .slice(0, NAMED)
    .map((child) => `${model.functionName(child.fn)} (${jobName(child.id)}, ${stateOf(child)})`);
  const rest = open.length > NAMED ? ` and ${plural(open.length - NAMED, "other")}` : "";
  return `Jobs that it has submitted have yet to settle: ${named.join(", ")}${rest}.`;
}

function cancellation(model: Model, job: Job): string[] {
  return job.canceled < 0
    ? []
    : [`It was asked to stop ${duration(model.nowUs - job.canceled)} ago, and has not.`];
}
