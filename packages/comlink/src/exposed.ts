/**
 * An object that is called over one link. Comlink's `expose` hears the calls, and writes results and errors; what it calls is not the object but one
 * method here, `perform`. That keeps by the id of the call what Comlink's own form of an answer has no room for:
 *
 *   the error that was thrown   goes in place of Comlink's form of it, which may hold what cannot be copied
 *   an object to be proxied     is exposed with context; Comlink would do without
 */
import { MessageChannel, type Transferable } from "node:worker_threads";
import { AsyncScope, ExecutionContext } from "@skein/context";
import { CallState } from "@skein/pool/engine";
import * as Comlink from "comlink";
import { ArrivedSignals } from "./arrived-signals.ts";
import { drop, received } from "./incoming-values.ts";
import type { Hear, Link } from "./link.ts";
import { isMarked } from "./marks.ts";
import { proxied } from "./outgoing-values.ts";
import { encodeThrown } from "./thrown.ts";
import {
  type CallMessage,
  type Doors,
  isCall,
  isSignalMessage,
  isUnreadMessage,
  PROXY,
  type ReplyMessage,
  THROW,
  type UnreadMessage,
  type WireValue,
} from "./wire.ts";

/** Who may call, of other windows. */
export type AllowedOrigins = (string | RegExp)[];

export interface ExposeOptions {
  readonly allowedOrigins?: AllowedOrigins | undefined;
  /** Calls belong to whoever exposes it now: what did not come with a call is as it is here. */
  readonly isCallback?: boolean | undefined;
  /** The object is a class: after the first construction what it has made is in its place. @returns the answer */
  readonly onConstructed?: ((made: object) => unknown) | undefined;
  /** It was released, or the other side is gone. */
  readonly onOver?: (() => void) | undefined;
}

/** What Comlink's form of an answer has no room for. */
type Note = { readonly thrown: unknown } | { readonly proxied: object };

type Listener = (event: { readonly data: unknown; readonly origin: string | undefined }) => void;

/** Whoever has replaced it wants errors to be as he writes them. */
const ownThrowHandler = Comlink.transferHandlers.get(THROW);

export class Exposed {
  #object: unknown;
  /** What will be the object, until then. */
  #construct: ((args: readonly unknown[]) => unknown) | null = null;
  readonly #onOver: (() => void) | undefined;
  readonly #link: Link;
  readonly #doors: Doors;
  /** In which storages of others calls run. */
  readonly #scope: AsyncScope;
  /** The text form of the context in `#scope`. */
  readonly #context: string | null;
  readonly #signals = new ArrivedSignals();
  readonly #notes = new Map<string, Note>();
  /** Calls whose answer was not posted. */
  readonly #running = new Set<string>();

  constructor(object: unknown, link: Link, doors: Doors, options: ExposeOptions = {}) {
    const { allowedOrigins, isCallback, onConstructed } = options;
    this.#onOver = options.onOver;
    if (onConstructed === undefined) this.#object = object;
    else
      this.#construct = (args) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion, typescript/no-unsafe-argument -- anything else is refused by `construct`
        const made = Reflect.construct(object as new () => object, args) as object;
        this.#construct = null;
        this.#object = made;
        return onConstructed(made);
      };
    this.#link = link;
    this.#doors = doors;
    this.#scope = isCallback === true ? AsyncScope.capture() : AsyncScope.root;
    this.#context = isCallback === true ? (ExecutionContext.capture()?.toCarrier() ?? null) : null;
    const target = {
      perform: (message: CallMessage, ...args: unknown[]) => this.#perform(message, args),
      [Comlink.finalizer]: () => this.#finalize(),
    };
    let stop = (): void => {};
    const endpoint = {
      addEventListener: (_type: string, listener: unknown) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Comlink's, which reads data and origin
        const hear: Hear = (data, origin) => this.#onMessage(data, origin, listener as Listener);
        const stopHearing = link.hear(hear, () => link.post({ skein: "unread" } satisfies UnreadMessage, []));
        let stopWatching = (): void => {};
        // A link may outlive it: it keeps nothing of it.
        stop = () => {
          stopHearing();
          stopWatching();
        };
        stopWatching = link.onEnd(() => {
          stop();
          this.#end();
        });
      },
      removeEventListener: () => {
        stop();
        this.#end();
        link.close();
      },
      postMessage: (reply: ReplyMessage, transfer: readonly Transferable[] = []) =>
        this.#post(reply, transfer),
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of an endpoint as Comlink uses
    Comlink.expose(target, endpoint, allowedOrigins);
  }

  #onMessage(data: unknown, origin: string | undefined, listener: Listener): void {
    if (isSignalMessage(data)) this.#signals.hear(data);
    else if (isUnreadMessage(data)) this.#onUnread(data);
    if (!isCall(data)) return;
    const { id, type, skein, argumentList = [], value } = data;
    if (type === "RELEASE") {
      this.#scope.run(listener, { data, origin });
      return;
    }
    if (skein?.state && !new CallState(skein.state).begin()) {
      for (const each of argumentList) drop(each);
      if (value !== undefined) drop(value);
      return;
    }
    try {
      this.#enter(skein?.context, () => {
        const args = [...argumentList, ...(value === undefined ? [] : [value])].map((each) =>
          received(each, this.#doors, this.#signals),
        );
        const first: WireValue = { type: "RAW", value: data };
        listener({
          data: { id, type: "APPLY", path: ["perform"], argumentList: [first, ...args] },
          origin,
        });
      });
    } catch (error) {
      // What came cannot be read: nothing was called.
      this.#postThrown(id, error);
    }
  }

  #postThrown(id: string, thrown: unknown): void {
    const { value, transfer } = encodeThrown(thrown);
    this.#link.post({ id, type: "HANDLER", name: THROW, value: { isError: false }, skein: value }, transfer);
  }

  #onUnread(message: UnreadMessage): void {
    if (message.skein !== "missing") return;
    const calls = message.calls.filter((id) => !this.#running.has(id));
    this.#link.post({ skein: "lost", calls } satisfies UnreadMessage, []);
  }

  #end(): void {
    this.#signals.close();
    this.#onOver?.();
  }

  /** @param context undefined: the caller has plain Comlink. */
  #enter(context: string | null | undefined, fn: () => void): void {
    if (context === undefined || context === this.#context) this.#scope.run(fn);
    else this.#scope.run(() => ExecutionContext.run(ExecutionContext.fromCarrier(context), fn));
  }

  async #perform(message: CallMessage, args: readonly unknown[]): Promise<unknown> {
    const { id, type, skein } = message;
    this.#running.add(id);
    try {
      if (type === "CONSTRUCT" && this.#construct !== null) return this.#construct(args);
      const result: unknown = await operate(this.#object, message, args, this.#doors);
      if (type !== "CONSTRUCT" && !isMarked(result)) return result;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `new` gives is an object
      this.#notes.set(id, { proxied: result as object });
      return undefined;
    } catch (error) {
      if (skein !== undefined && Comlink.transferHandlers.get(THROW) === ownThrowHandler)
        this.#notes.set(id, { thrown: error });
      throw error;
    }
  }

  /** What Comlink answers, with what was noted. @throws DataCloneError, of which Comlink tells the caller */
  #post(reply: ReplyMessage, transfer: readonly Transferable[]): void {
    const note = this.#notes.get(reply.id);
    this.#notes.delete(reply.id);
    this.#running.delete(reply.id);
    if (note === undefined) this.#link.post(reply, transfer);
    else if ("proxied" in note) {
      const port = proxied(this.#doors, note.proxied, false);
      this.#link.post({ id: reply.id, type: "HANDLER", name: PROXY, value: port }, [port]);
    } else this.#postThrown(reply.id, note.thrown);
  }

  #finalize(): void {
    const object = this.#object;
    if ((typeof object !== "object" || object === null) && typeof object !== "function") return;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it is turns out now
    const finalizer = (object as { readonly [Comlink.finalizer]?: unknown })[Comlink.finalizer];
    if (typeof finalizer === "function") Reflect.apply(finalizer, object, []);
  }
}

/** What the message asks for. A path goes through whatever lies there, as in Comlink. */
function operate(root: unknown, message: CallMessage, args: readonly unknown[], doors: Doors): unknown {
  const { type, path = [] } = message;
  if (type === "ENDPOINT") return anotherEnd(root, doors);
  // oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument -- any object may be exposed
  let holder: any = root;
  let value: any = root;
  for (const [index, key] of path.entries()) {
    holder = value;
    if (type === "SET" && index === path.length - 1) {
      holder[key] = args[0];
      return true;
    }
    value = holder[key];
  }
  if (type === "GET") return value;
  if (type === "CONSTRUCT") return Reflect.construct(value, args);
  return Reflect.apply(value, holder, args);
}

function anotherEnd(root: unknown, doors: Doors): unknown {
  const { port1, port2 } = AsyncScope.root.run(() => new MessageChannel());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whatever can be exposed
  doors.expose(root as object, port1, false);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Comlink's types are those of a browser
  return Comlink.transfer(port2, [port2 as never]);
}
