/**
 * The JavaScript of a published package: joins `src` of the package in the working directory into a few files in `dist`, next to the
 * declarations that `tsc` has put there. Node looks up, reads and links modules one by one, and each thread of a pool does so again and keeps
 * the text of each: their number and size are what a start costs (ARCHITECTURE.md, "a few bundled files").
 *
 * One file for each entry of `exports` and each module that is named as an argument, and one for what more than one of them imports: no
 * module is ever there twice. That one is the package's entry `internal`, if it has one, so that other packages of Skein, which import
 * from there, load this file and no other.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";

interface Manifest {
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
    groups: [
      { name: shared, test: /^(?!.*\/pool\/src\/(?:adapter|engine)\/)/, minShareCount: 2, priority: 1 },
      // What engines without shared memory need: callers of a pool do not load it either.
      { name: "adapter", test: /\/pool\/src\/adapter\//, minShareCount: 2, priority: 1 },
      // What only callers of a pool need: its threads do not load it.
      { name: "engines", minShareCount: 2 },
    ],
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
