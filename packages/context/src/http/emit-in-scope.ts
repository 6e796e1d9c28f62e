import type { EventEmitter } from "node:events";
import { AsyncLocal } from "../async-local.ts";
import { AsyncScope } from "../async-scope.ts";
import { apply, define } from "../intrinsics.ts";

/** The mark by which code of one request is known, whatever else it sets. */
const currentOwner = new AsyncLocal<object>();

/**
 * Has emitters call their listeners in the current context, from now on. Node emits the events of a body that arrives
 * late, and the end of a response, in the context of the socket, which is empty.
 *
 * What code of this context emits itself stays in the context of that code.
 */
export function emitInScope(...emitters: EventEmitter[]): void {
  const owner = {};
  currentOwner.value = owner;
  const scope = AsyncScope.capture();
  for (const emitter of emitters) {
    // oxlint-disable-next-line typescript/unbound-method -- called with the emitter as `this` below.
    const { emit } = emitter;
    const emitScoped = function (this: EventEmitter, ...args: Parameters<typeof emit>): boolean {
      if (currentOwner.value === owner) return apply(emit, this, args);
      return scope.run((): boolean => apply(emit, this, args));
    };
    define(emitter, "emit", emitScoped);
  }
}
