/** Which pools a meter reports, and what its histograms have of them already. Copies of this package in one thread keep that together. */
import type { Meter } from "@opentelemetry/api";
import { NewValues } from "./new-values.ts";
import { type MeasuredPool, nameTaken } from "./pool-metrics.ts";

interface Recorded {
  readonly durations: NewValues;
  readonly waits: NewValues;
}

interface Reported {
  /** Of the pools that are reported now. */
  readonly names: Set<string>;
  /** By the names. A pool that is reported anew goes on where it ended: the histograms of a meter stay. */
  readonly recorded: WeakMap<MeasuredPool, Map<string, Recorded>>;
}

/** Its number says in which form that is. */
const sharedKey: unique symbol = Symbol.for("skein.opentelemetry.meters.1");
const holder = globalThis as { [sharedKey]?: WeakMap<Meter, Reported> };
const meters = (holder[sharedKey] ??= new WeakMap<Meter, Reported>());

/**
 * A pool is reported from now on.
 * @returns what was recorded of it, and what ends that. @throws SkeinError ERR_SKEIN_METRICS_NAME when another one is, by this name.
 */
export function reportIn(
  meter: Meter,
  pool: MeasuredPool,
  name: string,
): Recorded & { readonly end: () => void } {
  let reported = meters.get(meter);
  if (reported === undefined) meters.set(meter, (reported = { names: new Set(), recorded: new WeakMap() }));
  const { names, recorded } = reported;
  if (names.has(name))
    throw nameTaken(`The meter has a pool named "${name}": give each pool a \`name\` of its own`);
  names.add(name);
  let ofPool = recorded.get(pool);
  if (ofPool === undefined) recorded.set(pool, (ofPool = new Map()));
  let values = ofPool.get(name);
  if (values === undefined)
    ofPool.set(name, (values = { durations: new NewValues(), waits: new NewValues() }));
  return { ...values, end: () => void names.delete(name) };
}
