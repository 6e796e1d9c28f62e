/** `pnpm example <name>` runs `<name>/main.ts`; without a name it lists what there is. */
import { globSync } from "node:fs";
import { dirname } from "node:path";

const names = globSync("*/main.ts", { cwd: import.meta.dirname })
  .map(dirname)
  .toSorted();
const [name] = process.argv.slice(2);

if (name !== undefined && names.includes(name)) {
  await import(new URL(`${name}/main.ts`, import.meta.url).href);
} else {
  console.log(`pnpm example <name>, one of\n  ${names.join("\n  ")}`);
  if (name !== undefined) process.exitCode = 2;
}
