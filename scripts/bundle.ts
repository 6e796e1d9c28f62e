/**
 * The JavaScript of a published package: joins `src` of the package in the working directory into a few files in `dist`, next to the
 * declarations that `tsc` has put there. Node looks up, reads and links modules one by one, and each thread of a pool does so again and keeps
 * the text of each: their number and size are what a start costs.
 *
 * One file for each entry of `exports` and each module that is named as an argument, and one for what more than one of them imports: no
 * module is ever there twice. That one is the package's entry `internal`, if it has one, so that other packages of Skein, which import
 * from there, load this file and no other.
 *
 * From the start of the process to the first result took 280 ms with 171 files for each of the two threads, 150 ms with 6. What the entries
 * of a package share is one file, so that a job module that imports `@skein/pool` gets the instances of its thread. In `context` and
 * `scheduling` that file is the entry `internal`, and all that the other packages load. Comments go, and text is ASCII: V8 keeps the source on
 * each thread, and one arrow in it makes it two bytes a character. Not minified: stack traces need names and lines. Source maps lead to
 * `src`, which is in the package.
 *
 * A pool thread loads what runs jobs, 340 KB in three files. What submits jobs is the file `submit`, which a job module brings along with
 * `@skein/pool` or `@skein/pool/worker` (`thread-of-pool.ts` of the pool). Evaluating modules is a tenth of what loading them takes; the rest
 * is reading, compiling and linking. `bench/src/children/cold-start.mjs` measures a start.
 *
 * No import of a builtin that loads more than it says: `node:process`, `node:fs`, `node:util`, `node:v8` as imports cost 0.6 to 2.4 ms
 * each on every thread, because all their exports are read, and `node:crypto` a megabyte. `node:util/types` costs nothing; the rest is got
 * with `process.getBuiltinModule` where it is used.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type ChunkingContext, rolldown } from "rolldown";

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly "@skein/source": string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Whatever these export, `internal` of their package exports too. */
const INTERNAL: Readonly<Record<string, string>> = {
  "@skein/context": "@skein/context/internal",
  "@skein/context/errors": "@skein/context/internal",
  "@skein/scheduling": "@skein/scheduling/internal",
};

/** What the bundler makes of `src/internal.ts`; not written, because the shared file stands in for it. */
const ENTRY_OF_INTERNAL = "entry-of-internal";

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a package.json of this repository
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const exported = Object.values(manifest.exports).flatMap((target) =>
  typeof target === "string" ? [] : [target["@skein/source"]],
);
const entries = [...exported, ...process.argv.slice(2)].map((file) => file.replace(/^\.\/|\.ts$/g, ""));
const shared = entries.includes("src/internal") ? "internal" : "common";

for (const file of globSync("dist/**/*.{js,js.map}")) rmSync(file);
const bundle = await rolldown({
  input: Object.fromEntries(entries.map((file) => [nameOf(file), `${file}.ts`])),
  platform: "node",
  external: [
    /^(node:|@skein\/)/,
    ...Object.keys({
      ...manifest.dependencies,
      ...manifest.peerDependencies,
      ...manifest.optionalDependencies,
    }),
  ],
});
const { output } = await bundle.generate({
  dir: "dist",
  format: "esm",
  paths: INTERNAL,
  sourcemap: true,
  // The package ships `src`.
  sourcemapExcludeSources: true,
  entryFileNames: "[name].js",
  chunkFileNames: "[name].js",
  codeSplitting: {
    // A file takes along what its modules import, unless one before it has.
    groups: ["engines", "adapter", "submit", shared].map((file, priority) => ({
      name: (id, graph) => (fileOf(id, graph) === file ? file : null),
      debugName: file,
      priority,
    })),
  },
  // Exports of the shared file keep their names: those of `internal` are among them.
  minifyInternalExports: false,
  // For stack traces all names stay, and lines stay lines. In V8 a text that is all ASCII takes one byte a character, any other takes two.
  comments: false,
  minify: {
    compress: false,
    mangle: false,
    codegen: { removeWhitespace: false, asciiOnly: true },
  },
});
await bundle.close();
for (const file of output) {
  if (file.type === "chunk" && file.name === ENTRY_OF_INTERNAL) assertShared(file.exports);
  if (file.fileName.startsWith(ENTRY_OF_INTERNAL)) continue;
  const path = join("dist", file.fileName);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, file.type === "chunk" ? file.code : file.source);
}

/** Which file a module belongs to. Null: that of the only entry that imports it. */
function fileOf(id: string, graph: ChunkingContext): string | null {
  const users = new Set([relative(process.cwd(), id)]);
  for (const user of users)
    for (const importer of graph.getModuleInfo(join(process.cwd(), user))?.importers ?? [])
      users.add(relative(process.cwd(), importer));
  const used = entries.filter((entry) => users.has(`${entry}.ts`));
  if (used.length < 2 && !used.includes("src/internal")) return null;
  if (manifest.name !== "@skein/pool" || used.includes("src/worker/entry")) return shared;
  // What a thread loads when its jobs ask the pool for something, and its callers too.
  if (used.includes("src/worker")) return "submit";
  // What engines without shared memory need, and what only callers of a pool do.
  return id.includes("/src/adapter/") ? "adapter" : "engines";
}

function nameOf(file: string): string {
  return file === "src/internal" ? ENTRY_OF_INTERNAL : file.replace(/^src\//, "");
}

/** The entry `internal` is only the names in the shared file that it exports. */
function assertShared(names: readonly string[]): void {
  const file = output.find(({ fileName }) => fileName === "internal.js");
  const there = file?.type === "chunk" ? file.exports : [];
  const missing = names.filter((name) => !there.includes(name));
  if (missing.length > 0)
    throw new Error(`not in the shared file, because only internal.ts needs it: ${missing.join(", ")}`);
}
