/** How long until there is a first result. */
import type { Kind, Section } from "../method/scenario.ts";
import { childContender, type ContenderIdentity } from "./child-contender.ts";

const field: readonly ContenderIdentity[] = [
  identity("skein", "skein"),
  ...["piscina", "tinypool", "workerpool", "poolifier", "comlink"].map((name) => identity(name, "peer")),
  identity("raw port", "reference"),
  identity("no pool", "reference"),
];

function identity(name: string, kind: Kind): ContenderIdentity {
  return { name, product: name, kind, configuration: "defaults" };
}

export const coldStart: Section = {
  name: "cold-start",
  title: "Cold start",
  question: "How long from nothing to the first result?",
  method:
    "A process per round, plain JavaScript, one thread, a trivial job. Process: from its start to the first result; that includes Node's own start. " +
    "Import: to the moment where the package has been loaded. Pool: from creating the pool to the first result, the start of a thread included.",
  scenarios: () => [
    {
      name: "cold-start",
      title: "The first result",
      regression: true,
      metrics: [
        { key: "processMs", title: "process", unit: "ms", better: "lower" },
        { key: "importMs", title: "of that, import", unit: "ms", better: "lower" },
        { key: "poolMs", title: "pool", unit: "ms", better: "lower" },
      ],
      contenders: field.map((contender) =>
        childContender(contender, new URL("../children/cold-start.mjs", import.meta.url), {
          args: [contender.name],
        }),
      ),
    },
  ],
  figures: [
    {
      name: "cold-start",
      question: "How long from the start of the process to the first result?",
      of: "cold-start",
      kind: "bars",
      metric: "processMs",
    },
  ],
  reasons: [
    {
      basis: "code",
      why: "our packages are more code than a peer's, and it is compiled here and once more in the thread",
      change:
        "a thread that loads tasks only when a job submits one; Node's compile cache, which is the user's to turn on (NODE_COMPILE_CACHE)",
    },
  ],
};
