/** AbortSignals that calls over one endpoint have taken along: the other side is told once when one fires, or can fire no more. */
import { AsyncScope } from "@skein/context";
import { abortOnce } from "@skein/scheduling/internal";
import type { Transferable } from "node:worker_threads";
import { encodeThrown } from "./thrown.ts";
import type { Sent, SentSignal, SignalMessage } from "./wire.ts";

type Post = (message: SignalMessage, transfer: readonly Transferable[]) => void;

export class SentSignals {
  readonly #idPrefix: string;
  readonly #post: Post;
  readonly #ids = new WeakMap<AbortSignal, string>();
  /** By id: takes the listener off its signal, unless that is gone. */
  readonly #listening = new Map<string, () => void>();
  readonly #collected = new FinalizationRegistry<string>((id) => {
    if (this.#listening.delete(id)) this.#post({ skein: "forget", signal: id }, []);
  });
  #lastId = 0;

  /** @param idPrefix Of these alone: signals of others travel over the same link. */
  constructor(idPrefix: string, post: Post) {
    this.#idPrefix = idPrefix;
    this.#post = post;
  }

  send(signal: AbortSignal): Sent<SentSignal> {
    let id = this.#ids.get(signal);
    if (signal.aborted) {
      const { value, transfer } = encodeThrown(signal.reason);
      return { value: { id: id ?? this.#nextId(), reason: value }, transfer };
    }
    if (id === undefined) {
      this.#ids.set(signal, (id = this.#nextId()));
      this.#listen(signal, id);
    }
    return { value: { id }, transfer: [] };
  }

  /** The endpoint is not used any more. */
  close(): void {
    for (const stop of this.#listening.values()) stop();
    this.#listening.clear();
  }

  #nextId(): string {
    return `${this.#idPrefix}${++this.#lastId}`;
  }

  #listen(signal: AbortSignal, id: string): void {
    // A listener keeps its signal; nothing here may.
    const weak = new WeakRef(signal);
    const onAbort = (): void => {
      this.#listening.delete(id);
      const { value, transfer } = encodeThrown(weak.deref()?.reason);
      this.#post({ skein: "abort", signal: id, reason: value }, transfer);
    };
    AsyncScope.root.run(() => signal.addEventListener("abort", onAbort, abortOnce));
    this.#listening.set(id, () => weak.deref()?.removeEventListener("abort", onAbort));
    this.#collected.register(signal, id);
  }
}
