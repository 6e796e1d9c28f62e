/** What an object is inside, whichever realm made it and whatever its prototype says: `node:util/types` as it was at load. */
import types from "node:util/types";

const captured = { ...types };

export const isArrayBuffer: typeof types.isArrayBuffer = captured.isArrayBuffer;
export const isBoxedPrimitive: typeof types.isBoxedPrimitive = captured.isBoxedPrimitive;
export const isDate: typeof types.isDate = captured.isDate;
export const isExternal: typeof types.isExternal = captured.isExternal;
export const isGeneratorObject: typeof types.isGeneratorObject = captured.isGeneratorObject;
export const isMap: (value: unknown) => value is Map<unknown, unknown> = captured.isMap;
export const isMapIterator: typeof types.isMapIterator = captured.isMapIterator;
export const isModuleNamespaceObject: typeof types.isModuleNamespaceObject = captured.isModuleNamespaceObject;
export const isNativeError: typeof types.isNativeError = captured.isNativeError;
export const isPromise: typeof types.isPromise = captured.isPromise;
export const isProxy: typeof types.isProxy = captured.isProxy;
export const isRegExp: typeof types.isRegExp = captured.isRegExp;
export const isSet: (value: unknown) => value is Set<unknown> = captured.isSet;
export const isSetIterator: typeof types.isSetIterator = captured.isSetIterator;
export const isSharedArrayBuffer: typeof types.isSharedArrayBuffer = captured.isSharedArrayBuffer;
export const isSymbolObject: typeof types.isSymbolObject = captured.isSymbolObject;
export const isWeakMap: typeof types.isWeakMap = captured.isWeakMap;
export const isWeakSet: typeof types.isWeakSet = captured.isWeakSet;
