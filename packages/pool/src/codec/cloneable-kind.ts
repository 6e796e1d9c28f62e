/**
 * What an object is to the codec, for everything that is not a plain object or an array. One answer for the encoder
 * and for the search that explains a refusal, so that the two cannot disagree.
 */
import {
  bufferOf,
  DOMException,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  hasOwnProperty,
  isDetached,
  isOutOfBounds,
  isResizable,
  isView,
  objectPrototype,
  WeakMap,
  weakMapGet,
  weakMapSet,
} from "../shared/intrinsics.ts";
import {
  isArrayBuffer,
  isBoxedPrimitive,
  isDate,
  isExternal,
  isGeneratorObject,
  isMap,
  isMapIterator,
  isModuleNamespaceObject,
  isNativeError,
  isPromise,
  isProxy,
  isRegExp,
  isSet,
  isSetIterator,
  isSharedArrayBuffer,
  isSymbolObject,
  isWeakMap,
  isWeakSet,
} from "./brand-checks.ts";
import { dataOf, isNativeCode, platformKind } from "./platform-class.ts";
import { aDetachedBuffer, aLostView, aPromise, aThenable, Refusal } from "./refusal.ts";

export type CloneableKind =
  | "date"
  | "map"
  | "set"
  | "regexp"
  | "error"
  | "domException"
  | "boxed"
  | "buffer"
  | "sharedBuffer"
  | "view"
  | "instance"
  /** Only a message can carry it: no bytes of ours, no transfer list needed. */
  | "carried";

/**
 * What is known of a prototype, so that its chain is walked once: nothing there is called `then`, and, if it is that of an ordinary
 * class, its instances are kind `instance`.
 */
const knownPrototypes = new WeakMap<object, "ordinary" | "without then">();

const domExceptionPrototype: object = DOMException.prototype;

/** What `value` is, or why it cannot be cloned. `value` is an object with a prototype that is not `Object.prototype`. */
export function cloneableKindOf(value: object): CloneableKind | Refusal {
  const prototype = getPrototypeOf(value);
  const known = prototype === null ? "ordinary" : weakMapGet(knownPrototypes, prototype);
  const kind = known === "ordinary" ? "instance" : kindByBrand(value, prototype!);
  if (typeof kind !== "string") return kind;
  if (hasOwnProperty(value, "then")) {
    if (isThenableItself(value, kind)) return new Refusal(aThenable, value);
  } else if (known === undefined) {
    const inherited = inheritedThen(prototype!);
    if (inherited !== undefined) {
      if (isCallable(inherited, value)) return new Refusal(aThenable, value);
    } else if (kind !== "instance") {
      weakMapSet(knownPrototypes, prototype!, "without then");
    } else if (isOrdinary(prototype!)) {
      weakMapSet(knownPrototypes, prototype!, "ordinary");
    }
  }
  return kind;
}

/** Whether only a message between threads can carry it: a KeyObject, a BlockList, a Blob. */
export function isCarriedByMessage(value: object): boolean {
  return getPrototypeOf(value) !== objectPrototype && cloneableKindOf(value) === "carried";
}

/** Why it, or what it lies on, cannot be copied: memory that was moved away, or is not as long any more. Null: it is no memory, or it can. */
export function memoryProblem(value: object, kind: CloneableKind): string | null {
  if (kind === "buffer") return isDetached(value as ArrayBuffer) ? aDetachedBuffer : null;
  if (kind !== "view") return null;
  const buffer = bufferOf(value as ArrayBufferView);
  if (!isArrayBuffer(buffer)) return null;
  if (isDetached(buffer)) return aDetachedBuffer;
  return isResizable(buffer) && isOutOfBounds(value as ArrayBufferView) ? aLostView : null;
}

/** Whether only threads of one process can have it: a message carries it, or it is, or lies on, shared memory. */
export function isOfThreads(value: object, kind: CloneableKind): boolean {
  if (kind === "view") return !isArrayBuffer(bufferOf(value as ArrayBufferView));
  return kind === "carried" || kind === "sharedBuffer";
}

function kindByBrand(value: object, prototype: object): CloneableKind | Refusal {
  if (isView(value)) return "view";
  if (isDate(value)) return "date";
  if (isMap(value)) return "map";
  if (isSet(value)) return "set";
  if (isRegExp(value)) return "regexp";
  if (isNativeError(value)) return isDOMException(prototype) ? "domException" : "error";
  if (isArrayBuffer(value)) return "buffer";
  if (isSharedArrayBuffer(value)) return "sharedBuffer";
  if (isSymbolObject(value)) return new Refusal("is a boxed symbol; symbols belong to one thread", value);
  if (isBoxedPrimitive(value)) return "boxed";
  if (isDOMException(prototype)) return "domException";
  return kindOfInstance(value, prototype);
}

function isDOMException(prototype: object): boolean {
  for (let link: object | null = prototype; link !== null; link = getPrototypeOf(link)) {
    if (link === domExceptionPrototype) return true;
  }
  return false;
}

function kindOfInstance(value: object, prototype: object): "instance" | "carried" | Refusal {
  const advice = engineAdvice(value);
  if (advice !== undefined) return new Refusal(advice, value);
  for (let link: object | null = prototype; link !== null; link = getPrototypeOf(link)) {
    const kind = platformKind(link, value);
    if (kind !== undefined) return kind;
  }
  if (isProxy(value) && hasNativeClass(prototype))
    return new Refusal("is a Proxy of a built-in object; pass its target", value);
  return "instance";
}

function engineAdvice(value: object): string | undefined {
  if (isPromise(value)) return aPromise;
  if (isWeakMap(value) || isWeakSet(value)) return "is a weak collection, whose members cannot be listed";
  if (isGeneratorObject(value)) return "is a generator; collect it into an array first";
  if (isMapIterator(value) || isSetIterator(value)) return "is an iterator; collect it into an array first";
  if (isExternal(value)) return "is a native handle of this thread";
  if (isModuleNamespaceObject(value)) return "is a module namespace; import the module in the job instead";
  return undefined;
}

/**
 * An own `then` of what is encoded property by property is met there, if it is enumerable; it is not read twice, because a getter is
 * code of the program.
 */
function isThenableItself(value: object, kind: CloneableKind): boolean {
  const descriptor = getOwnPropertyDescriptor(value, "then")!;
  return !(kind === "instance" && descriptor.enumerable === true) && isCallable(descriptor, value);
}

function inheritedThen(prototype: object): PropertyDescriptor | undefined {
  for (let link: object | null = prototype; link !== null; link = getPrototypeOf(link)) {
    const descriptor = getOwnPropertyDescriptor(link, "then");
    if (descriptor !== undefined) return descriptor;
  }
  return undefined;
}

function isCallable(then: PropertyDescriptor, value: object): boolean {
  if (hasOwnProperty(then, "value")) return typeof then.value === "function";
  return typeof (value as { readonly then?: unknown }).then === "function";
}

/**
 * Whether instances need not be looked at again: behind a native class the engine keeps state that the prototype alone does not
 * prove. The chain must end in the `Object.prototype` of a realm.
 */
function isOrdinary(prototype: object): boolean {
  let last = prototype;
  for (let link: object | null = prototype; link !== null; link = getPrototypeOf(link)) last = link;
  return isObjectPrototype(last) && !hasNativeClass(prototype);
}

function hasNativeClass(prototype: object): boolean {
  for (let link: object | null = prototype; link !== null; link = getPrototypeOf(link)) {
    const constructor = dataOf(link, "constructor");
    if (typeof constructor === "function" && isNativeCode(constructor) && !isObjectPrototype(link))
      return true;
  }
  return false;
}

function isObjectPrototype(prototype: object): boolean {
  if (prototype === objectPrototype) return true;
  const constructor = dataOf(prototype, "constructor");
  return (
    typeof constructor === "function" &&
    getPrototypeOf(prototype) === null &&
    dataOf(constructor, "name") === "Object" &&
    isNativeCode(constructor)
  );
}
