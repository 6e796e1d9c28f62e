/**
 * What an object is to the codec, for everything that is not a plain object or an array. One answer for the encoder
 * and for the search that explains a refusal, so that the two cannot disagree.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- any object may come; kinds are proven at run time
import types from "node:util/types";

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

/** Why an object is refused, and what to do instead: the end of a sentence that begins with its path. */
export class Refusal {
  readonly problem: string;
  constructor(problem: string) {
    this.problem = problem;
  }
}

/** Prototypes whose instances were seen to be ordinary classes: `instance` without asking again. */
const ordinaryPrototypes = new WeakSet<object>();

/** Behind these the engine keeps state that the prototype alone does not prove. */
const statefulPrototypes: ReadonlySet<object> = new Set<object>([
  Array.prototype,
  ArrayBuffer.prototype,
  BigInt.prototype,
  Boolean.prototype,
  DataView.prototype,
  Date.prototype,
  Error.prototype,
  Function.prototype,
  Map.prototype,
  Number.prototype,
  Promise.prototype,
  RegExp.prototype,
  Set.prototype,
  SharedArrayBuffer.prototype,
  String.prototype,
  Symbol.prototype,
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  WeakMap.prototype,
  WeakRef.prototype,
  WeakSet.prototype,
]);

/** What `value` is, or why it cannot be cloned. `value` is an object with a prototype that is not `Object.prototype`. */
export function cloneableKindOf(value: object): CloneableKind | Refusal {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || ordinaryPrototypes.has(prototype)) return "instance";
  if (ArrayBuffer.isView(value)) return "view";
  if (types.isDate(value)) return "date";
  if (types.isMap(value)) return "map";
  if (types.isSet(value)) return "set";
  if (types.isRegExp(value)) return "regexp";
  if (types.isNativeError(value)) return value instanceof DOMException ? "domException" : "error";
  if (types.isArrayBuffer(value)) return "buffer";
  if (types.isSharedArrayBuffer(value)) return "sharedBuffer";
  if (types.isSymbolObject(value)) return new Refusal("is a boxed symbol; symbols belong to one thread");
  if (types.isBoxedPrimitive(value)) return "boxed";
  if (value instanceof DOMException) return "domException";
  return kindOfInstance(value, prototype);
}

function kindOfInstance(value: object, prototype: object): "instance" | "carried" | Refusal {
  const advice = engineAdvice(value);
  if (advice !== undefined) return new Refusal(advice);
  let ordinary = true;
  let link: object | null = prototype;
  let last: object = prototype;
  while (link !== null) {
    const kind = platformKind(link, value);
    if (kind !== undefined) return kind;
    if (statefulPrototypes.has(link)) ordinary = false;
    last = link;
    link = Object.getPrototypeOf(link) as object | null;
  }
  if (!ordinary && types.isProxy(value))
    return new Refusal("is a Proxy of a built-in object; pass its target");
  if (ordinary && last === Object.prototype) ordinaryPrototypes.add(prototype);
  return "instance";
}

function engineAdvice(value: object): string | undefined {
  if (types.isPromise(value)) return "is a promise; await it before you pass it";
  if (types.isWeakMap(value) || types.isWeakSet(value))
    return "is a weak collection, whose members cannot be listed";
  if (types.isGeneratorObject(value)) return "is a generator; collect it into an array first";
  if (types.isMapIterator(value) || types.isSetIterator(value))
    return "is an iterator; collect it into an array first";
  if (types.isExternal(value)) return "is a native handle of this thread";
  if (types.isModuleNamespaceObject(value))
    return "is a module namespace; import the module in the job instead";
  return undefined;
}

const handle = "belongs to the thread that made it";
const moveIt = "can only be moved: list it in `transfer`, or pass or return it with `move()`";
/** In place of advice: structured clone takes it, so a message carries it. */
const carried = null;

type Owner =
  | "global"
  | "Intl"
  | "WebAssembly"
  | "Temporal"
  | "node:crypto"
  | "node:net"
  | "node:worker_threads"
  | "any";

/** Class name → where the class lives, and what to do. A class of the user that only shares the name is not meant. */
const platformClasses: ReadonlyMap<string, readonly [owner: Owner, advice: string | null]> = new Map<
  string,
  readonly [Owner, string | null]
>([
  ["MessagePort", ["global", `is a MessagePort and ${moveIt}`]],
  ["ReadableStream", ["global", `is a ReadableStream and ${moveIt}`]],
  ["WritableStream", ["global", `is a WritableStream and ${moveIt}`]],
  ["TransformStream", ["global", `is a TransformStream and ${moveIt}`]],
  ["MessageChannel", ["global", "is a MessageChannel; pass one of its ports in `transfer`"]],
  ["BroadcastChannel", ["global", `is a BroadcastChannel, which ${handle}; open it by name in the job`]],
  ["Blob", ["global", carried]],
  ["URL", ["global", "is a URL; pass `url.href`"]],
  ["URLSearchParams", ["global", "is a URLSearchParams; pass `String(params)`"]],
  ["Headers", ["global", "is a Headers; pass `Object.fromEntries(headers)`"]],
  ["Request", ["global", "is a Request; pass its `url`, and what the job needs of it"]],
  ["Response", ["global", "is a Response; pass `await response.arrayBuffer()`"]],
  ["FormData", ["global", "is a FormData; pass `[...form]`"]],
  [
    "AbortSignal",
    ["global", "is an AbortSignal; pass it as the `signal` option, and read `job.signal` in the job"],
  ],
  ["AbortController", ["global", "is an AbortController; pass its signal as the `signal` option"]],
  ["WebSocket", ["global", `is a WebSocket, which ${handle}`]],
  ["CryptoKey", ["global", carried]],
  ["WeakRef", ["global", "is a WeakRef; pass what it refers to"]],
  ["FinalizationRegistry", ["global", `is a FinalizationRegistry, which ${handle}`]],
  ["Module", ["WebAssembly", carried]],
  ["Instance", ["WebAssembly", `is a WebAssembly.Instance, which ${handle}; pass the bytes of its module`]],
  ["Memory", ["WebAssembly", "is a WebAssembly.Memory that is not shared; pass a copy of its `buffer`"]],
  ["Table", ["WebAssembly", `is a WebAssembly.Table, which ${handle}`]],
  ["Global", ["WebAssembly", "is a WebAssembly.Global; pass its `value`"]],
  ["KeyObject", ["node:crypto", carried]],
  ["X509Certificate", ["node:crypto", carried]],
  ["BlockList", ["node:net", carried]],
  ["SocketAddress", ["node:net", carried]],
  ["Socket", ["node:net", `is a Socket, which ${handle}`]],
  ["Server", ["node:net", `is a Server, which ${handle}`]],
  ["Worker", ["node:worker_threads", `is a Worker, which ${handle}`]],
  ["FileHandle", ["any", `is a FileHandle and ${moveIt}`]],
  ...["Collator", "DateTimeFormat", "DisplayNames", "DurationFormat", "ListFormat", "Locale", "NumberFormat"]
    .concat(["PluralRules", "RelativeTimeFormat", "Segmenter"])
    .map(
      (name) =>
        [name, ["Intl", `is an Intl.${name}; make it in the job from its locale and options`]] as const,
    ),
  ...["Duration", "Instant", "PlainDate", "PlainDateTime", "PlainMonthDay", "PlainTime", "PlainYearMonth"]
    .concat(["ZonedDateTime"])
    .map((name) => [name, ["Temporal", `is a Temporal.${name}; pass its \`toString()\``]] as const),
]);

/** `Iterator.prototype.constructor` is an accessor, so iterators are not found by the name of their class. */
const iteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([].values())) as object;

/** Node's own mark of classes that structured clone takes; finds those that have no public name, as histograms. */
const cloneSymbol: symbol | undefined = Object.getOwnPropertySymbols(Blob.prototype).find(
  ({ description }) => description === "messaging_clone_symbol",
);

function platformKind(prototype: object, value: object): "carried" | Refusal | undefined {
  if (prototype === iteratorPrototype) return new Refusal("is an iterator; collect it into an array first");
  if (cloneSymbol !== undefined && Object.hasOwn(prototype, cloneSymbol)) return "carried";
  const descriptor = Object.getOwnPropertyDescriptor(prototype, "constructor");
  const constructor: unknown = descriptor?.value;
  if (typeof constructor !== "function") return undefined;
  const entry = platformClasses.get(constructor.name);
  if (entry === undefined) return undefined;
  const [owner, advice] = entry;
  if (owner !== "any" && classOf(owner, constructor.name) !== constructor) return undefined;
  return advice === carried || isSharedMemory(value) ? "carried" : new Refusal(advice);
}

/** A WebAssembly.Memory over shared memory: all threads have it. */
function isSharedMemory(value: object): boolean {
  return "buffer" in value && types.isSharedArrayBuffer(value.buffer);
}

function classOf(owner: Exclude<Owner, "any">, name: string): unknown {
  const home: unknown = owner.startsWith("node:")
    ? process.getBuiltinModule(owner)
    : owner === "global"
      ? globalThis
      : (globalThis as Record<string, unknown>)[owner];
  return (home as Record<string, unknown> | undefined)?.[name];
}
