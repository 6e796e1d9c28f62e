import { readCarrier, writeEntry } from "./carrier-text.ts";
import type { CarrierEntry, ContextCarrier, WrittenEntry } from "./carrier-text.ts";
import { InvalidCarrierError } from "./context-errors.ts";
import { absent } from "./context-key.ts";
import type { ContextCodec, ContextKey } from "./context-key.ts";
import { stringify } from "./intrinsics.ts";

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
  readonly values: ReadonlyMap<string, CarriedValue>;

  private constructor(values: ReadonlyMap<string, CarriedValue>) {
    this.values = values;
  }

  /** @throws InvalidCarrierError if `carrier` is not a carrier of ours. */
  static parse(carrier: ContextCarrier): CarriedValues {
    const values = new Map<string, CarriedValue>();
    for (const [name, entry] of readCarrier(carrier))
      values.set(name, { entry, decodedBy: null, value: undefined, written: undefined });
    return new CarriedValues(values);
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
      try {
        carried.value = key.codec.decode(carried.entry.text);
      } catch (cause) {
        throw new InvalidCarrierError(`the codec of ${stringify(key.name)} refused its value`, {
          cause,
        });
      }
      carried.decodedBy = key.codec;
    }
    return carried.value;
  }

  /** The same values but the one for this local; null when none is left. */
  without(key: ContextKey): CarriedValues | null {
    if (key.flow === "local" || key.name === undefined || !this.values.has(key.name)) return this;
    if (this.values.size === 1) return null;
    const values = new Map(this.values);
    values.delete(key.name);
    return new CarriedValues(values);
  }
}
