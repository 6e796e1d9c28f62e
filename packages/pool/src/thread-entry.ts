/**
 * Where the first module of a thread is. TypeScript and the bundler do not rewrite URLs: in source it is a .ts file, in the published
 * package a .js file, and this module lies at the same depth in both, here or in a file that it was joined into.
 */
export const threadEntry: URL = new URL(
  `./worker/entry${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`,
  import.meta.url,
);
