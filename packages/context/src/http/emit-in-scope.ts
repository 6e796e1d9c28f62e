import type { EventEmitter } from "node:events";
import { AsyncScope } from "../async-scope.ts";

/**
 * Has an emitter call its listeners in the current context, where it would call them in another one: Node emits the
 * events of a request body that arrives late, and the end of a response, in the context of the socket, which is empty.
 * An event that code of the request emits itself stays in that code's context.
 */
export function emitInScope(emitter: EventEmitter, isInside: () => boolean): void {
  const scope = AsyncScope.capture();
  const emit = emitter.emit;
  function emitScoped(this: EventEmitter, ...args: Parameters<typeof emit>): boolean {
    if (isInside()) return Reflect.apply(emit, this, args);
    return scope.run((): boolean => Reflect.apply(emit, this, args));
  }
  Object.defineProperty(emitter, "emit", {
    value: emitScoped,
    configurable: true,
    writable: true,
    enumerable: false,
  });
}
