/**
 * Built-ins as they were when this package was loaded: a program may replace, freeze or hide them later. Property
 * descriptors have no prototype, because `get` on `Object.prototype` would make each of them invalid.
 */
/* oxlint-disable typescript/unbound-method -- none of these looks at `this` */
export const WeakMap: WeakMapConstructor = globalThis.WeakMap;
export const create: typeof Object.create = Object.create;
export const defineProperty: typeof Object.defineProperty = Object.defineProperty;
export const getOwnPropertySymbols: typeof Object.getOwnPropertySymbols = Object.getOwnPropertySymbols;
export const getPrototypeOf: (value: object) => object | null = Object.getPrototypeOf;
export const hasOwn: typeof Object.hasOwn = Object.hasOwn;
export const setPrototypeOf: (object: object, prototype: object | null) => object = Object.setPrototypeOf;
export const is: typeof Object.is = Object.is;
export const keys: typeof Object.keys = Object.keys;
export const nextTick: typeof process.nextTick = process.nextTick;
export const apply: typeof Reflect.apply = Reflect.apply;
export const isArray: typeof Array.isArray = Array.isArray;
export const fromCharCode: typeof String.fromCharCode = String.fromCharCode;
export const parse: typeof JSON.parse = JSON.parse;
export const stringify: typeof JSON.stringify = JSON.stringify;
export const lowerCase: (text: string) => string = Function.prototype.call.bind(String.prototype.toLowerCase);
/** Whether a string has no lone surrogates. */
export const isWellFormed: (text: string) => boolean = Function.prototype.call.bind(
  String.prototype.isWellFormed,
);
/* oxlint-enable typescript/unbound-method */

/** Gives an object a property of its own, whatever its prototypes hold: writable and configurable. */
export function define(target: object, key: PropertyKey, value: unknown, isEnumerable = false): void {
  const descriptor = create(null) as PropertyDescriptor;
  descriptor.value = value;
  descriptor.enumerable = isEnumerable;
  descriptor.configurable = true;
  descriptor.writable = true;
  defineProperty(target, key, descriptor);
}
