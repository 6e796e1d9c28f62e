import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** An empty directory. @param afterwards registers what removes it */
export function folderFor(afterwards: (remove: () => void) => void): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "census-")));
  afterwards(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

/** A directory with these files, by path, removed when the test is over. */
export function temporaryTree(files: Readonly<Record<string, string>> = {}): string {
  const root = folderFor(onTestFinished);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}
