/** `@skein/piscina/engine`: Skein's jobs on a Piscina that the program has. */
export { PiscinaEngine } from "./piscina-engine.ts";
export type { PiscinaPool, PiscinaRunOptions } from "./piscina-pool.ts";
