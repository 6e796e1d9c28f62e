/** An error between threads. */

export interface ErrorRecord {
  /** Known classes, nearest first. */
  readonly classes: readonly string[];
  readonly name: string;
  /** Of the own property; INHERITED when it comes from a prototype. */
  readonly nameFlags: number;
  readonly message: string;
  readonly messageFlags: number;
  readonly stack: string;
  readonly own: readonly OwnProperty[];
  /** What could not come along, one sentence each. */
  readonly dropped: string[];
}

/** The value of an error is undefined here, and follows as an ErrorLink whose holder is the property itself. */
export type OwnProperty = [key: string, flags: number, value: unknown];

/** The position of the value in an OwnProperty. */
export const VALUE = 2;

/** Where an error goes: below `key` of a property, array, object or Map; among the members of a Set. */
export type ErrorLink = readonly [holder: object, key: unknown, error: ErrorRecord];

export const PropertyFlag = {
  enumerable: 1,
  writable: 2,
  configurable: 4,
  /** The key is that of a symbol of `Symbol.for`. */
  symbol: 8,
} as const;

export const INHERITED = -1;

/** On an error that lost properties on its way: why, one sentence each. */
export const droppedProperties: unique symbol = Symbol.for("skein.error.dropped");
