import { readCarrier, writeEntry } from "./carrier-text.ts";
import type { CarrierEntry, ContextCarrier, WrittenEntry } from "./carrier-text.ts";
import { InvalidCarrierError } from "./context-errors.ts";
import { absent } from "./context-key.ts";
import type { ContextCodec, ContextKey } from "./context-key.ts";
import { stringify } from "./intrinsics.ts";
import { jsonCodec } from "./json-codec.ts";

interface CarriedValue {
  readonly entry: CarrierEntry;
  /** The codec that made `value`: remembered instead of the local, which must stay collectable. */
  decodedBy: ContextCodec<unknown> | null;
  value: unknown;
  written: WrittenEntry | undefined;
}

/**
 * The values that came with a carrier, by name, as text until somebody reads them. Names that no local of this
 * thread has are kept and travel on, at the reach they came with. No member is private, because another copy of this
 * package may have made the object.
 */
export class CarriedValues {
  /** Null until somebody asks: most jobs read no value that came with them. */
  parsed: ReadonlyMap<string, CarriedValue> | null;
  /** What was not parsed yet. */
  readonly unparsed: ContextCarrier;

  private constructor(parsed: ReadonlyMap<string, CarriedValue> | null, unparsed: ContextCarrier) {
    this.parsed = parsed;
    this.unparsed = unparsed;
  }

  /** @throws InvalidCarrierError if `carrier` is not a carrier of ours. */
  static parse(carrier: ContextCarrier): CarriedValues {
    return new CarriedValues(parsed(carrier), "");
  }

  /** Of a carrier that `toCarrier` of this process has made. */
  static ofOwn(carrier: ContextCarrier): CarriedValues {
    return new CarriedValues(null, carrier);
  }

  get values(): ReadonlyMap<string, CarriedValue> {
    return (this.parsed ??= parsed(this.unparsed));
  }

  get names(): Iterable<string> {
    return this.values.keys();
  }

  *written(): Iterable<WrittenEntry> {
    for (const carried of this.values.values()) yield (carried.written ??= writeEntry(carried.entry));
  }

  /**
   * The value for this local, decoded at the first read, or `absent`.
   * @throws InvalidCarrierError if the local's codec refuses the text.
   */
  lookup(key: ContextKey): unknown {
    if (key.flow === "local" || key.name === undefined) return absent;
    const carried = this.values.get(key.name);
    if (carried === undefined) return absent;
    if (carried.decodedBy !== key.codec) {
      carried.value = decodeEntry(key.codec, carried.entry);
      carried.decodedBy = key.codec;
    }
    return carried.value;
  }

  /**
   * What a log line shows under a name: the value for `key`, which has that name on this thread. Where nothing has it, the value that the
   * default codec would give, else the text. `absent` for stores: neither what was one where it came from nor what becomes one here.
   *
   * @throws InvalidCarrierError if the codec of `key` refuses the text.
   */
  lookupForLog(name: string, key: ContextKey | undefined): unknown {
    const entry = this.values.get(name)?.entry;
    if (entry === undefined || entry.isStore || key?.isStore === true) return absent;
    if (key !== undefined) return this.lookup(key);
    if (entry.isPlain) return entry.text;
    try {
      return jsonCodec.decode(entry.text);
    } catch {
      return entry.text;
    }
  }

  /** As `lookup`, for a value that somebody will change: a copy of his own. */
  decodeAnew(key: ContextKey): unknown {
    const carried = key.name === undefined ? undefined : this.values.get(key.name);
    return carried === undefined ? absent : decodeEntry(key.codec, carried.entry);
  }

  /** The same values but the one for this local; null when none is left. */
  without(key: ContextKey): CarriedValues | null {
    if (key.flow === "local" || key.name === undefined || !this.values.has(key.name)) return this;
    return this.withoutThese([key.name]);
  }

  /** The same values but these, all of which are among them; null when none is left. */
  withoutThese(names: readonly string[]): CarriedValues | null {
    if (this.values.size === names.length) return null;
    const values = new Map(this.values);
    for (const name of names) values.delete(name);
    return new CarriedValues(values, "");
  }
}

function parsed(carrier: ContextCarrier): ReadonlyMap<string, CarriedValue> {
  return readCarrier<CarriedValue>(carrier, undecoded);
}

function undecoded(entry: CarrierEntry): CarriedValue {
  return { entry, decodedBy: null, value: undefined, written: undefined };
}

function decodeEntry(codec: ContextCodec<unknown>, { name, text, isPlain }: CarrierEntry): unknown {
  return decodeText(codec, name, text, isPlain);
}

/** @throws InvalidCarrierError if the codec refuses the text. */
export function decodeText(
  codec: ContextCodec<unknown>,
  name: string,
  text: string,
  isPlain: boolean,
): unknown {
  try {
    if (!isPlain) return codec.decode(text);
    // The local that wrote it had no codec of its own, so this one reads JSON.
    return codec === jsonCodec ? text : codec.decode(stringify(text));
  } catch (cause) {
    throw new InvalidCarrierError(`the codec of ${stringify(name)} refused its value`, { cause });
  }
}
