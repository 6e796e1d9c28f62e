/**
 * The Endpoint that Comlink's `wrap` is given. Comlink makes proxies, paths and messages; here each message becomes a call of a target, with the
 * options of this endpoint. What a proxy cannot be asked for otherwise, it is asked by a call that ends here and goes nowhere.
 */
import type { Transferable } from "node:worker_threads";
import * as Comlink from "comlink";
import { type CallOptions, resolveCallOptions } from "./call-options.ts";
import type { CallTarget, Outcome } from "./calls.ts";
import { Promise } from "./intrinsics.ts";
import type { CallMessage, WireValue } from "./wire.ts";

const whereabouts: unique symbol = Symbol("skein.comlink.whereabouts");
/** As Comlink writes it in a path. */
const WHEREABOUTS = String(whereabouts);

/** Which endpoint a proxy calls, and with what path. */
export interface Whereabouts {
  readonly endpoint: CallEndpoint;
  readonly path: readonly string[];
}

let found: Whereabouts | null = null;
const released = new WeakSet<CallTarget>();

/** @returns null for what is no proxy over a CallEndpoint. */
export function whereaboutsOf(proxy: unknown): Whereabouts | null {
  if (typeof proxy !== "function") return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it is turns out now
  const ask = (proxy as { readonly [whereabouts]?: () => unknown })[whereabouts];
  if (typeof ask !== "function") return null;
  found = null;
  // One of plain Comlink's posts this as a call, which fails.
  void Promise.resolve(ask()).catch(() => {});
  const answer: Whereabouts | null = found;
  found = null;
  return answer;
}

export class CallEndpoint {
  readonly #target: CallTarget;
  readonly #prefix: readonly string[];
  readonly #options: CallOptions;
  /** The proxy that this one was made from, which stays as long; null for the first of a target, which is released with it. */
  readonly #origin: unknown;
  #deliver: (event: { readonly data: unknown }) => void = () => {};

  constructor(
    target: CallTarget,
    prefix: readonly string[] = [],
    options: CallOptions = {},
    origin: unknown = null,
  ) {
    this.#target = target;
    this.#prefix = prefix;
    this.#options = options;
    this.#origin = origin;
  }

  /**
   * The same target for calls below `path`, with other options.
   * @throws TypeError or RangeError for a bad option, naming it.
   */
  derive(path: readonly string[], options: CallOptions, origin: unknown): CallEndpoint {
    const resolved = resolveCallOptions(options, this.#options);
    return new CallEndpoint(this.#target, [...this.#prefix, ...path], resolved, origin);
  }

  /** Of the target, with all its endpoints. */
  release(): Promise<void> {
    released.add(this.#target);
    return this.#target.release();
  }

  addEventListener(_type: string, listener: (event: { readonly data: unknown }) => void): void {
    this.#deliver = listener;
  }

  removeEventListener(): void {}

  /** Comlink has its answer at once: a promise. What it keeps of calls under way it forgets when it releases a proxy. */
  postMessage(message: CallMessage, transfer: readonly Transferable[] = []): void {
    const { id, type, path = [] } = message;
    if (type === "RELEASE") {
      // Comlink posts this also when the last proxy of an endpoint was collected, as it is at some time after a release.
      if (this.#origin === null && !released.has(this.#target)) void this.release();
      this.#answer(id, undefined);
    } else if (type === "APPLY" && path.at(-1) === WHEREABOUTS) {
      found = { endpoint: this, path: path.slice(0, -1) };
      this.#answer(id, undefined);
    } else this.#answer(id, this.#call(message, transfer));
  }

  async #call(message: CallMessage, transfer: readonly Transferable[]): Promise<unknown> {
    const { type, path = [] } = message;
    const call = type === "ENDPOINT" ? message : { ...message, path: [...this.#prefix, ...path] };
    const reply = await new Promise<WireValue>((resolve, reject) => {
      const settle = (outcome: Outcome): void =>
        "reply" in outcome ? resolve(outcome.reply) : reject(outcome.error);
      this.#target.call({ message: call, transfer, options: this.#options, settle });
    });
    if (reply.type === "RAW") return reply.value;
    return Comlink.transferHandlers.get(reply.name)!.deserialize(reply.value);
  }

  #answer(id: string, value: unknown): void {
    this.#deliver({ data: { id, type: "RAW", value } });
  }
}

/**
 * Comlink's proxy whose calls go to the endpoint, and which `await using` releases: that wants a function, and not another proxy. As of Comlink's,
 * its target is what is seen of it: `console.log` looks behind one proxy, and would call the object if there were another.
 */
export function proxyOf(endpoint: CallEndpoint, target: object = function () {}): object {
  const inner = Comlink.wrap<() => unknown>(endpoint, target);
  const dispose = (): Promise<void> => endpoint.release();
  return new Proxy(target, {
    get: (_, key) => (key === Symbol.asyncDispose ? dispose : (Reflect.get(inner, key) as unknown)),
    set: (_, key, value) => Reflect.set(inner, key, value),
    apply: (_, self, args) => Reflect.apply(inner, self, args) as unknown,
    construct: (_, args) => Reflect.construct(inner, args) as object,
  });
}
