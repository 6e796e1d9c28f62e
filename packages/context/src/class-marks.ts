/** By which `instanceof` recognises instances of the same class of another copy. */
import { apply, define, getPrototypeOf, hasOwn } from "./intrinsics.ts";

/** A class, for what is asked here. */
export interface MarkedClass {
  readonly prototype: object;
}

const mark = Symbol.for("skein.class");
// oxlint-disable-next-line typescript/unbound-method -- applied to the class in question below
const ordinaryHasInstance = Function.prototype[Symbol.hasInstance];

/** Call it in a static block of the class. A literal name: minifiers change those of classes. */
export function markClass(target: MarkedClass, name: string): void {
  define(target.prototype, mark, name);
}

/** The name by which the class was marked, or the nearest that it derives from. */
export function markOf(target: MarkedClass): string | undefined {
  return (target.prototype as { readonly [mark]?: string })[mark];
}

/** Call it in a static block: `instanceof` then takes instances of the same class of another copy too. */
export function matchAcrossCopies(target: MarkedClass, name: string): void {
  markClass(target, name);
  define(target, Symbol.hasInstance, function (this: MarkedClass, value: unknown): boolean {
    return isInstance(this, value);
  });
}

/**
 * What `instanceof` says, across copies. A class that somebody derived has no mark of its own: only its own instances count. Nor does a Proxy
 * that cannot be asked: what programs throw is looked at where nothing may be thrown.
 */
export function isInstance(target: MarkedClass, value: unknown): boolean {
  try {
    return isOrdinaryInstance(target, value) || isInstanceByMark(target, value);
  } catch {
    return false;
  }
}

function isOrdinaryInstance(target: MarkedClass, value: unknown): boolean {
  return apply(ordinaryHasInstance, target, [value]);
}

function isInstanceByMark(target: MarkedClass, value: unknown): boolean {
  if (typeof value !== "object" || value === null || !isMarked(target)) return false;
  const name = markOf(target);
  for (let link: object | null = value; link !== null; link = getPrototypeOf(link)) {
    if (isMarked({ prototype: link }) && markOf({ prototype: link }) === name) return true;
  }
  return false;
}

/** Whether the class itself was marked. */
export function isMarked(target: MarkedClass): boolean {
  return hasOwn(target.prototype, mark);
}
