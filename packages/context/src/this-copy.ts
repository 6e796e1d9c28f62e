import { joinCopies } from "./copies.ts";
import type { SharedPart } from "./copies.ts";

/**
 * What all copies of this package share. The protocol goes up with any change of a part, of ContextState, ContextKey,
 * CarriedValues or of the public methods of ExecutionContext: objects of these kinds pass from copy to copy.
 */
export const shared: SharedPart = joinCopies("@skein/context", 1, import.meta.url);

/** By which the others know this copy. */
export const thisCopy: object = {};
