import { addAbortListener } from "node:events";
import { bare } from "../intrinsics.ts";

/**
 * What `addEventListener` of a signal is given for one call, which nobody can prevent: otherwise another listener that calls
 * `stopImmediatePropagation` would leave everything uncancelled. Node has that for `addAbortListener` alone, under a symbol that it keeps
 * to itself. So these are the options that this function gives to a signal; calling it each time would cost two closures.
 */
export const abortOnce: { readonly once: boolean } = Object.freeze(bare({ ...optionsOfNode(), once: true }));

function optionsOfNode(): object | undefined {
  let options: object | undefined;
  const addEventListener = (_type: string, _listener: unknown, given: object): void => void (options = given);
  const signal = bare({ aborted: false, addEventListener, removeEventListener: () => {} });
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it looks at no more than these members.
    addAbortListener(signal as unknown as AbortSignal, () => {});
  } catch {
    // Not Node's: then there is no such thing.
  }
  return options;
}

/** By its members: the globals of a simulated browser have signals of their own, and both kinds reach us. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, addEventListener } = value as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof addEventListener === "function";
}
