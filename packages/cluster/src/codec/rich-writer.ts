/**
 * Values that JSON cannot carry, as one JSON array of nodes; node 0 is the value.
 *
 *   a reference   a string, boolean, null or finite number other than -0 as it is; `[n]` for node n; `["tag", …]` for the rest
 *   primitives    ["u"] undefined, ["z"] -0, ["n", "NaN"], ["b", "12"] bigint
 *   nodes         ["o", key, ref, …]  ["a", ref, …]  ["A", length, index, ref, …] sparse  ["m", key, ref, …]  ["s", ref, …]
 *                 ["d", time | null]  ["r", source, flags]  ["B", base64]  ["v", class, ref, offset, length]
 *                 ["x", ref] a boxed primitive  ["e", ref of the error's wire form]  ["p", ref] the first node when it is no object
 */
import { Buffer } from "node:buffer";
import { isBoxedPrimitive, isDate, isMap, isNativeError, isProxy, isRegExp, isSet } from "node:util/types";
import { NotCloneableError } from "@skein/pool";
import { isCarriedByMessage, toWire } from "@skein/pool/engine";
import { isOfPlatform } from "./platform-classes.ts";

const viewPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
// oxlint-disable-next-line typescript/unbound-method -- called with the view below
const viewName = Object.getOwnPropertyDescriptor(viewPrototype, Symbol.toStringTag)!.get as () =>
  | string
  | undefined;

/** @throws NotCloneableError with the path of what only memory can carry. Runs getters of the value. */
export function writeRich(value: unknown, path: string): string {
  return new RichWriter().write(value, path);
}

interface Todo<T = object> {
  readonly value: T;
  readonly index: number;
  readonly path: string;
}

class RichWriter {
  readonly #nodes: unknown[][] = [];
  readonly #indexes: Map<object, number> = new Map();
  readonly #todo: Todo[] = [];
  readonly #views: Todo<ArrayBufferView>[] = [];

  write(value: unknown, path: string): string {
    if (typeof value !== "object" || value === null) return textOf([["p", this.#reference(value, path)]]);
    this.#reference(value, path);
    this.#describeAll();
    this.#describeViews();
    this.#describeAll();
    return textOf(this.#nodes);
  }

  /** A list, not recursion: depth is no limit. */
  #describeAll(): void {
    for (let next = this.#todo.pop(); next !== undefined; next = this.#todo.pop()) this.#describe(next);
  }

  #reference(value: unknown, path: string): unknown {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        if (Object.is(value, -0)) return ["z"];
        return Number.isFinite(value) ? value : ["n", String(value)];
      case "undefined":
        return ["u"];
      case "bigint":
        return ["b", String(value)];
      case "function":
      case "symbol":
        throw new NotCloneableError(path, `is a ${typeof value}, which cannot go to another machine`);
      case "object":
        break;
    }
    if (value === null) return null;
    let index = this.#indexes.get(value);
    if (index === undefined) {
      index = this.#nodes.length;
      this.#indexes.set(value, index);
      this.#nodes.push([]);
      this.#todo.push({ value, index, path });
    }
    return [index];
  }

  #describe(todo: Todo): void {
    const { value, index, path } = todo;
    const node = this.#nodes[index]!;
    if (isProxy(value)) throw new NotCloneableError(path, "is a Proxy, which cannot be copied");
    if (Array.isArray(value)) this.#array(node, value, path);
    else if (isDate(value)) node.push("d", Number.isNaN(value.getTime()) ? null : value.getTime());
    else if (isRegExp(value)) node.push("r", value.source, value.flags);
    else if (isMap(value)) {
      node.push("m");
      let i = 0;
      for (const [key, item] of Array.from(value)) {
        node.push(
          this.#reference(key, `${path}.keys()[${i}]`),
          this.#reference(item, `${path}.values()[${i}]`),
        );
        i++;
      }
    } else if (isSet(value)) {
      node.push("s");
      let i = 0;
      for (const item of Array.from(value)) node.push(this.#reference(item, `${path}.values()[${i++}]`));
    } else if (value instanceof ArrayBuffer) node.push("B", Buffer.from(value).toString("base64"));
    else if (ArrayBuffer.isView(value)) this.#views.push(todo as Todo<ArrayBufferView>);
    else if (isNativeError(value)) node.push("e", this.#reference(toWire(value), path));
    else if (isBoxedPrimitive(value)) node.push("x", this.#reference(value.valueOf(), path));
    else this.#object(node, value, path);
  }

  #array(node: unknown[], value: readonly unknown[], path: string): void {
    const keys = Object.keys(value);
    if (keys.length === value.length && keys.every((key, i) => key === String(i))) {
      node.push("a");
      for (let i = 0; i < value.length; i++) node.push(this.#reference(value[i], `${path}[${i}]`));
      return;
    }
    node.push("A", value.length);
    for (const key of keys) {
      const item = (value as unknown as Record<string, unknown>)[key];
      node.push(key, this.#reference(item, `${path}[${key}]`));
    }
  }

  /**
   * Of a buffer that nothing else shows a view takes along only what it shows itself: a small view of a large buffer is common in Node. Hence they
   * come when everything else was met.
   */
  #describeViews(): void {
    const seen = new Set<ArrayBufferLike>();
    const shown = new Set<ArrayBufferLike>(); // By several views, as structured clone keeps them together.
    for (const { value } of this.#views) {
      // Node keeps many small Buffers in one.
      if (Buffer.isBuffer(value) && isPart(value)) continue;
      (seen.has(value.buffer) ? shown : seen).add(value.buffer);
    }
    for (const { value, index, path } of this.#views) {
      const isAlone = !shown.has(value.buffer) && !this.#indexes.has(value.buffer);
      this.#view(this.#nodes[index]!, value, path, isAlone && isPart(value));
    }
  }

  /** @param alone Whether its buffer is one of its own, with what the view shows. */
  #view(node: unknown[], value: ArrayBufferView, path: string, alone: boolean): void {
    if (!(value.buffer instanceof ArrayBuffer))
      throw new NotCloneableError(path, "lies in shared memory, which no other machine has");
    const isData = value instanceof DataView;
    const length = isData ? value.byteLength : (value as Uint8Array).length;
    const name = isData ? "DataView" : Buffer.isBuffer(value) ? "Buffer" : viewName.call(value);
    const { buffer, byteOffset, byteLength } = value;
    const bytes = alone ? buffer.slice(byteOffset, byteOffset + byteLength) : buffer;
    node.push("v", name, this.#reference(bytes, `${path}.buffer`), alone ? 0 : byteOffset, length);
  }

  /** Any class but those of the platform arrives as a plain object, as in structured clone. */
  #object(node: unknown[], value: object, path: string): void {
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    if (tag !== "Object" && !Object.hasOwn(value, Symbol.toStringTag) && isOfPlatform(value))
      throw new NotCloneableError(path, `is a ${tag}, which only memory can carry`);
    if (isCarriedByMessage(value))
      throw new NotCloneableError(path, "is an object of Node, which only memory can carry");
    node.push("o");
    for (const key of Object.keys(value))
      node.push(key, this.#reference((value as Record<string, unknown>)[key], pathOf(path, key)));
  }
}

/** As JSON, also where somebody has put `toJSON` on a prototype. */
function textOf(nodes: unknown[][]): string {
  if ("toJSON" in nodes) withoutToJson(nodes);
  return JSON.stringify(nodes);
}

function withoutToJson(list: unknown[]): void {
  Object.defineProperty(list, "toJSON", { __proto__: null, value: undefined } as PropertyDescriptor);
  for (const each of list) if (Array.isArray(each)) withoutToJson(each as unknown[]);
}

function isPart({ byteLength, buffer }: ArrayBufferView): boolean {
  return byteLength < buffer.byteLength;
}

function pathOf(path: string, key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key)
    ? `${path}.${key}`
    : `${path}[${JSON.stringify(key)}]`;
}
