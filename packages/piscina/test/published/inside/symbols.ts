/** In the place of Piscina's `dist/symbols.js`. */
export { kQueueOptions, kTransferable, kValue } from "../../../src/symbols.ts";
