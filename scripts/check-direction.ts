/**
 * Imports run downwards (ARCHITECTURE.md): from one package only to those that it stands on, and inside the pool from one room only to rooms
 * below it. Type imports count: a type that is needed below belongs below.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** What the sources of each package may import of the others. */
const packages: Readonly<Record<string, readonly string[]>> = {
  context: [],
  scheduling: ["context"],
  pool: ["context", "scheduling"],
  batching: ["context", "scheduling"],
  unplugin: ["context"],
  piscina: ["context", "scheduling", "pool"],
  cluster: ["context", "scheduling", "pool"],
  comlink: ["context", "scheduling", "pool"],
  sentry: ["context"],
  devtools: ["context", "pool"],
  opentelemetry: ["context", "batching", "pool"],
  skein: ["context", "scheduling", "pool", "batching", "cluster", "devtools"],
};

/** Rooms of the pool, lowest first. Rooms in one line do not import each other. */
const rooms: readonly (readonly string[])[] = [
  ["errors.ts", "thread-entry.ts"],
  ["shared"],
  ["codec"],
  ["transfer"],
  ["jobs"],
  ["messages"],
  ["submit"],
  ["trace"],
  ["host", "worker"],
  ["adapter"],
  ["engine"],
  ["process", "child"],
  ["index.ts", "engine.ts", "inline.ts", "process.ts", "worker.ts"],
];

const problems: string[] = [];

for (const [name, allowed] of Object.entries(packages)) {
  for (const file of globSync(`packages/${name}/src/**/*.ts`)) {
    for (const specifier of importsOf(file)) {
      const other = /^@skein\/([a-z-]+)/.exec(specifier)?.[1];
      if (other !== undefined && !allowed.includes(other))
        problems.push(`${file} imports ${specifier}: ${name} does not stand on ${other}`);
    }
  }
}

const source = "packages/pool/src";
for (const file of globSync(`${source}/**/*.ts`)) {
  const from = roomOf(relative(source, file));
  for (const specifier of importsOf(file)) {
    if (!specifier.startsWith(".")) continue;
    const to = roomOf(relative(source, join(dirname(file), specifier)));
    if (from === to) continue;
    if (rankOf(to) >= rankOf(from)) problems.push(`${file} imports ${specifier}: ${to} is not below ${from}`);
  }
}

for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

/** Static and dynamic imports and re-exports; those in comments are not meant. */
function importsOf(file: string): string[] {
  const code = readFileSync(file, "utf8").replaceAll(/^\s*(\/\*\*|\*|\/\/).*$/gm, "");
  return [...code.matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, specifier]) => specifier!);
}

function roomOf(path: string): string {
  return path.split("/", 1)[0]!;
}

function rankOf(room: string): number {
  const rank = rooms.findIndex((line) => line.includes(room));
  if (rank < 0) throw new Error(`packages/pool/src/${room} has no place in scripts/check-direction.ts`);
  return rank;
}
