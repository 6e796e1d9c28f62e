/**
 * Where the first module of a thread is. TypeScript and our bundler do not rewrite URLs: in source it is a .ts file, in the published
 * package a .js file, and this module lies at the same depth in both, here or in a file that it was joined into.
 *
 * In a bundle of the user's the entry is a file that only a bundler can emit. `@skein/unplugin` does, and puts its URL in the place of
 * `import.meta.skeinThreadEntry`. Bundles of CommonJS may have no `import.meta.url` either.
 *
 * Until then that is undefined, so the published file stays as it is for everybody else, and costs no look at the file system. The entry has no `await` at its top level,
 * so that it can be CommonJS. The plugins do without the library unplugin: how a file is emitted, which is all they do, it leaves to each
 * bundler.
 */
// `Worker` takes no URL of another class, such as jsdom's.
import { URL } from "node:url";

interface Meta {
  readonly url?: string;
  readonly skeinThreadEntry?: URL;
}

// Passed on as they are: an expression that tests them webpack would decide by itself, since it knows no such property.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- bundlers decide what is there
export const threadEntry: URL | null = entryOf(
  (import.meta as Meta).skeinThreadEntry,
  (import.meta as Meta).url,
);

/** The same of a process of a ProcessPool. Null: in a bundle. */
export const processEntry: URL | null = processEntryOf(
  (import.meta as Meta).skeinThreadEntry,
  (import.meta as Meta).url,
);

/** @param url Of this module. */
function entryOf(emitted: URL | undefined, url: string | undefined): URL | null {
  if (emitted !== undefined) return new URL(emitted.href);
  return fileOf("worker/entry", url);
}

function processEntryOf(emitted: URL | undefined, url: string | undefined): URL | null {
  return emitted === undefined ? fileOf("child/entry", url) : null;
}

function fileOf(path: string, url: string | undefined): URL | null {
  return url === undefined ? null : new URL(`./${path}${url.endsWith(".ts") ? ".ts" : ".js"}`, url);
}
