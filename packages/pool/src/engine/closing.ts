/** What is told that an engine closes: whoever has jobs there that would never end by themselves. */
import { argumentTypeError, requireFunction } from "@skein/context/errors";
import { define } from "../shared/intrinsics.ts";
import { throwAside } from "../submit/throw-aside.ts";
import type { JobEngine } from "./base-engine.ts";

/** Null when `close` was called. */
type Listeners = Set<() => void> | null;

/** Copies of this package find each other's. */
const key: unique symbol = Symbol.for("skein.engine.closing");
interface Watched {
  [key]?: Listeners;
}

/**
 * Calls `listener` once when `close` of the engine is first called, after it has begun to close: no more jobs are taken, and those under way go
 * on as the options of `close` say. For jobs that last as long as something else, so that a pool which drains does not wait for them. Not called
 * when the engine is closed already. What it throws is an uncaught exception.
 *
 * @returns takes the listener away.
 * @throws TypeError for a bad argument, naming it.
 */
export function onClosing(engine: JobEngine, listener: () => void): () => void {
  if (typeof engine !== "object" || engine === null) throw argumentTypeError("engine", "an engine", engine);
  requireFunction("listener", listener);
  const watched = engine as Watched;
  let listeners = watched[key];
  if (listeners === undefined) define(engine, key, (listeners = new Set()), false);
  if (listeners === null) return () => {};
  const entry = (): void => listener();
  listeners.add(entry);
  return () => void listeners.delete(entry);
}

/** For `close` of an engine, each time that it is called. */
export function announceClosing(engine: JobEngine): void {
  const watched = engine as Watched;
  const listeners = watched[key];
  if (listeners === null) return;
  if (listeners === undefined) define(engine, key, null, false);
  else watched[key] = null;
  for (const listener of listeners ?? []) {
    try {
      listener();
    } catch (error) {
      throwAside(error);
    }
  }
}
