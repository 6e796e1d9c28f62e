/**
 * Several copies of one package in a thread, because a bundle brought its own or two versions are installed: what must be
 * there once is kept on `globalThis`, and every copy finds it there.
 *
 *   globalThis[Symbol.for("skein.context.v1")] = [{ protocol, home, parts }, …]   one record for each protocol
 *
 * The protocol is the shape of the parts and what the copies do with them. Copies of one protocol act as one. Those of
 * another one keep apart, and say so once.
 */
import { create, defineProperty, isArray } from "./intrinsics.ts";

const { process } = globalThis;

interface SharedRecord {
  readonly protocol: number;
  /** The module that made the record. */
  readonly home: string;
  readonly parts: Record<string, object>;
}

/** Gives one part of what the copies share: the one that is there, else the one that `make` gives. */
export type SharedPart = <T extends object>(name: string, make: () => T) => T;

/**
 * @internal For the packages of Skein. Joins the copies of a package that are in this thread already. Warns if one of them has another protocol.
 *
 * @param packageName For example `@skein/context`, whose copies meet at `Symbol.for("skein.context.v1")`.
 * @param protocol Goes up with every change of what the copies share.
 * @param home `import.meta.url` of the caller: by this a user finds the copy. Bundlers may leave it out.
 */
export function joinCopies(packageName: string, protocol: number, home: string | undefined): SharedPart {
  const records = recordsOf(packageName);
  let record = records.find((other) => other.protocol === protocol);
  if (record === undefined) {
    record = {
      protocol,
      home: home ?? "a bundle without a URL",
      parts: create(null) as Record<string, object>,
    };
    const [other] = records;
    records.push(record);
    if (other !== undefined) warnOfCopies(packageName, other, record);
  }
  const { parts } = record;
  return <T extends object>(name: string, make: () => T): T => (parts[name] ??= make()) as T;
}

function recordsOf(packageName: string): SharedRecord[] {
  const key = Symbol.for(`${packageName.replace("@", "").replace("/", ".")}.v1`);
  const known = (globalThis as { readonly [key]?: unknown })[key];
  if (isArray(known)) return known as SharedRecord[];
  const records: SharedRecord[] = [];
  try {
    const descriptor = create(null) as PropertyDescriptor;
    descriptor.value = records;
    defineProperty(globalThis, key, descriptor);
  } catch {
    // The program has frozen globalThis: each copy is alone.
  }
  return records;
}

function warnOfCopies(packageName: string, other: SharedRecord, own: SharedRecord): void {
  process.emitWarning(
    `Two versions of ${packageName} that cannot work together are loaded: ${other.home} (protocol ${other.protocol}) and ` +
      `${own.home} (protocol ${own.protocol}). Neither sees what was set through the other. Install one version, or mark ` +
      `${packageName} as external in your bundler`,
    { type: "SkeinWarning", code: "SKEIN_WARN_COPIES" },
  );
}
