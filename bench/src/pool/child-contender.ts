/** A contender whose every round is a process of its own. */
import { type ChildOptions, runChild } from "../method/child.ts";
import type { Contender, Sample } from "../method/scenario.ts";

export type ContenderIdentity = Omit<Contender, "open">;

export function childContender(identity: ContenderIdentity, module: URL, options: ChildOptions): Contender {
  const { name, kind, product, configuration } = identity;
  return {
    name,
    kind,
    product,
    configuration,
    open: () =>
      Promise.resolve({
        round: () => runChild<Sample>(module, options),
        close: () => Promise.resolve(),
      }),
  };
}
