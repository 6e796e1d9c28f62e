import type { CarriedValues } from "./carried-values.ts";
import type { WrittenEntry } from "./carrier-text.ts";
import { absent } from "./context-key.ts";
import type { ContextKey } from "./context-key.ts";
import { is } from "./intrinsics.ts";
import { shared } from "./this-copy.ts";

/** One value that was set, and its text once somebody needed that: all states that hold the value share both. */
export interface HeldValue {
  readonly value: unknown;
  /** Lives as long as a state that holds the value. */
  written: WrittenEntry | undefined;
}

/**
 * What is ambient at one moment: the values of the locals, and whether flow is suppressed. Never changes; a set makes
 * a new one. No member is private, because another copy of this package may have made the state.
 *
 * Two parallel arrays instead of a Map: copying costs 15–35 ns for 1–40 values, a Map 95–1 500 ns, and `indexOf` finds
 * one of 40 keys in 15 ns.
 */
export class ContextState {
  /** Nothing set, flow not suppressed. One for all copies. */
  static readonly default: ContextState = shared("default", () => new ContextState([], [], [], null, null));

  /** The locals that have an entry here, in the order in which they were first set. */
  readonly keys: readonly ContextKey[];
  /** The values of `keys`. */
  readonly held: readonly HeldValue[];
  /** Those of `keys` that have a handler. */
  readonly watched: readonly ContextKey[];
  /** What came with a carrier and was not set since. */
  readonly carried: CarriedValues | null;
  /** Set while flow is suppressed: the same values, unsuppressed. */
  readonly unsuppressed: ContextState | null;
  /** The same values suppressed, made when first asked for. */
  suppressed: ContextState | undefined;
  /** The public object for this state, made when somebody first captures it. */
  handle: object | undefined;

  private constructor(
    keys: readonly ContextKey[],
    held: readonly HeldValue[],
    watched: readonly ContextKey[],
    carried: CarriedValues | null,
    unsuppressed: ContextState | null,
  ) {
    this.keys = keys;
    this.held = held;
    this.watched = watched;
    this.carried = carried;
    this.unsuppressed = unsuppressed;
    this.suppressed = undefined;
    this.handle = undefined;
  }

  static ofCarried(carried: CarriedValues): ContextState {
    const { keys, held, watched } = ContextState.default;
    return new ContextState(keys, held, watched, carried, null);
  }

  get isFlowSuppressed(): boolean {
    return this.unsuppressed !== null;
  }

  /** The entry for this local or `absent`. A carried value is decoded here. */
  lookup(key: ContextKey): unknown {
    const index = this.keys.indexOf(key);
    if (index !== -1) return this.held[index]!.value;
    return this.carried === null ? absent : this.carried.lookup(key);
  }

  /** What a read of the local gives: its entry, or its default where there is none or the entry is `undefined`. */
  read(key: ContextKey): unknown {
    const value = this.lookup(key);
    return value === absent || value === undefined ? key.defaultValue : value;
  }

  /** This state with another value for one local: the same object if the value is the same (`Object.is`). */
  with(key: ContextKey, value: unknown): ContextState {
    if (this.unsuppressed !== null) return suppressedAs(this, this.unsuppressed.with(key, value));
    const index = this.keys.indexOf(key);
    if (index !== -1) {
      if (is(this.held[index]!.value, value)) return this;
      const held = this.held.with(index, { value, written: undefined });
      return new ContextState(this.keys, held, this.watched, this.carried, null);
    }
    return new ContextState(
      appended(this.keys, key),
      appended(this.held, { value, written: undefined }),
      key.onValueChanged === undefined ? this.watched : appended(this.watched, key),
      this.carried === null ? null : this.carried.without(key),
      null,
    );
  }

  /** This state without an entry for the local: the default state when it was the last. */
  without(key: ContextKey): ContextState {
    if (this.unsuppressed !== null) return suppressedAs(this, this.unsuppressed.without(key));
    const index = this.keys.indexOf(key);
    const carried = this.carried === null ? null : this.carried.without(key);
    if (index === -1 && carried === this.carried) return this;
    const keys = index === -1 ? this.keys : this.keys.toSpliced(index, 1);
    if (keys.length === 0 && carried === null) return ContextState.default;
    const held = index === -1 ? this.held : this.held.toSpliced(index, 1);
    const watched =
      key.onValueChanged === undefined ? this.watched : this.watched.filter((other) => other !== key);
    return new ContextState(keys, held, watched, carried, null);
  }

  /** This state without these values, all of which came with a carrier. */
  withoutCarried(names: readonly string[]): ContextState {
    if (this.carried === null || names.length === 0) return this;
    if (this.unsuppressed !== null) return this.unsuppressed.withoutCarried(names).suppress();
    const carried = this.carried.withoutThese(names);
    return this.keys.length === 0 && carried === null
      ? ContextState.default
      : new ContextState(this.keys, this.held, this.watched, carried, null);
  }

  /** The same values with flow suppressed. Always the same object for the same state. */
  suppress(): ContextState {
    if (this.unsuppressed !== null) return this;
    this.suppressed ??= new ContextState(this.keys, this.held, this.watched, this.carried, this);
    return this.suppressed;
  }
}

function suppressedAs(state: ContextState, changed: ContextState): ContextState {
  return changed === state.unsuppressed ? state : changed.suppress();
}

/** The list with one more. A list that grows, as one does that begins with others, gets room for 17 more: half of what a set allocated. */
function appended<T>(list: readonly T[], item: T): readonly T[] {
  switch (list.length) {
    case 0:
      return [item];
    case 1:
      return [list[0]!, item];
    case 2:
      return [list[0]!, list[1]!, item];
    default:
      return [...list, item];
  }
}
