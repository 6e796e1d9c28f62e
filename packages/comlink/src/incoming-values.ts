/** The other end of OutgoingValues: what it has sent becomes a value as it is, so that Comlink passes it on. */
import { MessagePort } from "node:worker_threads";
import type { ArrivedSignals } from "./arrived-signals.ts";
import { define } from "./define.ts";
import { type Doors, PROXY, type SentSignal, type SentTree, SIGNAL, TREE, type WireValue } from "./wire.ts";

// oxlint-disable typescript/no-unsafe-type-assertion -- by its name, the value is what OutgoingValues has made
export function received(wire: WireValue, doors: Doors, signals: ArrivedSignals | null): WireValue {
  if (wire.type !== "HANDLER") return wire;
  const { name, value } = wire;
  if (name === PROXY && value instanceof MessagePort) return { type: "RAW", value: doors.wrap(value) };
  if (signals === null) return wire;
  if (name === SIGNAL) return { type: "RAW", value: signals.receive(value as SentSignal) };
  if (name !== TREE) return wire;
  const tree = value as SentTree;
  for (const [path, inner] of tree.places) {
    let holder = tree.value as Record<string, unknown>;
    for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
    const { value: came } = received(inner, doors, signals) as { readonly value: unknown };
    define(holder, path.at(-1)!, came);
  }
  return { type: "RAW", value: tree.value };
}

/** Nobody will use the value: what is exposed for it is let go. */
export function drop(wire: WireValue): void {
  if (wire.type !== "HANDLER") return;
  const { name, value } = wire;
  if (name === PROXY && value instanceof MessagePort) value.close();
  else if (name === TREE) for (const [, inner] of (value as SentTree).places) drop(inner);
}
