/** What in a tsconfig.json keeps job modules from running as Node.js runs them, or from being compiled. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { createFilesMatcher, getTsconfig, type TsConfigResult } from "get-tsconfig";
import { type Finding, ok, warn } from "./finding.ts";

/** @param files The job modules in TypeScript, relative to the folder. */
export function tsconfigFindings(folder: string, files: readonly string[]): Finding[] {
  if (files.length === 0) return [];
  let found: TsConfigResult | null;
  try {
    found = getTsconfig(folder);
  } catch (error) {
    return [warn(`tsconfig.json cannot be read: ${(error as Error).message}`)];
  }
  if (found === null) return [];
  const { compilerOptions = {} } = found.config;
  const findings: Finding[] = [];
  if (/^commonjs$/i.test(compilerOptions.module ?? ""))
    findings.push(
      warn(
        'tsconfig.json compiles to CommonJS, which has no `import.meta`. Name job modules with path.join(__dirname, "geo.jobs.ts").',
      ),
    );
  if (compilerOptions.verbatimModuleSyntax !== true)
    findings.push(
      warn(
        "tsconfig.json lacks `verbatimModuleSyntax`. Without it a type may be imported without `import type`, which fails where Node.js strips the types.",
      ),
    );
  const { noEmit, emitDeclarationOnly, outDir, rewriteRelativeImportExtensions } = compilerOptions;
  const isCompiled = noEmit !== true && emitDeclarationOnly !== true && outDir !== undefined;
  const aliases = Object.keys(compilerOptions.paths ?? {});
  for (const file of files) {
    const imported = importsIn(join(folder, file));
    const source = imported.find((specifier) => typeScriptFile.test(specifier));
    if (isCompiled && rewriteRelativeImportExtensions !== true && source !== undefined)
      findings.push(
        warn(
          `${file} imports "${source}", and so does what tsc makes of it, where only the JavaScript is. Set \`rewriteRelativeImportExtensions\` in tsconfig.json.`,
        ),
      );
    const alias = aliasIn(imported, aliases);
    if (alias !== undefined)
      findings.push(
        warn(
          `${file} imports "${alias}", which only \`paths\` of tsconfig.json explains. Node.js does not read them: use "imports" in package.json.`,
        ),
      );
  }
  if (isCompiled) {
    const isIncluded = createFilesMatcher(found);
    const left = files.filter((file) => isIncluded(join(folder, file)) === undefined);
    if (left.length > 0)
      findings.push(
        warn(
          `tsconfig.json does not include ${left.join(", ")}. tsc compiles it only if something imports it, as \`typeof import("./geo.jobs.ts")\` does.`,
        ),
      );
  }
  return findings.length > 0 ? findings : [ok("No trap in tsconfig.json.")];
}

/** A relative import that Node.js loads as it is. */
const typeScriptFile = /^\.{1,2}\/.*(?<!\.d)\.[cm]?tsx?$/;

/** What the file imports when it runs. */
function importsIn(file: string): string[] {
  const code = withoutTypes(readFileSync(file, "utf8"));
  return Array.from(
    code.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g),
    ([, specifier = ""]) => specifier,
  );
}

/** What Node.js cannot strip stays as it is. */
function withoutTypes(code: string): string {
  try {
    return stripTypeScriptTypes(code);
  } catch {
    return code;
  }
}

/** The first import that begins as one of the aliases does. */
function aliasIn(imported: readonly string[], aliases: readonly string[]): string | undefined {
  const starts = aliases.map((alias) => alias.replace(/\*.*$/, "")).filter((start) => start !== "");
  return imported.find((specifier) =>
    starts.some((start) => (start.endsWith("/") ? specifier.startsWith(start) : specifier === start)),
  );
}
