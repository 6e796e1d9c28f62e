/** Tasks, value tasks, cancellation and waiting next to what the platform has. */
import type { Metric, Scale, Scenario, Section } from "../method/scenario.ts";
import { METHOD } from "./method-text.ts";
import { native, peer, reference, skein, table } from "./table.ts";
import type * as Bursts from "./ways/burst-of-results.ts";
import { RESULTS, WORK_US } from "./ways/burst-of-results.ts";
import type * as Cancelling from "./ways/cancelling.ts";
import type * as Completed from "./ways/completed.ts";
import type * as Limiting from "./ways/limiting.ts";
import type * as Pending from "./ways/pending.ts";
import type * as Registering from "./ways/registering.ts";
import type * as Settled from "./ways/settled.ts";
import type * as Settling from "./ways/settling.ts";
import type * as Waiting from "./ways/waiting.ts";
import { WAITS } from "./ways/waiting.ts";

export const scheduling: Section = {
  name: "scheduling",
  title: "Scheduling",
  question: "What do tasks, value tasks and tokens cost, next to promises and AbortSignal?",
  method:
    METHOD +
    "`pnpm bench:scheduling` measures the same loops two at a time in one process, where V8 sees more of each other's code; and two goals that " +
    "are not in the table above: nothing left behind by a million waits, no overflow in long chains.",
  scenarios: (scale) => [
    completed(scale),
    settled(scale),
    pending(scale),
    settling(scale),
    registering(scale),
    cancelling(scale),
    limiting(scale),
    waiting(scale),
    bursts(scale),
  ],
  figures: [
    {
      name: "burst-of-results",
      question: "How long does the event loop stand still when many results arrive at once?",
      of: "burst-of-results",
      kind: "bars",
      metric: "longestStallMs",
      log: true,
    },
  ],
  reasons: [
    {
      basis: "measured",
      evidence: "the bare thenable beside it",
      of: "settled",
      why: "native await calls `then` of anything that is not a promise of its own, in a microtask more, which is what the bare thenable costs; a Task calls back in a microtask of its own, so that policies hold for await as well, and `then` makes a task",
      change:
        "a Task that poses as a Promise would be awaited at a promise's price, and could not decide when its awaiter goes on",
    },
    {
      basis: "code",
      of: "burst-of-results",
      why: "each of the results is awaited, and awaiting a Task costs more than awaiting a promise, as above",
      change: "continuations instead of await, which the awaiter and generator methods give",
    },
    {
      basis: "measured",
      evidence: "pnpm bench:scheduling",
      of: "settling",
      why: "`then` captures the context of its caller and makes a second task",
      change: "the awaiter, which does neither, where only one waits",
    },
    {
      basis: "measured",
      evidence: "pnpm bench:scheduling",
      of: "registering",
      metric: "ns",
      why: "`register` captures the context, which AbortSignal does not",
      change: "`unsafeRegister`, which does not either",
    },
  ],
};

function completed(scale: Scale): Scenario {
  return table<typeof Completed>(scale, {
    name: "completed",
    title: "Reading what is there already, through an asynchronous interface",
    ways: {
      "ValueTask, fresh": skein(
        "v = cache.read(), ValueTask.fromResult(…) each; if (v.isCompleted) v.getResult()",
      ),
      "ValueTask, kept": skein("the same, a ValueTask that the cache keeps"),
      "generator method": skein("yield* cache.read(), a fresh ValueTask each"),
      "async function": native("await cache.read(), an async function"),
    },
  });
}

function settled(scale: Scale): Scenario {
  return table<typeof Settled>(scale, {
    name: "settled",
    title: "Awaiting what was settled long ago",
    ways: {
      "Task, await": skein("await task"),
      "Task, generator method": skein("yield* task"),
      promise: native("await promise"),
      "subclass of Promise": reference("await of a class that extends Promise"),
      "bare thenable": reference("await { then(f) { f(1) } }"),
    },
  });
}

function pending(scale: Scale): Scenario {
  return table<typeof Pending>(scale, {
    name: "pending",
    title: "One pending operation after the other, completed by somebody else",
    ways: {
      "reused source": skein("ManualResetValueTaskSource: reset(), yield* source.valueTask(); inline"),
      "promise each": native("await of Promise.withResolvers(); the producer gives way after each"),
      "promise each, a thousand at once": native("the same, the producer gives way after a thousand"),
    },
  });
}

function settling(scale: Scale): Scenario {
  return table<typeof Settling>(scale, {
    name: "settling",
    title: "Create, wait, complete",
    ways: {
      "then, asynchronous": skein('TaskCompletionSource, task.then(f), setResult; "asynchronous"'),
      "then, inline": skein('the same, "inline"'),
      "then, yield": skein('the same, "yield"'),
      "awaiter, inline": skein('task[awaiter]().unsafeOnCompleted(f, task), setResult; "inline"'),
      "promise, then": native("Promise.withResolvers(), promise.then(f), resolve"),
    },
  });
}

function registering(scale: Scale): Scenario {
  return table<typeof Registering>(scale, {
    name: "registering",
    title: "Register a callback with a long-lived token, and take it back",
    ways: {
      register: skein("token.register(f).unregister()"),
      unsafeRegister: skein("token.unsafeRegister(f).unregister()"),
      AbortSignal: native("addEventListener, removeEventListener"),
    },
  });
}

function cancelling(scale: Scale): Scenario {
  return table<typeof Cancelling>(scale, {
    name: "cancelling",
    title: "Create a token, register a callback, cancel",
    ways: {
      CancellationTokenSource: skein("new CancellationTokenSource(), token.register(f), cancel()"),
      AbortController: native("new AbortController(), addEventListener, abort()"),
    },
  });
}

function limiting(scale: Scale): Scenario {
  return table<typeof Limiting>(scale, {
    name: "limiting",
    title: "Short asynchronous jobs, eight at a time",
    ways: {
      "AsyncSemaphore, await": skein("await semaphore.waitAsync(); try … finally release()"),
      "AsyncSemaphore, generator method": skein("yield* semaphore.waitAsync(); try … finally release()"),
      "p-limit": peer("p-limit", "limit(job)"),
    },
  });
}

function waiting(scale: Scale): Scenario {
  const metrics: readonly Metric[] = [
    { key: "ns", title: "time", unit: "ns", better: "lower" },
    { key: "retained", title: "left behind", unit: "bytes", better: "lower" },
  ];
  return table<typeof Waiting>(scale, {
    name: "waiting",
    title: `Wait for a task or a long-lived token, the task first; ${WAITS} times with one token`,
    metrics,
    ways: {
      waitAsync: skein("task.waitAsync({ signal: token })"),
      whenAny: reference("Task.whenAny of the task and one that the token completes"),
      continuation: reference("a TaskCompletionSource, and a continuation that unregisters"),
      "Promise.race": native("Promise.race with a promise that the signal's listener rejects"),
    },
  });
}

function bursts(scale: Scale): Scenario {
  const results = scale.pick(RESULTS, RESULTS / 5);
  return table<typeof Bursts>(scale, {
    name: "burst-of-results",
    title: `${results} results in one turn of the event loop, each awaited and followed by ${WORK_US} us of work`,
    metrics: [
      { key: "longestStallMs", title: "longest stall", unit: "ms", better: "lower" },
      { key: "totalMs", title: "in all", unit: "ms", better: "lower" },
      { key: "turns", title: "turns of the event loop", unit: "count", better: "neither" },
    ],
    ways: {
      asynchronous: skein('continuations: "asynchronous"'),
      inline: skein('continuations: "inline"'),
      yield: skein('continuations: "yield"'),
      EventLoopScheduler: skein("continuations: new EventLoopScheduler({ budgetMs: 16 })"),
      promises: native("Promise.withResolvers()"),
    },
  });
}
