/** Sets a property of the object's own, also one that is called `__proto__`, which an assignment would take for the prototype. */
export function define(object: object, key: string, value: unknown): void {
  const own = { __proto__: null, value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(object, key, own as PropertyDescriptor);
}
