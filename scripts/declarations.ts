/**
 * What users of a module see, from the `.d.ts` files that tsc has emitted: the declarations that it exports, and those that these name. Knows
 * tsc's layout, and no more of the language: a statement ends with `;` or `}` outside of all brackets.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** A name in a file, or in another package. */
interface Origin {
  readonly module: string;
  readonly name: string;
}

interface DeclarationFile {
  /** By name, without comments; an overloaded function has several. */
  readonly declared: Map<string, string[]>;
  readonly imported: Map<string, Origin>;
  /** By the name outside. */
  readonly exported: Map<string, Origin>;
  /** Other packages that are exported as a whole. */
  readonly packages: string[];
}

const ALL = "*";
const files = new Map<string, DeclarationFile>();

/** The text of the surface of the module with the declarations in `entry`: the same for the same surface, in whatever files it is. */
export function surfaceOf(entry: string): string {
  const { exported, packages } = read(resolve(entry));
  const lines = packages.toSorted().map((name) => `export * from "${name}";`);
  const seen = new Map<string, Origin>();
  for (const [name, target] of [...exported].toSorted(([a], [b]) => compare(a, b))) {
    const origin = originOf(target);
    const isOurs = origin.module.startsWith("/");
    const renamed = origin.name === name ? name : `${origin.name} as ${name}`;
    if (!isOurs) lines.push(`export { ${renamed} } from "${origin.module}";`);
    else if (origin.name !== name) lines.push(`export { ${renamed} };`);
    if (isOurs) seen.set(keyOf(origin), origin);
  }
  // Grows while it is walked: what a declaration names is declared too.
  for (const origin of seen.values())
    for (const named of namesIn(origin)) if (!seen.has(keyOf(named))) seen.set(keyOf(named), named);
  const texts = [...seen.values()].map(({ module, name }) => textOf(module, name).join("\n"));
  return [...lines, ...texts.toSorted(compare)].join("\n");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function keyOf({ module, name }: Origin): string {
  return `${module} ${name}`;
}

/** Where it is declared. */
function originOf({ module, name }: Origin): Origin {
  if (!module.startsWith("/")) return { module, name };
  const { declared, exported, imported } = read(module);
  if (declared.has(name)) return { module, name };
  const next = exported.get(name) ?? imported.get(name);
  if (next === undefined) throw new Error(`${module} does not declare ${name}`);
  return originOf(next.module === module ? (imported.get(next.name) ?? next) : next);
}

function textOf(module: string, name: string): readonly string[] {
  const texts = read(module).declared.get(name);
  if (texts === undefined) throw new Error(`${module} does not declare ${name}`);
  return texts;
}

/** The declarations of this package that a declaration names. */
function namesIn({ module, name }: Origin): Origin[] {
  const { declared, imported } = read(module);
  const text = textOf(module, name).join("\n");
  const words = new Set(text.match(/[A-Za-z_$][\w$]*/g));
  const here = [...words].filter((word) => declared.has(word)).map((word) => ({ module, name: word }));
  const elsewhere = [...words].flatMap((word) => imported.get(word) ?? []);
  const inline = [...text.matchAll(/import\("([^"]+)"\)\.(\w+)/g)].map(([, specifier = "", word = ""]) => ({
    module: moduleAt(specifier, module),
    name: word,
  }));
  return [...here, ...elsewhere, ...inline]
    .filter((origin) => origin.module.startsWith("/") && origin.name !== ALL)
    .map((origin) => originOf(origin));
}

function read(file: string): DeclarationFile {
  const known = files.get(file);
  if (known !== undefined) return known;
  const result: DeclarationFile = {
    declared: new Map(),
    imported: new Map(),
    exported: new Map(),
    packages: [],
  };
  files.set(file, result);
  for (const statement of statementsOf(readFileSync(file, "utf8"))) take(statement, file, result);
  return result;
}

function take(
  statement: string,
  file: string,
  { declared, imported, exported, packages }: DeclarationFile,
): void {
  const from = /\bfrom "([^"]+)";$/.exec(statement)?.[1];
  const module = from === undefined ? file : moduleAt(from, file);
  if (statement.startsWith("export *")) {
    if (!module.startsWith("/")) packages.push(module);
    else for (const [name, origin] of read(module).exported) exported.set(name, origin);
  } else if (/^(import|export) (type )?\{/.test(statement)) {
    for (const [name, origin] of listed(statement, module))
      (statement.startsWith("import") ? imported : exported).set(name, origin);
  } else if (statement.startsWith("import ")) {
    const [, whole, single] = /^import (?:type )?(?:\* as (\w+)|(\w+))/.exec(statement) ?? [];
    if (whole !== undefined) imported.set(whole, { module, name: ALL });
    if (single !== undefined) imported.set(single, { module, name: "default" });
  } else {
    const isDefault = statement.startsWith("export default ");
    const word =
      /^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:class|interface|type|function|const|let|namespace) ([\w$]+)/;
    const name = word.exec(statement)?.[1];
    if (name === undefined && isDefault)
      exported.set("default", { module: file, name: statement.slice(15, -1) });
    if (name === undefined) return;
    declared.set(name, [...(declared.get(name) ?? []), statement]);
    if (statement.startsWith("export ")) exported.set(isDefault ? "default" : name, { module: file, name });
  }
}

/** `{ a, type b as c }`: by the new names. */
function listed(statement: string, module: string): [string, Origin][] {
  const list = /\{([^}]*)\}/.exec(statement)?.[1] ?? "";
  const entries = list.split(",").map((entry) => entry.trim().replace(/^type /, ""));
  return entries
    .filter((entry) => entry !== "")
    .map((entry) => {
      const [name = "", as = name] = entry.split(" as ");
      return [as, { module, name }];
    });
}

function moduleAt(specifier: string, importer: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return resolve(dirname(importer), specifier.replace(/(\.d)?\.[jt]s$/, ".d.ts"));
}

function statementsOf(text: string): string[] {
  const statements: string[] = [];
  let lines: string[] = [];
  let depth = 0;
  for (const line of text.replaceAll(/\/\*.*?\*\//gs, "").split("\n")) {
    if (line.trim() === "" || line.startsWith("//")) continue;
    lines.push(line.trimEnd());
    const code = line.replaceAll(/"(?:[^"\\]|\\.)*"/g, "");
    depth += (code.match(/[{([]/g)?.length ?? 0) - (code.match(/[})\]]/g)?.length ?? 0);
    if (depth > 0 || !/[;}]$/.test(line.trimEnd())) continue;
    statements.push(lines.join("\n"));
    lines = [];
  }
  return statements;
}
