import type { EventEmitter } from "node:events";
import { AsyncLocal } from "../async-local.ts";
import { AsyncScope } from "../async-scope.ts";
import { apply, define, WeakMap } from "../intrinsics.ts";

/** One request: whose listeners run in this scope. */
interface Owner {
  scope: AsyncScope;
}

/** The mark by which code of one request is known, whatever else it sets. */
const currentOwner = new AsyncLocal<Owner>();
const owners = new WeakMap<EventEmitter, Owner>();

/**
 * Has emitters of one request call their listeners in the current context, from now on. Node emits the events of a body that arrives
 * late, and the end of a response, in the context of the socket, which is empty. The last call counts: it is the innermost.
 *
 * What code of this context emits itself stays in the context of that code.
 */
export function emitInScope(...emitters: EventEmitter[]): void {
  let known: Owner | undefined;
  for (const emitter of emitters) known ??= owners.get(emitter);
  const owner = known ?? { scope: AsyncScope.root };
  currentOwner.value = owner;
  owner.scope = AsyncScope.capture();
  for (const emitter of emitters) if (!owners.has(emitter)) emitFor(owner, emitter);
}

function emitFor(owner: Owner, emitter: EventEmitter): void {
  owners.set(emitter, owner);
  // oxlint-disable-next-line typescript/unbound-method -- called with the emitter as `this` below.
  const { emit } = emitter;
  const emitScoped = function (this: EventEmitter, ...args: Parameters<typeof emit>): boolean {
    if (currentOwner.value === owner) return apply(emit, this, args);
    return owner.scope.run((): boolean => apply(emit, this, args));
  };
  define(emitter, "emit", emitScoped);
}
