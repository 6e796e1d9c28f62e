/** In the place of Piscina's `dist/common.js`. */
export { availableParallelism as getAvailableParallelism } from "node:os";
export { isMovable, isTransferable, markMovable } from "../../../src/movable.ts";
