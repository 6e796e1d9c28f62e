/** How far a value goes by itself: this thread, into pool threads, or to other machines too. */
export type ContextFlow = "local" | "thread" | "wire";

/** Writes a value as text, without lone surrogates, and reads it back. Both run on the thread that sends, or that reads, the value. */
export interface ContextCodec<T> {
  encode(value: T): string;
  decode(text: string): T;
}

/** What an `onValueChanged` handler is told. */
export interface ValueChange<T> {
  /** What `value` read before. */
  readonly previousValue: T | undefined;
  /** What `value` reads now. */
  readonly currentValue: T | undefined;
  /** True when another context became current, false when somebody set the value. */
  readonly contextChanged: boolean;
}

/** The text before a text of `length`: values of one variable are often as long as the one before. */
export interface EntryPrefix {
  readonly length: number;
  readonly prefix: string;
}

/** The identity of one variable inside a context, and what the context must know to carry it. */
export interface ContextKey {
  readonly name: string | undefined;
  readonly flow: ContextFlow;
  /** This, the default and the handler are those of another local once the first was collected. */
  codec: ContextCodec<unknown>;
  defaultValue: unknown;
  /** What `flow` reads and enters, no local of ours. */
  readonly isStore: boolean;
  /** What stands before its text in a carrier, of a string and of what the codec has made; once that was written. */
  plainPrefix: EntryPrefix | undefined;
  encodedPrefix: EntryPrefix | undefined;
  /** Gets another one when a local of another copy joins. */
  onValueChanged: ((change: ValueChange<unknown>) => void) | undefined;
}

/** "No entry", where `undefined` may be a value. */
export const absent: unique symbol = Symbol.for("skein.context.absent");
