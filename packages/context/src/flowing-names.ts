/**
 * Which AsyncLocal, or `flow`, of this thread answers to which name. Only what flows is listed: its name is its
 * identity across threads. The list holds it weakly; a name is free again once its local was collected.
 *
 * A module that is there twice, because a bundle brought its own copy of it and of this package, makes each of its locals
 * twice. The second one joins the first: both have one key, and so one value. Where contexts outlive a local, the next one of its name has
 * their values, and options of its own.
 */
import { DuplicateNameError } from "./context-errors.ts";
import type { ContextKey, ValueChange } from "./context-key.ts";
import { shared, thisCopy } from "./this-copy.ts";

interface ClaimedName {
  readonly key: WeakRef<ContextKey>;
  /** The local of each copy; none for a `flow`, which nobody joins. */
  readonly owners: Map<object, WeakRef<object>>;
}

const names = shared("names", () => ({ claims: new Map<string, ClaimedName>(), count: 0 }));

const collected = new FinalizationRegistry<string>((name) => {
  // A new local may have taken the name between the collection and this callback.
  if (findByName(name) === undefined) names.claims.delete(name);
});

/**
 * Takes the name for `owner`.
 * @returns the key to use: `key`, or that of the local of another copy that flows as far under this name.
 * @throws DuplicateNameError if a live local of this copy has this name, or one of another copy flows otherwise.
 */
export function claimName(name: string, key: ContextKey, owner: object): ContextKey {
  const claim = names.claims.get(name);
  const joined = claim?.key.deref();
  if (claim !== undefined && joined !== undefined) {
    const isTaken = claim.owners.size === 0 || claim.owners.get(thisCopy)?.deref() !== undefined;
    if (isTaken || joined.flow !== key.flow) throw new DuplicateNameError(name);
    if (hasOwner(claim)) joinHandlers(joined, key);
    else succeed(joined, key);
    claim.owners.set(thisCopy, new WeakRef(owner));
    return joined;
  }
  enlist(name, key, new Map([[thisCopy, new WeakRef(owner)]]));
  return key;
}

/**
 * Takes the name for a `flow`, until `releaseName`.
 * @throws DuplicateNameError if something of this thread flows under it, of whichever copy.
 */
export function claimAlone(name: string, key: ContextKey): void {
  if (findByName(name) !== undefined) throw new DuplicateNameError(name);
  enlist(name, key, new Map());
}

export function releaseName(name: string, key: ContextKey): void {
  if (findByName(name) === key) names.claims.delete(name);
}

function enlist(name: string, key: ContextKey, owners: ClaimedName["owners"]): void {
  names.count += 1;
  names.claims.set(name, { key: new WeakRef(key), owners });
  collected.register(key, name);
}

function hasOwner({ owners }: ClaimedName): boolean {
  for (const owner of owners.values()) if (owner.deref() !== undefined) return true;
  return false;
}

/** Only contexts have values of `key` any more, of a module that was loaded anew, for example: they are those of the new local. */
function succeed(key: ContextKey, next: ContextKey): void {
  key.codec = next.codec;
  key.defaultValue = next.defaultValue;
  key.onValueChanged = next.onValueChanged;
}

function joinHandlers(key: ContextKey, other: ContextKey): void {
  const { onValueChanged: first } = key;
  const { onValueChanged: second } = other;
  if (first === undefined || second === undefined) {
    key.onValueChanged = first ?? second;
    return;
  }
  key.onValueChanged = (change: ValueChange<unknown>): void => {
    try {
      first(change);
    } finally {
      second(change);
    }
  };
}

/** What flows under this name, if this thread knows it. */
export function findByName(name: string): ContextKey | undefined {
  return names.claims.get(name)?.key.deref();
}

/** How many names were ever claimed: what was read of carried names may be out of date when this changes. */
export function namesClaimed(): number {
  return names.count;
}
