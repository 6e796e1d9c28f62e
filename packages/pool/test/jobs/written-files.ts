/** Files that a test needs at run time, in a folder of their own that is removed when the tests of the file are over. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** @param files By name; a name may have folders. @returns the folder, without a slash at its end. */
export function writtenFiles(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "skein-jobs-")));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Source text: throws for as long as there is a file `down` in the module's folder. */
export const throwsWhileDown = `
  if (process.getBuiltinModule("node:fs").existsSync(new URL("./down", import.meta.url))) throw new Error("down");`;
/** The same for CommonJS. */
export const throwsWhileDownCjs = `
  if (require("node:fs").existsSync(__dirname + "/down")) throw new Error("down");`;
