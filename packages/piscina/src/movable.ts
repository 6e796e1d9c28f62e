/** Values that are moved to the other thread instead of copied. */
import type { Transferable as NodeTransferable } from "node:worker_threads";
import { kMovable, kTransferable, kValue } from "./symbols.ts";

/** An object that says itself what of it is moved, and as what it arrives. */
export interface Transferable {
  readonly [kTransferable]: object;
  readonly [kValue]: object;
}

export interface Moved {
  readonly value: unknown;
  readonly list: readonly NodeTransferable[];
}

export function isTransferable(value: unknown): value is Transferable {
  return typeof value === "object" && value !== null && kTransferable in value && kValue in value;
}

export function isMovable(value: unknown): value is Transferable {
  return isTransferable(value) && (value as { [kMovable]?: unknown })[kMovable] === true;
}

export function markMovable(value: object): void {
  const descriptor: PropertyDescriptor = { value: true, configurable: true, writable: true };
  Object.defineProperty(value, kMovable, descriptor);
}

/** What `move` does to a value. Primitives come back as they are. */
export function move<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  const movable = isTransferable(value)
    ? value
    : { [kTransferable]: ArrayBuffer.isView(value) ? value.buffer : value, [kValue]: value };
  markMovable(movable);
  return movable as T;
}

/** What arrives, and what is moved; null for a value that is copied. */
export function movedOf(value: unknown): Moved | null {
  if (!isMovable(value)) return null;
  const listed = value[kTransferable];
  return { value: value[kValue], list: (Array.isArray(listed) ? listed : [listed]) as NodeTransferable[] };
}
