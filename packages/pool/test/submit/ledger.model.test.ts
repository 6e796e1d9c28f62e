/**
 * The ledger under random commands of the user and random steps of played threads, which end anywhere. What must hold: played-world.ts.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Command, type Kind, THREADS, World } from "./played-world.ts";

const RUNS = 400;

const thread = fc.nat({ max: THREADS - 1 });
const job = fc.nat({ max: 30 });
const kind = fc.constantFrom<Kind>(
  "plain",
  "large",
  "carried",
  "retry",
  "exclusive",
  "forked",
  "affinity",
  "thread",
);
const simple: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom("take", "write", "finish", "link"), thread }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("end", "lose", "giveBack"), thread }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("cancel", "fail", "takeBack"), job }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("collect", "deliver", "drain", "refill") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("failWaiting", "failAll") }) },
) as fc.Arbitrary<Command>;
const submit = (then: fc.Arbitrary<Command[]>): fc.Arbitrary<Command> =>
  fc.record({ do: fc.constant("submit" as const), kind, then });
const leaf = submit(fc.constant([]));
const inner = fc.array(fc.oneof(simple, leaf), { maxLength: 3 });
const command = fc.oneof(
  { weight: 12, arbitrary: simple },
  { weight: 8, arbitrary: submit(inner) },
  { weight: 4, arbitrary: submit(fc.array(fc.oneof(simple, submit(inner)), { maxLength: 2 })) },
  { weight: 1, arbitrary: fc.constant<Command>({ do: "close" }) },
);

let world: World;
const names = ["skein:job:end", "skein:job:error", "skein:job:cancel"];
const listener = (message: unknown): void => {
  const { task } = message as { task: object };
  world.told.set(task, (world.told.get(task) ?? 0) + 1);
};
beforeEach(() => {
  for (const name of names) subscribe(name, listener);
});
afterEach(() => {
  for (const name of names) unsubscribe(name, listener);
});

it("each job settles once, with its own arguments; stages, slots, memory and counters agree after each command", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60, size: "max" }), (commands) => {
      world = new World();
      for (const each of commands) world.do(each);
      world.finish();
      expect(world.jobs.every(({ task }) => task.isCompleted)).toBe(true);
    }),
    // What fast-check prints on failure holds the seed, and the shortest list of commands that it found.
    { numRuns: RUNS },
  );
});
