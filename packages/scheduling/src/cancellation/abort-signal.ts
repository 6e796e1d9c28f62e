import { bare } from "../intrinsics.ts";

/** What `addEventListener` is given for one call. */
export const once: { readonly once: boolean } = Object.freeze(bare({ once: true }));

/** By its members: the globals of a simulated browser have signals of their own, and both kinds reach us. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, addEventListener } = value as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof addEventListener === "function";
}
