/** The entry `@skein/context/errors`: what all packages of Skein make their errors with, and check their options by. */
export { argumentRangeError, argumentTypeError, requireFunction, withCode } from "./argument-errors.ts";
export { matchAcrossCopies } from "./class-marks.ts";
export { isError } from "./is-error.ts";
export { nearestName } from "./nearest-name.ts";
export { ownOptions, refuseUnknownOptions } from "./own-options.ts";
export type { OptionNames } from "./own-options.ts";
export {
  errorClassName,
  errorPrototype,
  InvalidOperationError,
  nameErrorClass,
  nameOfErrorPrototype,
  SkeinError,
} from "./skein-error.ts";
