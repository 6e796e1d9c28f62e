/** What in a tsconfig.json keeps job modules from running as Node.js runs them, or from being compiled. */
import { readFileSync } from "node:fs";
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
  const aliases = Object.keys(compilerOptions.paths ?? {});
  for (const file of files) {
    const alias = aliasIn(join(folder, file), aliases);
    if (alias !== null)
      findings.push(
        warn(
          `${file} imports "${alias}", which only \`paths\` of tsconfig.json explains. Node.js does not read them: use "imports" in package.json.`,
        ),
      );
  }
  if (compilerOptions.noEmit !== true && compilerOptions.outDir !== undefined) {
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

/** The first import of the file that begins as one of the aliases does. */
function aliasIn(file: string, aliases: readonly string[]): string | null {
  const starts = aliases.map((alias) => alias.replace(/\*.*$/, "")).filter((start) => start !== "");
  for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(
    /\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g,
  ))
    if (starts.some((start) => (start.endsWith("/") ? specifier.startsWith(start) : specifier === start)))
      return specifier;
  return null;
}
