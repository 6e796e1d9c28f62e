/**
 * `prepublishOnly` of each package, in its folder: so `pnpm publish` and `changeset publish` refuse what `pnpm release` refuses. pnpm leaves
 * this script out of the package.json that it packs.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Addresses, missingForRelease, waitingChangesets } from "./missing-for-release.ts";

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Addresses;
const missing = missingForRelease([manifest], waitingChangesets(join(import.meta.dirname, "..")));
for (const what of missing) console.error(`Not ready to be published: ${what}`);
process.exitCode = missing.length === 0 ? 0 : 1;
