/** Values that follow from a number, on whatever thread: of every shape, with texts and bytes whose lengths are at the edges of slots, runs, blocks and rings. */
import { seededRandom } from "../../packages/pool/test/shared/seeded-random.ts";

/** Of texts and bytes. What lies at 4,096 and beyond stays where it is until a message is copied; 128 KB and 512 KB leave apart. */
const EDGES = [
  0, 1, 31, 32, 33, 63, 64, 65, 150, 170, 190, 255, 256, 1024, 2047, 2048, 2049, 4080, 4095, 4096, 4097, 8192,
  16_383, 16_384, 16_385, 65_535, 65_536, 131_040, 131_071, 131_072, 131_073, 262_143, 262_144, 524_287,
  524_288,
];
/** Half of what is made is short: several parts must fit into one slot. */
const SHORT = 20;
/** Of lists: those of a byte's length, of the memory that is used again for numbers, of 4,096 bytes. */
const COUNTS = [0, 1, 2, 31, 32, 33, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 5000];

type Random = () => number;

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

function lengthOf(random: Random, isLarge: boolean): number {
  const few = isLarge ? EDGES : EDGES.slice(0, SHORT);
  return random() < 0.2 ? Math.floor(random() * 200) : pick(random, few);
}

const letters = ["a", "\u00e9", "\u20ac", "\ud800", "\u{1f600}"];

export function textOf(random: Random, length: number): string {
  const letter = pick(random, letters);
  const text = letter.repeat(Math.ceil(length / letter.length)).slice(0, length);
  // So that what comes from elsewhere is seen.
  const mark = `${Math.floor(random() * 1e9)}`;
  return length > mark.length * 2 ? mark + text.slice(mark.length * 2) + mark : text;
}

function bytesOf(random: Random, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length).fill(Math.floor(random() * 256));
  if (length === 0) return bytes;
  for (let i = 0; i < 8; i++) bytes[Math.floor(random() * length)] = Math.floor(random() * 256);
  bytes[length - 1] = Math.floor(random() * 256);
  return bytes;
}

export interface EdgeValueOptions {
  /** Stands for each Buffer, of which structured clone knows nothing. */
  readonly buffer?: ((bytes: Uint8Array) => unknown) | undefined;
  /** Whether nothing is wanted that `v8.serialize` does not give back: buffers that can be resized. */
  readonly isAlone?: boolean;
  /** Called by getters. */
  readonly getting?: (() => void) | undefined;
}

/** The value of this number. Whatever the options are, it is the same but for what they say. */
export function edgeValue(seed: number, options: EdgeValueOptions = {}): unknown {
  const random = seededRandom(seed);
  const isLarge = random() < 0.5;
  return valueOf(random, isLarge, options, 0);
}

function valueOf(random: Random, isLarge: boolean, options: EdgeValueOptions, deep: number): unknown {
  const parts = (count: number): unknown[] =>
    Array.from({ length: count }, () => valueOf(random, isLarge, options, deep + 1));
  const kind = Math.floor(random() * (deep > 2 ? 12 : 24));
  switch (kind) {
    case 0:
    case 1:
    case 2:
      return textOf(random, lengthOf(random, isLarge));
    case 3:
    case 4:
      return bytesOf(random, lengthOf(random, isLarge));
    case 5: {
      const bytes = bytesOf(random, lengthOf(random, isLarge));
      return (options.buffer ?? ((b: Uint8Array) => Buffer.from(b)))(bytes);
    }
    case 6:
      return bytesOf(random, lengthOf(random, isLarge)).buffer;
    case 7: {
      const bytes = bytesOf(random, lengthOf(random, isLarge));
      return bytes.subarray(bytes.length >> 2, bytes.length >> 1);
    }
    case 8:
      return new Float64Array(bytesOf(random, lengthOf(random, isLarge) & ~7).buffer);
    case 9:
      return new DataView(bytesOf(random, lengthOf(random, isLarge)).buffer);
    case 10:
      return Array.from({ length: pick(random, COUNTS) }, (_, i) => i * (i % 5));
    case 11:
      return pick<unknown>(random, [undefined, null, -0, NaN, 1.5, 2 ** 40, -17, true, 5n, -(2n ** 90n)]);
    case 12: {
      const count = pick(random, COUNTS.slice(0, 13));
      const at = Math.floor(random() * count);
      const odd = valueOf(random, isLarge, options, deep + 1);
      return Array.from({ length: count }, (_, i) => (i === at ? odd : i / 2));
    }
    case 13:
      return {
        [textOf(random, lengthOf(random, isLarge))]: valueOf(random, isLarge, options, deep + 1),
        z: 1,
      };
    case 14: {
      const [a, b] = parts(2);
      return { a, b, again: a, list: [b, a] };
    }
    case 15: {
      const bytes = bytesOf(random, lengthOf(random, isLarge));
      return {
        bytes,
        buffer: bytes.buffer,
        part: bytes.subarray(1 % (bytes.length + 1)),
        view: new DataView(bytes.buffer),
      };
    }
    case 16: {
      const count = 2 + Math.floor(random() * 40);
      const text = textOf(random, lengthOf(random, false));
      const odd = Math.floor(random() * count);
      return Array.from({ length: count }, (_, i) =>
        i === odd ? { id: i, more: text, text } : { id: i, text: text + i, nested: { i } },
      );
    }
    // Below an error that is thrown, a key that is an error is left out, and a member comes last.
    case 17:
      return new Map(parts(3).map((part, i) => [i === 1 && !(part instanceof Error) ? part : i, part]));
    case 18:
      return new Set(parts(3).filter((part) => !(part instanceof Error)));
    case 19: {
      const list = parts(2);
      list[5 + Math.floor(random() * 40)] = list[0];
      return list;
    }
    case 20: {
      const cause = valueOf(random, isLarge, options, deep + 1);
      const error = new RangeError(textOf(random, lengthOf(random, isLarge)), { cause });
      return Object.defineProperty(error, "stack", {
        value: `RangeError\n${textOf(random, lengthOf(random, isLarge))}`,
      });
    }
    case 21: {
      const circle: Record<string, unknown> = { value: valueOf(random, isLarge, options, deep + 1) };
      circle["self"] = circle;
      circle["list"] = parts(2);
      return circle;
    }
    case 22: {
      const buffer = new ArrayBuffer(lengthOf(random, isLarge), { maxByteLength: 600_000 });
      new Uint8Array(buffer).fill(Math.floor(random() * 256));
      return options.isAlone === true ? buffer.slice(0) : { buffer, bytes: new Uint8Array(buffer) };
    }
    default: {
      const [first, second, third] = parts(3);
      const { getting } = options;
      if (getting === undefined) return { first, second, third };
      return {
        first,
        get second() {
          getting();
          return second;
        },
        third,
      };
    }
  }
}

/** All memory in a value that can be moved: each ArrayBuffer once. */
export function memoryIn(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const seen = new Set<unknown>();
  const visit = (each: unknown): void => {
    if (typeof each !== "object" || each === null || seen.has(each)) return;
    seen.add(each);
    if (each instanceof ArrayBuffer) found.add(each);
    else if (ArrayBuffer.isView(each)) {
      // Small Buffers lie in memory that all share.
      if (!(Buffer.isBuffer(each) && each.buffer.byteLength !== each.length)) visit(each.buffer);
    } else if (each instanceof Map) for (const entry of each) entry.forEach(visit);
    else if (each instanceof Set) each.forEach(visit);
    else {
      if (each instanceof Error) visit(each.cause);
      Object.values(each).forEach(visit);
    }
  };
  visit(value);
  return [...found];
}
