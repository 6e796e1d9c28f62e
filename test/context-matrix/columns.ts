/** The columns of the matrix: what is seen of each kind of value, then two that hold for all of them. */
import { KINDS, type Kind } from "./ambient.ts";

/** leak: nobody else's value was seen; pin: each value was collected once its owner was done. */
export type Column = Kind | "leak" | "pin";
export const COLUMNS: readonly Column[] = [...KINDS, "leak", "pin"];
