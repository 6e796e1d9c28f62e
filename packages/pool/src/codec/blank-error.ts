/** Genuine errors whose constructor did not run and that paid for no stack, whatever the program did to `Error.stackTraceLimit`. */
import { define, getPrototypeOf, setPrototypeOf, structuredClone } from "../shared/intrinsics.ts";

/** The classes that structured clone keeps; the index is on the wire. */
const classes = [
  makeClass("Error", Error),
  makeClass("EvalError", EvalError),
  makeClass("RangeError", RangeError),
  makeClass("ReferenceError", ReferenceError),
  makeClass("SyntaxError", SyntaxError),
  makeClass("TypeError", TypeError),
  makeClass("URIError", URIError),
];

interface CloneableClass {
  readonly name: string;
  readonly type: ErrorConstructor;
  readonly prototype: object;
  /** What structured clone asks an error for is its own here: nobody's getters run. */
  readonly template: Error;
}

function makeClass(name: string, type: ErrorConstructor): CloneableClass {
  const template = new type();
  define(template, "name", name, false);
  define(template, "stack", "", false);
  return { name, type, prototype: type.prototype, template };
}

/** The index of the class of that `name`; of Error for any other name. */
export function errorClassOf(name: unknown): number {
  for (let i = 1; i < classes.length; i++) if (classes[i]!.name === name) return i;
  return 0;
}

/** An error of the class of that index, without a message; undefined if there is no such class. */
export function blankErrorOf(index: number): Error | undefined {
  const known = classes[index];
  if (known === undefined) return undefined;
  // Some test environments hide structuredClone, others have that of another realm.
  const error = structuredClone === undefined ? new known.type() : structuredClone(known.template);
  if (getPrototypeOf(error) !== known.prototype) setPrototypeOf(error, known.prototype);
  return error;
}
