/** `@skein/pool/inline`: jobs on the calling thread, for tests and debugging. */
export { InlineEngine, type InlineEngineOptions } from "./engine/inline-engine.ts";
