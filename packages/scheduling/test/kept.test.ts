/** An object that is always there helps only as long as it has the hidden class of those that come and go. */
import { setFlagsFromString } from "node:v8";
import { AsyncScope } from "@skein/context";
import { describe, expect, it } from "vitest";
import { CallbackContinuation } from "../src/awaiting/callback-continuation.ts";
import { PlainContinuation } from "../src/plain-continuation.ts";
import { Reaction } from "../src/reaction.ts";
import { Task } from "../src/task.ts";
import { Waiter, WaiterQueue } from "../src/waiting/waiter-queue.ts";

setFlagsFromString("--allow-natives-syntax");
// oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-type-assertion -- no other way to ask V8
const haveSameMap = new Function("some", "other", "return %HaveSameMap(some, other)") as (
  some: object,
  other: object,
) => boolean;

/** As they are while somebody waits. */
function waiter(): object {
  const queue = new WaiterQueue<number>("asynchronous");
  void queue.add(undefined, undefined);
  void queue.add(undefined, undefined);
  return queue.first!;
}

const task = Task.fromResult(1);

describe("what is kept has the hidden class of", () => {
  it.each<[string, object, () => object]>([
    ["a callback", PlainContinuation.kept, () => new PlainContinuation(() => {}, {})],
    [
      "a reaction",
      Reaction.kept,
      () =>
        new Reaction(
          task,
          task,
          () => {},
          () => {},
          "inline",
        ),
    ],
    [
      "a continuation of an awaiter",
      CallbackContinuation.kept,
      () => new CallbackContinuation(() => {}, 1, "inline", AsyncScope.root),
    ],
    ["who waits", Waiter.kept, waiter],
  ])("%s", (_, kept, make) => {
    expect(haveSameMap(kept, make())).toBe(true);
  });

  it("and of nothing else", () => {
    expect(haveSameMap(Reaction.kept, PlainContinuation.kept)).toBe(false);
  });
});
