/** Calls `fn` while every plain object inherits `properties`, as after a pollution of prototypes. Nothing that `fn` leaves behind sees them. */
export function inheriting<R>(properties: Readonly<Record<string, unknown>>, fn: () => R): R {
  const names = Object.keys(properties);
  for (const name of names) {
    const descriptor = { __proto__: null, value: properties[name], configurable: true, writable: true };
    // oxlint-disable-next-line no-extend-native -- that is what is tested
    Object.defineProperty(Object.prototype, name, descriptor as PropertyDescriptor);
  }
  try {
    return fn();
  } finally {
    for (const name of names) Reflect.deleteProperty(Object.prototype, name);
  }
}
