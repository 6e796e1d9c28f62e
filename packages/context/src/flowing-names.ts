/**
 * Which AsyncLocal of this thread answers to which name. Only locals that flow are listed: their name is their
 * identity across threads. The list holds them weakly; a name is free again once its local was collected.
 */
import { DuplicateNameError } from "./context-errors.ts";
import type { ContextKey } from "./context-key.ts";

const keys = new Map<string, WeakRef<ContextKey>>();

let claimed = 0;

const collected = new FinalizationRegistry<string>((name) => {
  // A new local may have taken the name between the collection and this callback.
  if (keys.get(name)?.deref() === undefined) keys.delete(name);
});

/** @throws DuplicateNameError if a live local has this name. */
export function claimName(name: string, key: ContextKey): void {
  if (keys.get(name)?.deref() !== undefined) throw new DuplicateNameError(name);
  claimed += 1;
  keys.set(name, new WeakRef(key));
  collected.register(key, name);
}

/** The local that flows under this name, if this thread knows one. */
export function findByName(name: string): ContextKey | undefined {
  return keys.get(name)?.deref();
}

/** How many names were ever claimed: what was read of carried names may be out of date when this changes. */
export function namesClaimed(): number {
  return claimed;
}
