import { argumentRangeError, argumentTypeError } from "@skein/context/errors";
import type { OptionNames } from "@skein/context/errors";
import { requirePolicy } from "../continuation-policy.ts";
import type { ContinuationPolicy } from "../continuation-policy.ts";
import { checkOptions, ownOption } from "../own-option.ts";
import { ManualResetCore } from "./manual-reset-core.ts";
import { ValueTask, rearm } from "./value-task.ts";

export interface ManualResetValueTaskSourceOptions {
  /** Where the continuation of a pending operation runs. @default "inline" */
  continuations?: ContinuationPolicy | undefined;
  /** The first version: a 32-bit integer. @default 0 */
  initialVersion?: number | undefined;
}

const knownOptions: OptionNames<ManualResetValueTaskSourceOptions> = {
  continuations: true,
  initialVersion: true,
};

/**
 * A ValueTaskSource that is completed by hand and used again after `reset()`. Extend it, or hold one.
 *
 * The low-level tool: by default the waiting continuation runs inside `setResult`. TaskCompletionSource is the safe one.
 *
 * @see https://learn.microsoft.com/dotnet/api/system.threading.tasks.sources.manualresetvaluetasksourcecore-1
 */
export class ManualResetValueTaskSource<T> extends ManualResetCore<T> {
  #even: ValueTask<T> | undefined;
  #odd: ValueTask<T> | undefined;

  /** @throws TypeError, RangeError for an option of the wrong type or range. */
  constructor(options?: ManualResetValueTaskSourceOptions) {
    checkOptions(options, knownOptions);
    const policy = ownOption(options, "continuations");
    const version = ownOption(options, "initialVersion") ?? 0;
    if (!Number.isInteger(version)) throw argumentTypeError("options.initialVersion", "an integer", version);
    if ((version | 0) !== version)
      throw argumentRangeError("options.initialVersion", "an integer of 32 bits", version);
    super(policy === undefined ? "inline" : requirePolicy("options.continuations", policy), version);
  }

  /**
   * The current operation. Allocates nothing: two objects take turns. So a ValueTask of the previous operation is refused, as
   * any old token is; one that was kept from before that stands for a later operation. Whoever cannot rule that
   * out uses `ValueTask.fromSource(source, source.version)`, which stands for one operation for ever.
   */
  valueTask(): ValueTask<T> {
    const version = this.version;
    if ((version & 1) === 0) {
      const even = (this.#even ??= ValueTask.fromSource(this, version));
      rearm(even, version);
      return even;
    }
    const odd = (this.#odd ??= ValueTask.fromSource(this, version));
    rearm(odd, version);
    return odd;
  }
}
