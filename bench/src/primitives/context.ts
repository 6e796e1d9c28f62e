/** The ambient context next to AsyncLocalStorage. */
import type { Scale, Scenario, Section } from "../method/scenario.ts";
import { METHOD } from "./method-text.ts";
import { native, reference, skein, table } from "./table.ts";
import type * as Awaiting from "./ways/awaiting.ts";
import type * as Binding from "./ways/binding.ts";
import type * as Capturing from "./ways/capturing.ts";
import type * as Carrying from "./ways/carrying.ts";
import type * as Reading from "./ways/reading.ts";
import type * as Running from "./ways/running.ts";

export const contextPrimitives: Section = {
  name: "context-primitives",
  title: "Context",
  question: "What does an AsyncLocal cost, next to an AsyncLocalStorage?",
  method:
    METHOD +
    "All AsyncLocals together are one AsyncLocalStorage with an immutable list of values in it, so that taking everything along is taking one pointer; what that costs at " +
    "the other end, where one value is read or set, is in the first tables.",
  scenarios: (scale) => [
    reading(scale),
    running(scale),
    runningAmongMany(scale),
    capturing(scale),
    binding(scale),
    awaiting(scale),
    carrying(scale),
    carryingEach(scale),
  ],
  figures: [
    {
      name: "run-among-many",
      question: "What does it cost to run something with another value, when twenty others are set?",
      of: "running-among-many",
      kind: "bars",
      metric: "ns",
      log: true,
    },
  ],
  reasons: [
    {
      basis: "code",
      of: "reading",
      why: "a read asks the one storage for its context, as the platform's own does, and then looks for the local in it",
      change: "a variable for the value, where a loop reads it often",
    },
    {
      basis: "code",
      of: "running",
      why: "another value makes a new context, for which the lists of locals and values are copied",
      change: "one object in one AsyncLocal, for values that change together",
    },
    {
      basis: "code",
      of: "carrying-each",
      why: "two values are two AsyncLocals: two contexts are made (context/src/context-state.ts) where the platform makes one, and the text names each of them (context/src/carrier-text.ts)",
      change:
        "one AsyncLocal for values that change together, which took about half of the difference away when it was tried",
    },
  ],
};

const runs = {
  AsyncLocal: skein("local.run(i, f)"),
  AsyncLocalStorage: native("storage.run(i, f)"),
};

const texts = {
  toCarrier: skein("ExecutionContext.capture().toCarrier()"),
  JSON: native("JSON.stringify(storage.getStore())"),
};

function reading(scale: Scale): Scenario {
  return table<typeof Reading>(scale, {
    name: "reading",
    title: "Read the current value",
    ways: {
      AsyncLocal: skein("local.value"),
      AsyncLocalStorage: native("storage.getStore()"),
    },
  });
}

function running(scale: Scale): Scenario {
  return table<typeof Running>(scale, {
    name: "running",
    title: "Run a function with another value",
    ways: runs,
  });
}

function runningAmongMany(scale: Scale): Scenario {
  return table<typeof Running>(scale, {
    name: "running-among-many",
    title: "The same while twenty other values are set around it",
    ways: runs,
  });
}

function capturing(scale: Scale): Scenario {
  return table<typeof Capturing>(scale, {
    name: "capturing",
    title: "Capture the context and run something in it, unchanged",
    ways: {
      ExecutionContext: skein("ExecutionContext.run(ExecutionContext.capture(), f)"),
      "AsyncLocalStorage.snapshot": native("AsyncLocalStorage.snapshot()(f)"),
    },
  });
}

function binding(scale: Scale): Scenario {
  return table<typeof Binding>(scale, {
    name: "binding",
    title: "Bind a callback to the context, and call it once",
    ways: {
      "ExecutionContext.bind": skein("ExecutionContext.bind(f)()"),
      "AsyncLocalStorage.bind": native("AsyncLocalStorage.bind(f)()"),
      "AsyncResource.bind": native("AsyncResource.bind(f)()"),
    },
  });
}

function awaiting(scale: Scale): Scenario {
  return table<typeof Awaiting>(scale, {
    name: "awaiting",
    title: "Await a settled promise while there is a context to keep",
    ways: {
      AsyncLocal: skein("within local.run"),
      AsyncLocalStorage: native("within storage.run"),
      "no context": reference("await alone"),
    },
  });
}

function carrying(scale: Scale): Scenario {
  return table<typeof Carrying>(scale, {
    name: "carrying",
    title: "The context as text, for each of many jobs of one request",
    ways: texts,
  });
}

function carryingEach(scale: Scale): Scenario {
  return table<typeof Carrying>(scale, {
    name: "carrying-each",
    title: "The same with a new request, and two values set, for each job",
    ways: texts,
  });
}
