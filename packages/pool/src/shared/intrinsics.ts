/**
 * Built-ins as they were when this package was loaded: a program may patch, freeze or delete them later. Modules import the
 * constructors under their own names. Methods and getters are functions whose first parameter is the receiver, so that a call looks
 * up nothing; V8 compiles them to the same code as a call of the method.
 */
// oxlint-disable typescript/unbound-method, typescript/no-unsafe-type-assertion -- methods are taken off their prototypes on purpose
import { Buffer } from "node:buffer";
import types from "node:util/types";
import { MessageChannel } from "node:worker_threads";

export const AbortController: typeof globalThis.AbortController = globalThis.AbortController;
export const Array: ArrayConstructor = globalThis.Array;
export const ArrayBuffer: ArrayBufferConstructor = globalThis.ArrayBuffer;
export const BigInt: BigIntConstructor = globalThis.BigInt;
export const Date: DateConstructor = globalThis.Date;
export const Error: ErrorConstructor = globalThis.Error;
export const Float64Array: Float64ArrayConstructor = globalThis.Float64Array;
export const Int32Array: Int32ArrayConstructor = globalThis.Int32Array;
export const Map: MapConstructor = globalThis.Map;
export const Object: ObjectConstructor = globalThis.Object;
/** That of async functions: some programs have put a library's in its place before. */
export const Promise: PromiseConstructor = (async () => {})().constructor as PromiseConstructor;
/** Not imported: that makes the streams of stdin and stdout, in the context of whoever loads this first. */
export const process: NodeJS.Process = globalThis.process;
export const RangeError: RangeErrorConstructor = globalThis.RangeError;
export const RegExp: RegExpConstructor = globalThis.RegExp;
export const Set: SetConstructor = globalThis.Set;
export const String: StringConstructor = globalThis.String;
export const Symbol: SymbolConstructor = globalThis.Symbol;
export const Uint8Array: Uint8ArrayConstructor = globalThis.Uint8Array;
export const WeakMap: WeakMapConstructor = globalThis.WeakMap;

const { bind, call } = Function.prototype;

/** A method as a function of its receiver and its arguments. */
export const uncurryThis = bind.bind(call) as <T, A extends readonly unknown[], R>(
  method: (this: T, ...args: A) => R,
) => (self: T, ...args: A) => R;

/** `never` fits every type that is declared below. */
function getterOf(prototype: object, key: PropertyKey): never {
  return uncurryThis(Object.getOwnPropertyDescriptor(prototype, key)!.get!) as never;
}

type View = ArrayBufferView;
const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;
const shared = globalThis.SharedArrayBuffer.prototype;

const { isNumberObject, isStringObject, isBooleanObject } = types;
const numberOf: (boxed: object) => number = uncurryThis(Number.prototype.valueOf) as never;
const stringOf: (boxed: object) => string = uncurryThis(String.prototype.valueOf) as never;
const booleanOf: (boxed: object) => boolean = uncurryThis(Boolean.prototype.valueOf) as never;
const bigintOf: (boxed: object) => bigint = uncurryThis(BigInt.prototype.valueOf) as never;

export const objectPrototype: object = Object.prototype;
export const errorPrototype: object = Error.prototype;

export const getPrototypeOf: (target: object) => object | null = Object.getPrototypeOf;
export const keysOf: (target: object) => string[] = Object.keys;
export const getOwnPropertyDescriptor: (target: object, key: PropertyKey) => PropertyDescriptor | undefined =
  Object.getOwnPropertyDescriptor;
export const ownKeys: (target: object) => (string | symbol)[] = Reflect.ownKeys;
/** Whether it could be set; throws only what the trap of a Proxy does. */
export const setPrototypeOf: (target: object, prototype: object | null) => boolean = Reflect.setPrototypeOf;
export const reflectDefine: (target: object, key: PropertyKey, descriptor: PropertyDescriptor) => boolean =
  Reflect.defineProperty;
export const reflectDelete: (target: object, key: PropertyKey) => boolean = Reflect.deleteProperty;
export const reflectSet: (target: object, key: PropertyKey, value: unknown) => boolean = Reflect.set;
export const isArray: (value: unknown) => value is unknown[] = Array.isArray;
export const isView: (value: unknown) => value is View = ArrayBuffer.isView;
export const hasOwnProperty: (target: object, key: PropertyKey) => boolean = uncurryThis(
  Object.prototype.hasOwnProperty,
);
/** Undefined where only a prototype has it. */
export function ownValue<T extends object, K extends keyof T>(target: T, key: K): T[K] | undefined {
  return hasOwnProperty(target, key) ? target[key] : undefined;
}
/** Of a data property; an accessor is not called, and gives undefined. Not for a Proxy, whose traps would be. */
export function ownData(target: object, key: PropertyKey): unknown {
  const property = getOwnPropertyDescriptor(target, key);
  return property !== undefined && hasOwnProperty(property, "value") ? property.value : undefined;
}
/** For native promises. */
export const promiseThen: <T>(promise: Promise<T>, callback: (value: T) => void) => void = uncurryThis(
  Promise.prototype.then,
) as never;
/** Undefined where a test environment hides it, or has put a way through JSON into its place: that moves nothing. */
export const structuredClone: typeof globalThis.structuredClone | undefined = nodesStructuredClone();
/** Node's own: an environment such as jsdom puts another one into its place. */
export const DOMException: typeof globalThis.DOMException = nodesDOMException();

function nodesStructuredClone(): typeof globalThis.structuredClone | undefined {
  const { structuredClone: found } = globalThis;
  const memory = new ArrayBuffer(1);
  try {
    found(memory, { transfer: [memory] });
  } catch {
    return undefined;
  }
  return memory.byteLength === 0 ? found : undefined;
}

function nodesDOMException(): typeof globalThis.DOMException {
  try {
    if (structuredClone !== undefined) structuredClone(Symbol("not cloneable"));
    else post(Symbol("not cloneable"));
  } catch (error) {
    return (error as object).constructor as typeof globalThis.DOMException;
  }
  return globalThis.DOMException;
}

/** To nobody. @throws what Node says when it refuses the value. */
function post(value: unknown): void {
  const { port1 } = new MessageChannel();
  try {
    port1.postMessage(value);
  } finally {
    port1.close();
  }
}

export const parseJson: (text: string) => unknown = JSON.parse;
export const stringify: (value: unknown) => string | undefined = JSON.stringify;
export const keyOfSymbol: (symbol: symbol) => string | undefined = Symbol.keyFor;
export const descriptionOf: (symbol: symbol) => string | undefined = getterOf(
  Symbol.prototype,
  "description",
);
export const functionText: (fn: object) => string = uncurryThis(Function.prototype.toString);

export const mapGet: <K, V>(map: Map<K, V>, key: K) => V | undefined = uncurryThis(Map.prototype.get);
export const mapSet: <K, V>(map: Map<K, V>, key: K, value: V) => unknown = uncurryThis(Map.prototype.set);
export const mapForEach: <K, V>(map: Map<K, V>, each: (value: V, key: K) => void) => void = uncurryThis(
  Map.prototype.forEach,
) as never;
export const setAdd: <T>(set: Set<T>, member: T) => unknown = uncurryThis(Set.prototype.add);
export const setHas: <T>(set: ReadonlySet<T>, member: T) => boolean = uncurryThis(Set.prototype.has) as never;
export const setForEach: <T>(set: Set<T>, each: (member: T) => void) => void = uncurryThis(
  Set.prototype.forEach,
) as never;
export const weakMapGet: <K extends WeakKey, V>(map: WeakMap<K, V>, key: K) => V | undefined = uncurryThis(
  WeakMap.prototype.get,
) as never;
export const weakMapSet: <K extends WeakKey, V>(map: WeakMap<K, V>, key: K, value: V) => unknown =
  uncurryThis(WeakMap.prototype.set) as never;

export const arrayIndexOf: (array: readonly unknown[], member: unknown) => number = uncurryThis(
  Array.prototype.indexOf,
);
export const charCodeAt: (text: string, index: number) => number = uncurryThis(String.prototype.charCodeAt);
export const fromCharCode: (...codes: number[]) => string = String.fromCharCode;
export const sliceText: (text: string, start: number, end?: number) => string = uncurryThis(
  String.prototype.slice,
);
export const indexOfText: (text: string, part: string, from?: number) => number = uncurryThis(
  String.prototype.indexOf,
);
/** As `test`, without the look-up of `exec` that `test` does. Not for expressions that are global or sticky. */
export const execRegExp: (expression: RegExp, text: string) => RegExpExecArray | null = uncurryThis(
  RegExp.prototype.exec,
);
export const sourceOf: (expression: RegExp) => string = getterOf(RegExp.prototype, "source");
export const flagsOf: (expression: RegExp) => string = getterOf(RegExp.prototype, "flags");
export const timeOf: (date: Date) => number = uncurryThis(Date.prototype.getTime);
export const bigintText: (value: bigint, radix: number) => string = uncurryThis(BigInt.prototype.toString);
/** The value of a boxed number, string, boolean or bigint. */
export function unboxed(boxed: object): unknown {
  return isNumberObject(boxed)
    ? numberOf(boxed)
    : isStringObject(boxed)
      ? stringOf(boxed)
      : isBooleanObject(boxed)
        ? booleanOf(boxed)
        : bigintOf(boxed);
}
export const asInt64: (bits: number, value: bigint) => bigint = BigInt.asIntN;

export const byteLengthOf: (buffer: ArrayBuffer) => number = getterOf(ArrayBuffer.prototype, "byteLength");
export const isDetached: (buffer: ArrayBuffer) => boolean = getterOf(ArrayBuffer.prototype, "detached");
export const isResizable: (buffer: ArrayBuffer) => boolean = getterOf(ArrayBuffer.prototype, "resizable");
export const maxByteLengthOf: (buffer: ArrayBuffer) => number = getterOf(
  ArrayBuffer.prototype,
  "maxByteLength",
);
export const sharedByteLengthOf: (buffer: SharedArrayBuffer) => number = getterOf(shared, "byteLength");
export const isGrowable: (buffer: SharedArrayBuffer) => boolean = getterOf(shared, "growable");

export const setBytes: (target: Uint8Array, source: Uint8Array, at: number) => void = uncurryThis(
  typedArrayPrototype.set,
);
/** Undefined for a DataView. */
export const typedArrayName: (view: View) => string | undefined = getterOf(
  typedArrayPrototype,
  Symbol.toStringTag,
);
const arrayBufferOfTyped: (view: View) => ArrayBufferLike = getterOf(typedArrayPrototype, "buffer");
const byteOffsetOfTyped: (view: View) => number = getterOf(typedArrayPrototype, "byteOffset");
const byteLengthOfTyped: (view: View) => number = getterOf(typedArrayPrototype, "byteLength");
const arrayBufferOfDataView: (view: View) => ArrayBufferLike = getterOf(DataView.prototype, "buffer");
const byteOffsetOfDataView: (view: View) => number = getterOf(DataView.prototype, "byteOffset");
const byteLengthOfDataView: (view: View) => number = getterOf(DataView.prototype, "byteLength");

/** What a view lies on, whatever its class says. */
export function bufferOf(view: View): ArrayBufferLike {
  return typedArrayName(view) === undefined ? arrayBufferOfDataView(view) : arrayBufferOfTyped(view);
}

/** 0 when its buffer is detached. */
export function byteOffsetOf(view: View): number {
  return typedArrayName(view) === undefined ? byteOffsetOfDataView(view) : byteOffsetOfTyped(view);
}

/** In bytes; 0 when its buffer is detached. @throws TypeError for a DataView whose buffer is detached. */
export function viewLengthOf(view: View): number {
  return typedArrayName(view) === undefined ? byteLengthOfDataView(view) : byteLengthOfTyped(view);
}

const keysOfTyped: (view: View) => unknown = uncurryThis(typedArrayPrototype.keys) as never;

/** Whether its buffer, which can be resized and was not detached, does not reach as far any more: then it has no length, and a DataView throws. */
export function isOutOfBounds(view: View): boolean {
  try {
    if (typedArrayName(view) === undefined) byteLengthOfDataView(view);
    else keysOfTyped(view);
    return false;
  } catch {
    return true;
  }
}

/** What the type declarations leave out of Buffer: texts to bytes and back. */
interface TextCodec {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  ucs2Slice(this: Uint8Array, start: number, end: number): string;
  utf8Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, offset: number): number;
  ucs2Write(this: Uint8Array, text: string, offset: number): number;
  utf8Write(this: Uint8Array, text: string, offset: number): number;
}

const textCodec = Buffer.prototype as unknown as TextCodec;
export const latin1Slice: (bytes: Uint8Array, start: number, end: number) => string = uncurryThis(
  textCodec.latin1Slice,
);
export const ucs2Slice: (bytes: Uint8Array, start: number, end: number) => string = uncurryThis(
  textCodec.ucs2Slice,
);
export const utf8Slice: (bytes: Uint8Array, start: number, end: number) => string = uncurryThis(
  textCodec.utf8Slice,
);
export const latin1Write: (bytes: Uint8Array, text: string, offset: number) => number = uncurryThis(
  textCodec.latin1Write,
);
export const ucs2Write: (bytes: Uint8Array, text: string, offset: number) => number = uncurryThis(
  textCodec.ucs2Write,
);
/** As far as there is room. @returns how many bytes it takes. */
export const utf8Write: (bytes: Uint8Array, text: string, offset: number) => number = uncurryThis(
  textCodec.utf8Write,
);
export const copyBuffer: (
  source: Uint8Array,
  target: Uint8Array,
  at: number,
  start: number,
  end: number,
) => number = uncurryThis(Buffer.prototype.copy);
export const bufferOn: (buffer: ArrayBufferLike, offset: number, length: number) => Buffer = Buffer.from;
/** Memory of its own, not cleared. */
export const allocateUnfilled: (length: number) => Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow;

/**
 * Gives `target` a property of its own, whatever its prototypes hold. The descriptor has no prototype, because `get` on a polluted
 * one would make it invalid.
 */
export function define(
  target: object,
  key: PropertyKey,
  value: unknown,
  isEnumerable: boolean,
  isWritable = true,
  isConfigurable = true,
): void {
  reflectDefine(target, key, {
    // @ts-expect-error -- the prototype of the literal, which its type does not name
    __proto__: null,
    value,
    enumerable: isEnumerable,
    writable: isWritable,
    configurable: isConfigurable,
  });
}
