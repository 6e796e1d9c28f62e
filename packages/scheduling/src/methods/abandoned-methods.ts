/**
 * Methods that can never complete any more: what they wait for has been collected, and they with it. Their callers wait
 * without end, so somebody should hear of it: diagnostics_channel `skein:task:abandoned`, with `{ name }`.
 *
 * Only methods that first suspended while the channel had a subscriber are watched; nobody else pays.
 */

import { channel } from "node:diagnostics_channel";

const abandoned = channel("skein:task:abandoned");

let registry: FinalizationRegistry<string> | undefined;

export function watchMethod(box: object, body: object): void {
  if (!abandoned.hasSubscribers) return;
  registry ??= new FinalizationRegistry((name) => abandoned.publish({ name }));
  registry.register(box, nameOf(body), box);
}

export function forgetMethod(box: object): void {
  registry?.unregister(box);
}

const names = new WeakMap<object, string>();

/** A generator inherits from its function's `prototype`: the only trace of which function made it. */
export function nameBody(fn: { readonly name: string; readonly prototype?: unknown }): void {
  if (typeof fn.prototype === "object" && fn.prototype !== null) names.set(fn.prototype, fn.name);
}

function nameOf(body: object): string {
  const prototype: unknown = Object.getPrototypeOf(body);
  return (typeof prototype === "object" && prototype !== null ? names.get(prototype) : undefined) ?? "";
}
