/**
 * Values of a call on their way out. Comlink has given each to the transfer handlers; what none of them took is looked at here: functions,
 * what `proxy` has marked, and AbortSignals cannot be copied, wherever in plain objects and arrays they lie.
 */
import { MessageChannel, type MessagePort, type Transferable } from "node:worker_threads";
import { AsyncScope } from "@skein/context";
import { isAbortSignal } from "./call-options.ts";
import { define } from "./define.ts";
import { isMarked } from "./marks.ts";
import type { SentSignals } from "./sent-signals.ts";
import { type Doors, PROXY, type SentTree, SIGNAL, TREE, type WireValue } from "./wire.ts";

type Container = Record<string, unknown>;

export class OutgoingValues {
  readonly #doors: Doors;
  readonly #signals: SentSignals;
  /** What has to be listed when the message is posted. */
  readonly transfer: Transferable[];
  /** Of what was exposed for this message: to be closed when it is not posted. */
  readonly #ports: MessagePort[] = [];

  constructor(doors: Doors, signals: SentSignals, transfer: readonly Transferable[]) {
    this.#doors = doors;
    this.#signals = signals;
    this.transfer = [...transfer];
  }

  send(wire: WireValue): WireValue {
    if (wire.type !== "RAW") return wire;
    const { value } = wire;
    if (isSentAlone(value)) return this.#sendAlone(value);
    if (!isContainer(value) || !holdsAny(value)) return wire;
    return { type: "HANDLER", name: TREE, value: this.#sendTree(value) };
  }

  /** The message was not posted. */
  drop(): void {
    for (const port of this.#ports) port.close();
  }

  #sendAlone(value: object): WireValue {
    if (!isSignal(value)) {
      const port = proxied(this.#doors, value, true);
      this.#ports.push(port);
      this.transfer.push(port);
      return { type: "HANDLER", name: PROXY, value: port };
    }
    const sent = this.#signals.send(value);
    this.transfer.push(...sent.transfer);
    return { type: "HANDLER", name: SIGNAL, value: sent.value };
  }

  /** Copies the containers, so that those of the caller stay as they are. Aliases, cycles and holes stay what they are. */
  #sendTree(root: Container): SentTree {
    const copies = new Map<Container, Container>();
    const places: [path: readonly string[], value: WireValue][] = [];
    const copy = (from: Container, path: readonly string[]): Container => {
      const to: Container = emptyLike(from);
      copies.set(from, to);
      for (const key of Object.keys(from)) {
        const value = from[key];
        if (isSentAlone(value)) {
          places.push([[...path, key], this.#sendAlone(value)]);
          define(to, key, undefined);
        } else
          define(to, key, isContainer(value) ? (copies.get(value) ?? copy(value, [...path, key])) : value);
      }
      return to;
    };
    return { value: copy(root, []), places };
  }
}

/** The end for the other side of a channel at whose near end `object` is exposed. */
export function proxied(doors: Doors, object: object, isCallback: boolean): MessagePort {
  const { port1, port2 } = AsyncScope.root.run(() => new MessageChannel());
  doors.expose(object, port1, isCallback);
  return port2;
}

function isSentAlone(value: unknown): value is object {
  return typeof value === "function" || isMarked(value) || isSignal(value);
}

function isSignal(value: unknown): value is AbortSignal {
  return isAbortSignal(value) && !isContainer(value);
}

function isContainer(value: unknown): value is Container {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function emptyLike(container: Container): Container {
  if (!Array.isArray(container)) return {};
  const list: unknown[] = [];
  list.length = container.length;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `isContainer` takes an array for one
  return list as unknown as Container;
}

/** Not recursive: data may be deep. */
function holdsAny(root: Container): boolean {
  const seen = new Set([root]);
  for (const container of seen) {
    for (const key of Object.keys(container)) {
      const value = container[key];
      if (isSentAlone(value)) return true;
      // A Set is iterated in the order of insertion, what is added meanwhile included.
      if (isContainer(value)) seen.add(value);
    }
  }
  return false;
}
