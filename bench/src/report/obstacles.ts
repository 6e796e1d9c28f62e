/** What keeps us from goals, and what was tried: told under their table for those that are not met. */
import { isMet, type Goal, type MeasuredGoal } from "./goal-table.ts";

interface Obstacle {
  /** Goals by how their `what` begins; of several that fit, the first counts. */
  readonly of: readonly string[];
  readonly why: string;
  readonly tried?: string;
}

const obstacles: readonly Obstacle[] = [
  {
    of: ["the first burst", "its later bursts", "a burst of 100 000", "CPU of the caller", "garbage per job"],
    why: "A job is a task that somebody can await, under a policy, in a context, and the calling thread makes and settles each. In the first ten thousand jobs V8 has yet to compile that path, on the cores that the pool runs on. The bare slots have no task, no context and no error",
    tried:
      "one object for a job and all that it holds; contexts that are encoded once; one object of each class that stays, so that a collection does not take its hidden class and all compiled code along. Without gain: constructors made from text, a bundle in two parts, waking the thread earlier, letting it sleep later",
  },
  {
    of: ["a call after 5 ms"],
    why: "Not how the threads sleep, but code that is not compiled yet: see Trivial jobs below",
    tried: "waking first and writing then, sleeping for 8 ms instead of 2: no gain",
  },
  {
    of: ["start of a process"],
    why: "Reading, compiling and linking our files, here and on the thread; they are more code than a peer's",
    tried:
      "few files instead of many, threads that do not load what submits jobs, no built-in module that loads more than it says. Shorter names save next to nothing. `NODE_COMPILE_CACHE` is for the user to set",
  },
  {
    of: ["8 B of bytes", "1 KB of bytes", "64 KB of bytes", "1 MB of bytes", "64 MB of bytes"],
    why: "Each job allocates memory that V8 counts, though it is not on its heap, on both threads. Much of the CPU time is V8's own threads, which mark and sweep because of it; with larger blocks page faults in the fresh memory come on top. A peer's job allocates as much, next to a smaller heap",
    tried:
      "one copy into the arena straight from the caller's memory and one out of it, by a native `memmove`; memory that is not filled first; results that are copied once and moved. Not tried: results through the arena as well, because the calling thread would make the copy out of it",
  },
  {
    of: ["8 B moved", "1 KB moved", "64 KB moved", "1 MB moved", "64 MB moved"],
    why: "A job that moves memory takes a message in each direction besides its slot. And V8 begins a collection when it allocates for its own needs while more memory than it likes is attached, as between a result and the next call. While it compiles code it often does (`--trace-gc --trace-incremental-marking`)",
    tried:
      "memory that waits in ports, where it counts for nobody; no more than a few MB attached at a time; several jobs sent ahead in one message. Without gain: putting the caller's buffer into a port at once",
  },
  {
    of: ["1 MB of text", "64 MB of text"],
    why: "Node.js copies shared memory before it makes a string of it: see Payloads below",
  },
  {
    of: ["fork + join"],
    why: "An entry of a deque, an object and one scope for its context take most of that by themselves; the rest is what makes it a task that a thief may take, that can be cancelled, and whose error has the caller's frames",
    tried: "numbers that lie in the slot as they are, fewer looks at words of others",
  },
  {
    of: ["throughput with one context"],
    why: "A job names its context in its slot, and its thread enters that. A round trip takes 0.1 us more for it, see The ambient context below, which is more than a tenth of the time that a job takes in a burst",
  },
  {
    of: ["time of a job with a new context"],
    why: "The job without one became cheaper, and the context did not as much. A frame of its own is the platform's; the text by which a thread can read it is most of the rest. Five kilobytes for each of 10 000 jobs that wait are 50 MB of fresh memory",
    tried:
      "short texts beside the arguments in the slot, carriers that are written in pieces and read in one pass, no native call for a short value, entries found by a few characters of their text",
  },
  {
    of: ["1000 queued", "10000 queued", "100000 queued", "1000000 queued", "10000000 queued"],
    why: "A job that waits is a task and what settles it, with all fields that its outcome needs, so that none has to be made when it comes. With few jobs V8's compilers count too: see Long queues below",
    tried: "arguments in shared memory, one object for a job. Not tried: several small fields in one",
  },
  {
    of: ["memory of eight idle threads", "CPU of eight idle threads"],
    why: "Each thread loads our modules: see Memory and idleness below",
    tried: "no submitting code and no `node:crypto` on threads whose jobs need neither",
  },
  {
    of: ["fork/join n queens"],
    why: "Each thread compiles the function for itself, and in the first of these short rounds still does: in a run of 20 rounds (`pnpm bench --only fork-join --rounds 20`) it came to 1.72x",
  },
  {
    of: ["complete a task with an inline awaiter"],
    why: "To resolve a promise is compiled code of V8's own. It and the call of the awaiter take some tens of nanoseconds each, and a round of either is up to twice as long as another of the same: the samples have each",
  },
  {
    of: ["Census"],
    why: "Each thread compiles the parser for itself, and beside one thread V8's compilers and collectors use the other core already",
    tried: "a larger young generation: no gain",
  },
  {
    of: ["await of a settled Task"],
    why: "`await` calls `then` of whatever is no promise of its own, in a microtask more: a bare thenable takes as long, see Scheduling below",
    tried: "a microtask in place of a scope and a queue",
  },
  {
    of: ["pending operations on one reused source"],
    why: "Resuming a generator, entering the context and the source itself are all that is left",
  },
];

/** A list; empty when all goals are met. */
export function obstacleText(goals: readonly MeasuredGoal[]): string {
  const unmet = goals.filter((measured) => !isMet(measured));
  const byObstacle = Map.groupBy(unmet, ({ goal }) => obstacleOf(goal));
  return [...byObstacle].map(([obstacle, own]) => lineOf(obstacle, own)).join("\n");
}

function obstacleOf({ what }: Goal): Obstacle | null {
  return obstacles.find(({ of }) => of.some((start) => what.startsWith(start))) ?? null;
}

function lineOf(obstacle: Obstacle | null, own: readonly MeasuredGoal[]): string {
  const names = [...new Set(own.map(({ goal }) => goal.what))].join("; ");
  if (obstacle === null) return `- **${names}**: _not known._`;
  const { why, tried } = obstacle;
  return `- **${names}**: ${why}.${tried === undefined ? "" : ` Tried: ${tried}.`}`;
}
