/**
 * Objects of the platform that belong to one thread, or that only a message can carry. A class counts when it is the platform's own:
 * by identity, by a mark that Node gives it, or because it is native code, so that the built-ins of other realms count too. A class
 * of the program that only has the same name does not.
 */
// oxlint-disable typescript/no-unsafe-type-assertion -- any object may come; kinds are proven at run time
import {
  descriptionOf,
  functionText,
  getOwnPropertyDescriptor,
  hasOwnProperty,
  indexOfText,
  keysOf,
  ownKeys,
  process,
  Symbol,
} from "../shared/intrinsics.ts";
import { isSharedArrayBuffer } from "./brand-checks.ts";
import { Refusal } from "./refusal.ts";

const getBuiltinModule = process.getBuiltinModule.bind(process);

const handle = "belongs to the thread that made it";
const moveIt = "can only be moved: list it in `transfer`, or pass or return it with `move()`";
/** In place of advice: structured clone takes it, so a message carries it. */
const carried = null;

type Owner = "global" | "node:crypto" | "node:net" | "node:url" | "node:worker_threads" | "node:stream/web";

/** Of the classes that Node writes in JavaScript, by name: where they are found, and what to do. */
const nodeClasses: Readonly<Record<string, readonly [owner: Owner, advice: string | null]>> = table({
  CryptoKey: ["global", carried],
  KeyObject: ["node:crypto", carried],
  MessagePort: ["node:worker_threads", `is a MessagePort and ${moveIt}`],
  MessageChannel: ["node:worker_threads", "is a MessageChannel; pass one of its ports in `transfer`"],
  BroadcastChannel: [
    "node:worker_threads",
    `is a BroadcastChannel, which ${handle}; open it by name in the job`,
  ],
  Worker: ["node:worker_threads", `is a Worker, which ${handle}`],
  ReadableStream: ["node:stream/web", `is a ReadableStream and ${moveIt}`],
  WritableStream: ["node:stream/web", `is a WritableStream and ${moveIt}`],
  TransformStream: ["node:stream/web", `is a TransformStream and ${moveIt}`],
  URL: ["node:url", "is a URL; pass `url.href`"],
  URLSearchParams: ["node:url", "is a URLSearchParams; pass `String(params)`"],
  Socket: ["node:net", `is a Socket, which ${handle}`],
  Server: ["node:net", `is a Server, which ${handle}`],
  Headers: ["global", "is a Headers; pass `Object.fromEntries(headers)`"],
  Request: ["global", "is a Request; pass its `url`, and what the job needs of it"],
  Response: ["global", "is a Response; pass `await response.arrayBuffer()`"],
  FormData: ["global", "is a FormData; pass `[...form]`"],
  AbortSignal: [
    "global",
    "is an AbortSignal; pass it as the `signal` option, and read `job.signal` in the job",
  ],
  AbortController: ["global", "is an AbortController; pass its signal as the `signal` option"],
  WebSocket: ["global", `is a WebSocket, which ${handle}`],
});

/** Of native classes, by the tag of their prototype. */
const nativeClasses: Readonly<Record<string, string | null>> = table({
  WeakRef: "is a WeakRef; pass what it refers to",
  FinalizationRegistry: `is a FinalizationRegistry, which ${handle}`,
  "WebAssembly.Module": carried,
  "WebAssembly.Instance": `is a WebAssembly.Instance, which ${handle}; pass the bytes of its module`,
  "WebAssembly.Memory": "is a WebAssembly.Memory that is not shared; pass a copy of its `buffer`",
  "WebAssembly.Table": `is a WebAssembly.Table, which ${handle}`,
  "WebAssembly.Global": "is a WebAssembly.Global; pass its `value`",
});

function table<T>(entries: Record<string, T>): Readonly<Record<string, T>> {
  return Object.assign(Object.create(null) as Record<string, T>, entries);
}

/** Node's own mark of classes that structured clone takes; finds those that have no public name, as histograms. */
const cloneSymbol = markOf(getBuiltinModule("node:buffer").Blob.prototype, "messaging_clone_symbol");

/** What `value` is because of `prototype`, which is one of its prototypes; undefined: nothing special. */
export function platformKind(prototype: object, value: object): "carried" | Refusal | undefined {
  if (cloneSymbol !== undefined && hasOwnProperty(prototype, cloneSymbol)) return "carried";
  const tag = dataOf(prototype, Symbol.toStringTag);
  const constructor = dataOf(prototype, "constructor");
  if (typeof tag === "string") {
    if (isIterator(prototype, tag))
      return new Refusal("is an iterator; collect it into an array first", value);
    if (typeof constructor === "function" && isNativeCode(constructor)) {
      const advice = nativeAdvice(tag);
      if (advice === carried || (tag === "WebAssembly.Memory" && isShared(value))) return "carried";
      if (advice !== undefined) return new Refusal(advice, value);
    }
  }
  if (typeof constructor !== "function") return undefined;
  const name = dataOf(constructor, "name");
  if (typeof name !== "string") return undefined;
  if (name === "FileHandle" && markOf(prototype, "messaging_transfer_symbol") !== undefined)
    return new Refusal(`is a FileHandle and ${moveIt}`, value);
  const entry = nodeClasses[name];
  if (entry !== undefined && homeOf(entry[0])[name] === constructor)
    return entry[1] === carried ? "carried" : new Refusal(entry[1], value);
  return isOfSimulatedDOM(value)
    ? new Refusal(entry?.[1] ?? `is a ${name} of a simulated DOM, which ${handle}`, value)
    : undefined;
}

function nativeAdvice(tag: string): string | null | undefined {
  if (indexOfText(tag, "Intl.") === 0) return `is an ${tag}; make it in the job from its locale and options`;
  if (indexOfText(tag, "Temporal.") === 0) return `is a ${tag}; pass its \`toString()\``;
  return nativeClasses[tag];
}

/** Iterators of any realm; `Iterator.prototype.constructor` is an accessor, so they are not found by their class. */
function isIterator(prototype: object, tag: string): boolean {
  if (indexOfText(tag, " Iterator") < 0 && tag !== "Iterator Helper") return false;
  const next = dataOf(prototype, "next");
  return typeof next === "function" && isNativeCode(next);
}

export function isNativeCode(fn: object): boolean {
  return indexOfText(functionText(fn), "[native code]") >= 0;
}

/** A WebAssembly.Memory over shared memory: all threads have it. */
function isShared(memory: object): boolean {
  return isSharedArrayBuffer((memory as { readonly buffer?: unknown }).buffer);
}

/** jsdom keeps what it knows of an object behind a symbol of this name; otherwise the object is empty. */
function isOfSimulatedDOM(value: object): boolean {
  return keysOf(value).length === 0 && markOf(value, "impl") !== undefined;
}

function markOf(target: object, description: string): symbol | undefined {
  const keys = ownKeys(target);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (typeof key === "symbol" && descriptionOf(key) === description) return key;
  }
  return undefined;
}

/** Where the class is now: an environment such as jsdom puts another one into its place, which is then the platform's. */
function homeOf(owner: Owner): Readonly<Record<string, unknown>> {
  const home: object = owner === "global" ? globalThis : getBuiltinModule(owner);
  return home as Readonly<Record<string, unknown>>;
}

/** Of an own property that is no accessor: nobody's code runs. */
export function dataOf(target: object, key: PropertyKey): unknown {
  const descriptor = getOwnPropertyDescriptor(target, key);
  return descriptor !== undefined && hasOwnProperty(descriptor, "value") ? descriptor.value : undefined;
}
