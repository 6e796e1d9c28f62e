/** `@skein/devtools`: a live window on the threads of a pool. */
export type { DevtoolsOptions } from "./server/options.ts";
export { type Devtools, serveDevtools } from "./server/serve-devtools.ts";
