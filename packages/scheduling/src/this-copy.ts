import { joinCopies } from "@skein/context";
import type { SharedPart } from "@skein/context";
import { define, hasOwn } from "./intrinsics.ts";

/**
 * What all copies of this package in a thread share: where code runs now. The protocol goes up with any change of that, of the
 * members by which a copy uses an object of another (the kinds below, the work of a ScheduledItem, Suspension, Continuation), or of
 * their meaning.
 */
export const shared: SharedPart = joinCopies("@skein/scheduling", 1, import.meta.url);

/** What copies know each other's objects by. */
export type Kind = "CancellationToken" | "Suspension" | "SynchronizationContext" | "Task" | "TaskScheduler";

const kind = Symbol.for("skein.scheduling.kind");

/** Call it in a static block of the class; classes derived from it are of its kind. */
export function setKind(target: { readonly prototype: object }, name: Kind): void {
  define(target.prototype, kind, name);
}

/**
 * Whether `value` is of that kind, made by this copy or by another. Never throws: it may be a Proxy that refuses whatever it does not
 * know, or was revoked. Asked by `in` first, for which most of those have no trap.
 */
export function isOfKind(value: unknown, name: Kind): boolean {
  if (typeof value !== "object" || value === null) return false;
  try {
    return kind in value && value[kind] === name;
  } catch {
    return false;
  }
}

/** Whether `prototype` is that of the very class, in this copy or another, and not of a class derived from it. */
export function isPrototypeOfKind(prototype: object | null): boolean {
  return prototype !== null && hasOwn(prototype, kind);
}
