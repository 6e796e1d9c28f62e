import * as fc from "fast-check";

/** Strings of every kind that the encoder tells apart: ascii, latin1, other, lone surrogates, both sides of each length. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc
    .array(fc.integer({ min: 0, max: 0xff }), { maxLength: 80 })
    .map((codes) => String.fromCharCode(...codes)),
  fc
    .array(fc.integer({ min: 0xd7f0, max: 0xe00f }), { maxLength: 40 })
    .map((codes) => String.fromCharCode(...codes)),
);

export const primitive: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    false,
    -0,
    0,
    Number.NaN,
    Infinity,
    -Infinity,
    2 ** 31,
    -(2 ** 31),
  ),
  fc.integer(),
  fc.integer({ min: -40, max: 140 }),
  fc.double(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }),
  text,
);

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => array.slice());

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: primitive },
  fc.date({ noInvalidDate: false }),
  bytes,
  bytes.map((array) => array.buffer),
  bytes.map((array) => new DataView(array.buffer)),
  fc.float64Array({ maxLength: 8 }).map((array) => array.slice()),
  fc.int16Array({ maxLength: 8 }).map((array) => array.slice()),
  bytes.map((array) => new Uint8Array(array.buffer, array.length >> 1)),
  fc
    .constantFrom<() => unknown>(
      () => /a(b)\/c/giu,
      () => Object(1),
      () => Object("text"),
      () => Object(5n),
    )
    .map((make) => make()),
  fc.tuple(text, fc.constantFrom(Error, RangeError, TypeError)).map(([message, type]) => new type(message)),
);

/** A graph: containers that hold leaves and, by the links, each other and themselves. */
export const graph: fc.Arbitrary<unknown> = fc
  .tuple(
    fc.array(fc.constantFrom("object", "null", "array", "sparse", "map", "set", "instance", "error"), {
      minLength: 1,
      maxLength: 40,
    }),
    fc.array(
      fc.tuple(fc.nat(), fc.oneof(text, fc.constantFrom("__proto__", "constructor", "0", "a")), leaf),
      {
        maxLength: 60,
      },
    ),
    fc.array(fc.tuple(fc.nat(), fc.nat(), text), { maxLength: 40 }),
  )
  .map(([kinds, leaves, links]) => {
    const nodes = kinds.map(makeNode);
    const at = (index: number) => nodes[index % nodes.length]!;
    for (const [owner, key, value] of leaves) put(at(owner), key, value);
    for (const [owner, member, key] of links) put(at(owner), key, at(member));
    return nodes.length % 3 === 0 ? nodes : nodes[0];
  });

class Point {
  x = 1;
  get length(): number {
    return 0;
  }
}

function makeNode(kind: string): object {
  switch (kind) {
    case "null":
      return Object.setPrototypeOf({}, null);
    case "array":
      return [];
    case "sparse":
      return [1, , 3]; // oxlint-disable-line no-sparse-arrays -- the hole is what is tested
    case "map":
      return new Map();
    case "set":
      return new Set();
    case "instance":
      return new Point();
    case "error":
      return new Error("node");
    default:
      return {};
  }
}

function put(owner: object, key: string, value: unknown): void {
  if (owner instanceof Map) owner.set(key, value);
  else if (owner instanceof Set) owner.add(value);
  else if (owner instanceof Error) owner.cause = value;
  else if (Array.isArray(owner) && key.length % 5 !== 0) owner.push(value);
  else Object.defineProperty(owner, key, { value, configurable: true, enumerable: true, writable: true });
}
