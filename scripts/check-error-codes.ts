/**
 * Checks that docs/errors.md has a section for each error code in the sources of the packages, and for no other. Comments count: a code
 * that is documented and thrown nowhere is found too, when its comment has gone.
 */
import { globSync, readFileSync } from "node:fs";

const PAGE = "docs/errors.md";

const thrown = new Map<string, string>();
for (const file of globSync("packages/*/src/**/*.ts").toSorted()) {
  for (const [code] of readFileSync(file, "utf8").matchAll(/ERR_SKEIN_[A-Z0-9_]*[A-Z0-9]/g))
    if (!thrown.has(code)) thrown.set(code, file);
}
const described = [...readFileSync(PAGE, "utf8").matchAll(/^### (.+)$/gm)].map(([, code]) => code!);

const problems = [
  ...[...thrown]
    .filter(([code]) => !described.includes(code))
    .map(
      ([code, file]) => `${PAGE} has no section for ${code} of ${file}: add one, with its cause and its cure`,
    ),
  ...described
    .filter((code) => !thrown.has(code))
    .map((code) => `${PAGE}: no package has an error with the code ${code}`),
  ...described
    .filter((code, index) => described.indexOf(code) !== index)
    .map((code) => `${PAGE} has two sections for ${code}`),
];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
