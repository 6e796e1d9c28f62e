/**
 * Where Vite finds the packages: on the main thread of a test they run from source. Its threads run the built package, like programs of
 * users: a thread starts in 70 ms of processor time, not in 250, because it loads few files, without types.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly "@skein/source": string }>>;
}

export interface Alias {
  readonly find: RegExp;
  readonly replacement: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

function aliasesOf(file: string): Alias[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a package.json of this repository
  const { name, exports } = JSON.parse(readFileSync(join(root, file), "utf8")) as Manifest;
  return Object.entries(exports).flatMap(([path, target]) =>
    typeof target === "string"
      ? []
      : [
          {
            find: new RegExp(`^${name}${path.slice(1)}$`),
            replacement: join(root, dirname(file), target["@skein/source"]),
          },
        ],
  );
}

export const sourceAliases: readonly Alias[] = [
  ...globSync("packages/*/package.json", { cwd: root }).flatMap(aliasesOf),
  {
    find: /^.*\/thread-entry\.ts$/,
    replacement: fileURLToPath(new URL("built-thread-entry.ts", import.meta.url)),
  },
];
