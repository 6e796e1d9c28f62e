/** The classes that the platform had under their names when this file was loaded: what programs put on `globalThis` later is theirs. */
const descriptors: ReadonlyMap<string, PropertyDescriptor> = new Map(
  Object.entries(Object.getOwnPropertyDescriptors(globalThis)),
);

/** Whether the object is of such a class: a stream, a port, a WeakMap, a Promise. */
export function isOfPlatform(value: object): boolean {
  const { constructor } = value;
  if (typeof constructor !== "function") return false;
  const descriptor = descriptors.get(constructor.name);
  if (descriptor === undefined) return false;
  return ("value" in descriptor ? descriptor.value : read(constructor.name, descriptor)) === constructor;
}

/** Node loads some classes when their names are first read; reading all of them here would load half of Node. */
function read(name: string, descriptor: PropertyDescriptor): unknown {
  const present = Object.getOwnPropertyDescriptor(globalThis, name);
  const value: unknown = descriptor.get?.call(globalThis);
  // That may have put it there, over what somebody else had.
  if (present !== undefined && "value" in present) Object.defineProperty(globalThis, name, present);
  return value;
}
