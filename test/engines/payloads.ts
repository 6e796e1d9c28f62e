/** Values that every engine carries as a pool does: see the README of the pool, "Values". */
export const payloads: readonly (readonly [what: string, make: () => unknown])[] = [
  ["undefined", () => undefined],
  ["null", () => null],
  ["numbers, with -0 and NaN", () => [0, -0, NaN, Infinity, 1.5, 2 ** 53, -7]],
  ["a bigint", () => -(2n ** 70n)],
  ["texts", () => ["", "ä", "日本", "\u{1f600}", "\ud800", "x".repeat(100_000)]],
  ["plain objects", () => ({ a: { b: [{ c: true }] }, "": 0 })],
  ["an array with holes", () => Object.assign([], { 3: "three", length: 5 })],
  [
    "a circle",
    () => {
      const circle: unknown[] = [];
      circle.push({ circle }, circle);
      return circle;
    },
  ],
  [
    "the same object twice",
    () => {
      const shared = { n: 1 };
      return [shared, shared];
    },
  ],
  ["a Map and a Set", () => new Map<unknown, unknown>([["set", new Set([1, "2"])]])],
  ["a Date, a RegExp, boxed values", () => [new Date(5), /a+/giu, Object(3), Object("s"), Object(false)]],
  ["typed arrays over one buffer", () => typedArrays()],
  ["a Buffer", () => Buffer.from("a Buffer stays one")],
  ["bytes of half a megabyte", () => new Uint8Array(500_000).fill(7)],
  ["an error, as structured clone has it", () => new RangeError("in a value")],
];

function typedArrays(): unknown {
  const buffer = new ArrayBuffer(16);
  const bytes = new Uint8Array(buffer).fill(3);
  return { bytes, words: new Int32Array(buffer, 4, 2), view: new DataView(buffer), buffer };
}
