/** The values that rich-writer.ts has written. Anybody may have written the text: each node is checked, and no name becomes code. */
import { Buffer } from "node:buffer";
import { type ErrorWire, fromWire } from "@skein/pool/engine";
import { InvalidPayloadError } from "../errors.ts";

type Node = readonly unknown[];
type View = new (buffer: ArrayBuffer, offset: number, length: number) => object;

/** From Node.js 24 on. */
const { Float16Array } = globalThis as { readonly Float16Array?: View };
const views: ReadonlyMap<unknown, View> = new Map(
  [
    DataView,
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    ...(Float16Array === undefined ? [] : [Float16Array]),
  ].map((type) => [type.name, type as View]),
);

/** @throws InvalidPayloadError for a text that rich-writer.ts does not write. */
export function readRich(text: string): unknown {
  const nodes: unknown = JSON.parse(text);
  if (!isNode(nodes) || nodes.length === 0 || !nodes.every(isNode)) throw broken();
  return new RichReader(nodes).read();
}

class RichReader {
  readonly #nodes: readonly Node[];
  readonly #values: unknown[];
  readonly #isMade: boolean[];
  /** Containers whose members are still to be added. */
  readonly #todo: number[] = [];

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
    this.#values = Array.from({ length: nodes.length });
    this.#isMade = Array.from({ length: nodes.length }, () => false);
  }

  read(): unknown {
    const [tag, reference] = this.#nodes[0]!;
    if (tag === "p") return this.#valueOf(reference);
    const value = this.#node(0);
    for (let next = this.#todo.pop(); next !== undefined; next = this.#todo.pop()) this.#fill(next);
    return value;
  }

  #valueOf(reference: unknown): unknown {
    if (!isNode(reference)) {
      if (typeof reference === "object" && reference !== null) throw broken();
      return reference;
    }
    const [tag, text] = reference;
    switch (tag) {
      case "u":
        return undefined;
      case "z":
        return -0;
      case "n":
        return Number(text);
      case "b":
        if (typeof text !== "string" || !/^-?\d+$/.test(text)) throw broken();
        return BigInt(text);
      default:
        return this.#node(tag);
    }
  }

  #node(index: unknown): unknown {
    if (typeof index !== "number" || !(index in this.#nodes)) throw broken();
    if (this.#isMade[index]) return this.#values[index];
    this.#isMade[index] = true;
    return (this.#values[index] = this.#make(index, this.#nodes[index]!));
  }

  #make(index: number, node: Node): unknown {
    const [tag, first, second, third, fourth] = node;
    switch (tag) {
      case "d":
        return new Date(first === null ? Number.NaN : Number(first));
      case "r":
        return new RegExp(String(first), String(second));
      case "B": {
        const bytes = Buffer.from(String(first), "base64");
        const buffer = new ArrayBuffer(bytes.length);
        new Uint8Array(buffer).set(bytes);
        return buffer;
      }
      case "v": {
        const View = views.get(first);
        const buffer = this.#valueOf(second);
        if (first === "Buffer" && buffer instanceof ArrayBuffer)
          return Buffer.from(buffer, Number(third), Number(fourth));
        if (View === undefined || !(buffer instanceof ArrayBuffer)) throw broken();
        return new View(buffer, Number(third), Number(fourth));
      }
      case "x":
        return new Object(this.#valueOf(first));
      case "e":
        // An error takes its record whole: with everything that hangs on it.
        return fromWire(this.#whole(first) as ErrorWire);
      case "a":
      case "A":
      case "o":
      case "m":
      case "s":
        this.#todo.push(index);
        if (tag === "m") return new Map();
        if (tag === "s") return new Set();
        return tag === "o" ? {} : [];
      default:
        throw broken();
    }
  }

  /** A value with all that it holds: earlier containers wait. */
  #whole(reference: unknown): unknown {
    const waiting = this.#todo.splice(0);
    const value = this.#valueOf(reference);
    for (let next = this.#todo.pop(); next !== undefined; next = this.#todo.pop()) this.#fill(next);
    this.#todo.push(...waiting);
    if (typeof value !== "object" || value === null || !("error" in value || "thrown" in value))
      throw broken();
    return value;
  }

  #fill(index: number): void {
    const node = this.#nodes[index]!;
    const target = this.#values[index];
    if (target instanceof Map)
      for (let i = 1; i < node.length; i += 2) target.set(this.#valueOf(node[i]), this.#valueOf(node[i + 1]));
    else if (target instanceof Set) for (let i = 1; i < node.length; i++) target.add(this.#valueOf(node[i]));
    else if (node[0] === "a")
      for (let i = 1; i < node.length; i++) (target as unknown[]).push(this.#valueOf(node[i]));
    else this.#properties(node, target as object);
  }

  #properties(node: Node, target: object): void {
    let from = 1;
    if (Array.isArray(target)) {
      const length = Number(node[1]);
      if (!Number.isInteger(length) || length < 0 || length > 0xffff_ffff) throw broken();
      target.length = length;
      from = 2;
    }
    for (let i = from; i < node.length; i += 2) {
      const key = node[i];
      if (typeof key !== "string") throw broken();
      // Defined, not assigned: `__proto__` is a name like any other.
      const value = this.#valueOf(node[i + 1]);
      Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
    }
  }
}

function isNode(value: unknown): value is Node {
  return Array.isArray(value);
}

function broken(): InvalidPayloadError {
  return new InvalidPayloadError("it is damaged, or was written by something else");
}
