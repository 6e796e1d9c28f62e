import { requirePolicy } from "../continuation-policy.ts";
import type { ContinuationPolicy } from "../continuation-policy.ts";
import { ownOption } from "../own-option.ts";

export interface ContinuationsOption {
  /** Where the continuations of waiters run, also when they are cancelled. @default "asynchronous" */
  continuations?: ContinuationPolicy | undefined;
}

/** @throws TypeError when the option is not a policy. */
export function continuationsOf(options: ContinuationsOption | undefined): ContinuationPolicy {
  const policy = ownOption(options, "continuations");
  return policy === undefined ? "asynchronous" : requirePolicy("options.continuations", policy);
}
