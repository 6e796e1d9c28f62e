import { types } from "node:util";
import { createContext, runInContext } from "node:vm";
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

class Point {
  x = 1;
  get length(): number {
    return 0;
  }
}

const foreign = createContext();
const makeForeign = (expression: string) => (): object => runInContext(expression, foreign) as object;

const makersOfHere = {
  object: () => ({}),
  null: () => Object.setPrototypeOf({}, null) as object,
  array: () => [],
  sparse: () => [1, , 3], // oxlint-disable-line no-sparse-arrays -- the hole is what is tested
  map: () => new Map(),
  set: () => new Set(),
  instance: () => new Point(),
  error: () => Object.defineProperty(new Error("node"), "stack", { value: "Error: node" }),
};
const makers = {
  ...makersOfHere,
  "foreign object": makeForeign("({})"),
  "foreign array": makeForeign("[]"),
  "foreign map": makeForeign("new Map()"),
  "foreign error": makeForeign(
    "Object.defineProperty(new RangeError('far'), 'stack', { value: 'RangeError: far' })",
  ),
  "foreign instance": makeForeign("new (class Point { x = 1 })()"),
};
type Kind = keyof typeof makers;
const kindsOfHere = Object.keys(makersOfHere) as Kind[];
const allKinds = Object.keys(makers) as Kind[];

/** A graph as numbers, so that it can be made several times. */
interface Plan {
  readonly kinds: readonly Kind[];
  readonly leaves: readonly (readonly [owner: number, key: string, value: unknown, flags: number])[];
  readonly links: readonly (readonly [owner: number, member: number, key: string])[];
}

const plan = (kinds: readonly Kind[]): fc.Arbitrary<Plan> =>
  fc.record({
    kinds: fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 40 }),
    leaves: fc.array(
      fc.tuple(
        fc.nat(),
        fc.oneof(text, fc.constantFrom("__proto__", "constructor", "toString", "0", "a")),
        leaf,
        fc.nat(7),
      ),
      { maxLength: 60 },
    ),
    links: fc.array(fc.tuple(fc.nat(), fc.nat(), text), { maxLength: 40 }),
  });

function build({ kinds, leaves, links }: Plan, leafOf: (value: unknown) => unknown): unknown {
  const nodes = kinds.map(makeNode);
  const at = (index: number) => nodes[index % nodes.length]!;
  for (const [owner, key, value, flags] of leaves) put(at(owner), key, leafOf(value), flags);
  for (const [owner, member, key] of links) put(at(owner), key, at(member), 7);
  return nodes.length % 3 === 0 ? nodes : nodes[0];
}

/** A graph: containers that hold leaves and, by the links, each other and themselves. */
export const graph: fc.Arbitrary<unknown> = plan(kindsOfHere).map((planned) =>
  build(planned, (value) => value),
);

/** What stands for a Buffer where structuredClone is asked, which knows none. Nothing else here is of this class. */
export const BufferStandIn = Uint8ClampedArray;

/**
 * The same graph twice, with objects of other realms and with Buffers: once as it is, and once with a stand-in for each Buffer. The
 * clone of the latter is what the former has to arrive as.
 */
export const graphWithBuffers: fc.Arbitrary<{ value: unknown; standIn: unknown }> = plan(allKinds).map(
  (planned) => {
    const isBufferLeaf = (value: unknown): value is string =>
      typeof value === "string" && value.length % 4 === 1;
    const buffers = new Map<string, Buffer>();
    const standIns = new Map<string, object>();
    // The same text is the same Buffer, wherever it lies.
    const once = <T>(made: Map<string, T>, key: string, make: () => T): T => {
      if (!made.has(key)) made.set(key, make());
      return made.get(key)!;
    };
    return {
      value: build(planned, (leaf) =>
        isBufferLeaf(leaf) ? once(buffers, leaf, () => Buffer.from(leaf)) : leaf,
      ),
      standIn: build(planned, (leaf) =>
        isBufferLeaf(leaf) ? once(standIns, leaf, () => new BufferStandIn(Buffer.from(leaf))) : leaf,
      ),
    };
  },
);

/** What hangs on errors: what arrives as it is, without a loss that is intended. Members of a Set may change their order. */
const held = plan(["object", "array", "sparse", "map"]).map((planned) => build(planned, (value) => value));

/** Errors with causes, lists and properties of all flags that lead to each other. */
export const errorGraph: fc.Arbitrary<Error> = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(Error, RangeError, TypeError, AggregateError), text), {
      minLength: 1,
      maxLength: 12,
    }),
    fc.array(fc.tuple(fc.nat(), text, held, fc.nat(7)), { maxLength: 12 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(), text, fc.constantFrom("cause", "list", "map", "property")), {
      maxLength: 12,
    }),
  )
  .map(([classes, leaves, links]) => {
    const errors = classes.map(([type, message]) => {
      const error =
        type === AggregateError ? new AggregateError([], message) : new (type as ErrorConstructor)(message);
      return error;
    });
    const at = (index: number) => errors[index % errors.length]!;
    for (const [owner, key, value, flags] of leaves) putOnError(at(owner), `own ${key}`, value, flags);
    for (const [owner, member, key, how] of links) {
      const held = {
        list: [1, at(member)],
        map: new Map([[key, at(member)]]),
        property: at(member),
        cause: at(member),
      };
      if (how === "cause") putOnError(at(owner), "cause", held.cause, 6);
      else putOnError(at(owner), `${how} ${key}`, held[how], 7);
    }
    return errors[0]!;
  });

function putOnError(error: Error, key: string, value: unknown, flags: number): void {
  if (Object.hasOwn(error, key)) return;
  Object.defineProperty(error, key, {
    value,
    enumerable: (flags & 1) !== 0,
    writable: (flags & 2) !== 0,
    configurable: (flags & 4) !== 0,
  });
}

function makeNode(kind: Kind): object {
  return makers[kind]();
}

/** @param flags Of a property of an error: structured clone, and so we, take only its cause. */
function put(owner: object, key: string, value: unknown, flags: number): void {
  if (types.isMap(owner)) owner.set(key, value);
  else if (types.isSet(owner)) owner.add(value);
  else if (types.isNativeError(owner))
    putOnError(owner, key.length % 2 === 0 ? "cause" : `own ${key}`, value, flags);
  else if (Array.isArray(owner) && key.length % 5 !== 0) owner.push(value);
  else Object.defineProperty(owner, key, { value, configurable: true, enumerable: true, writable: true });
}
