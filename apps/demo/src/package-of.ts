/** Which package a file belongs to. */
import { readFileSync, statSync } from "node:fs";
import { dirname, join, sep } from "node:path";

/** A larger one is not read: no package has it, and everything else waits meanwhile. */
const MANIFEST_BYTES = 1 << 20;

export interface PackageIdentity {
  readonly name: string;
  /** Null when no package.json says so. */
  readonly version: string | null;
  /** Absolute. */
  readonly directory: string;
}

/**
 * Finds packages by path, reading each package.json once.
 *
 * Below a `node_modules`, the package is the directory that was installed there; a package.json further in, as in
 * `dist/esm/`, only sets a file format. Elsewhere it is the nearest directory upwards that has a package.json.
 */
export class PackageFinder {
  readonly #byDirectory = new Map<string, PackageIdentity | null>();

  /** @param path absolute. */
  packageOf(path: string): PackageIdentity {
    return this.#fromDirectory(dirname(path)) ?? { name: "(no package)", version: null, directory: sep };
  }

  #fromDirectory(directory: string): PackageIdentity | null {
    let found = this.#byDirectory.get(directory);
    if (found === undefined) {
      found = this.#identify(directory);
      this.#byDirectory.set(directory, found);
    }
    return found;
  }

  #identify(directory: string): PackageIdentity | null {
    const parent = dirname(directory);
    const installedAs = nameBelowNodeModules(directory);
    if (installedAs !== undefined) {
      return { name: installedAs, version: readManifest(directory)?.version ?? null, directory };
    }
    const insideInstalled = directory.includes(`${sep}node_modules${sep}`);
    const manifest = insideInstalled ? null : readManifest(directory);
    if (manifest !== null) {
      return {
        name: manifest.name ?? directory.slice(parent.length).replace(sep, ""),
        version: manifest.version,
        directory,
      };
    }
    return parent === directory ? null : this.#fromDirectory(parent);
  }
}

/** The name, if `directory` is where a package was installed: `…/node_modules/name` or `…/node_modules/@scope/name`. */
function nameBelowNodeModules(directory: string): string | undefined {
  const [last = "", before = "", beforeThat = ""] = directory.split(sep).toReversed();
  if (before === "node_modules") return last.startsWith("@") ? undefined : last;
  return before.startsWith("@") && beforeThat === "node_modules" ? `${before}/${last}` : undefined;
}

function readManifest(directory: string): { name: string | null; version: string | null } | null {
  const path = join(directory, "package.json");
  let text: string;
  try {
    const stat = statSync(path);
    // Opening a pipe would wait for its writer, for ever.
    if (!stat.isFile() || stat.size > MANIFEST_BYTES) return null;
    text = readFileSync(path, "utf8");
  } catch {
    return null;
  }
  try {
    const manifest: unknown = JSON.parse(text);
    return { name: stringIn(manifest, "name"), version: stringIn(manifest, "version") };
  } catch {
    return { name: null, version: null };
  }
}

function stringIn(manifest: unknown, key: string): string | null {
  if (typeof manifest !== "object" || manifest === null) return null;
  const value: unknown = Reflect.get(manifest, key);
  return typeof value === "string" && value !== "" ? value : null;
}
