import { argumentTypeError } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { requirePolicy } from "./continuation-policy.ts";
import type { ContinuationPolicy, Place } from "./continuation-policy.ts";
import { checkOptions, ownOption } from "./own-option.ts";
import { capturedPlace } from "./task-scheduler.ts";

/** How one await of a task behaves. */
export interface ConfigureAwaitOptions {
  /**
   * Where this continuation runs. `"inline"` leaves it to the task: nobody can ask to run inside a completer that did
   * not allow it.
   *
   * @default "inline"
   */
  policy?: ContinuationPolicy | undefined;
  /**
   * Whether to resume on the SynchronizationContext or TaskScheduler on which the wait began. An explicit policy goes
   * before it.
   *
   * @default true
   */
  continueOnCapturedContext?: boolean | undefined;
  /** Never on the completer's stack: `"inline"` becomes `"asynchronous"`. @default false */
  forceYielding?: boolean | undefined;
  /** A task that fails yields undefined. The fault counts as observed. @default false */
  suppressThrowing?: boolean | undefined;
}

const knownOptions: OptionNames<ConfigureAwaitOptions> = {
  policy: true,
  continueOnCapturedContext: true,
  forceYielding: true,
  suppressThrowing: true,
};

/** How one wait runs, with everything decided. */
export interface ResolvedAwait {
  readonly policy: ContinuationPolicy;
  readonly forceYielding: boolean;
  readonly suppressThrowing: boolean;
  readonly continueOnCapturedContext: boolean;
}

/** @throws TypeError for an option of the wrong type. */
export function resolveAwait(options: ConfigureAwaitOptions): ResolvedAwait {
  // Not optional here: a call without them is a mistake.
  if (options === undefined) throw argumentTypeError("options", "an object", options);
  checkOptions(options, knownOptions);
  const policy = ownOption(options, "policy");
  return {
    policy: policy === undefined ? "inline" : requirePolicy("options.policy", policy),
    forceYielding: flag("forceYielding", ownOption(options, "forceYielding"), false),
    suppressThrowing: flag("suppressThrowing", ownOption(options, "suppressThrowing"), false),
    continueOnCapturedContext: flag(
      "continueOnCapturedContext",
      ownOption(options, "continueOnCapturedContext"),
      true,
    ),
  };
}

function flag(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === "boolean") return value;
  throw argumentTypeError(`options.${name}`, "a boolean", value);
}

/** The policy of a wait that begins now, on a task with `taskPolicy`. */
export function awaitPolicy(resolved: ResolvedAwait, taskPolicy: ContinuationPolicy): Place {
  let policy: Place = resolved.policy;
  if (policy === "inline" && resolved.continueOnCapturedContext) policy = capturedPlace() ?? policy;
  if (policy === "inline" && taskPolicy === "inline" && resolved.forceYielding) policy = "asynchronous";
  return policy;
}
