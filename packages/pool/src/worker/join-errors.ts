/** Why a `join` is refused that could never return. */
import { InvalidOperationError } from "@skein/context/errors";
import type { JoinEdge } from "../shared/join-edges.ts";

export function waitsForItself(): InvalidOperationError {
  return new InvalidOperationError(
    "join() would wait for ever: the job runs on this very thread, and waits for something itself. Await it instead",
  );
}

/** @param nameOf The name of the function of the job in a slot. */
export function waitsInCircle(
  circle: readonly JoinEdge[],
  nameOf: (slot: number) => string,
): InvalidOperationError {
  const steps = circle.map(({ thread, slot }, i) => {
    const holder = circle[(i + 1) % circle.length]!.thread;
    return `thread ${thread} waits for ${nameOf(slot)}, which is held up on thread ${holder}`;
  });
  return new InvalidOperationError(
    `join() would wait for ever, in a circle of threads: ${steps.join("; ")}. ` +
      "Await what awaits something itself, and join only what the same job has forked",
  );
}
