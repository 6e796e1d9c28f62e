/** Stands in for `packages/pool/src/thread-entry.ts`; see source-aliases.ts. */
export const threadEntry: URL = new URL("../../packages/pool/dist/worker/entry.js", import.meta.url);
export const processEntry: URL = new URL("../../packages/pool/dist/child/entry.js", import.meta.url);
