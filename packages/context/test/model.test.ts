import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AsyncLocal, AsyncScope, ExecutionContext } from "@skein/context";

/**
 * The model: values are a plain Map, current is a variable. A program is a random tree of commands; both sides run it
 * and agree on every value after every command.
 */
interface Model {
  values: Map<number, string>;
  suppressed: boolean;
}

interface World {
  readonly locals: readonly AsyncLocal<string>[];
  readonly model: { current: Model };
  readonly contexts: [ExecutionContext, ReadonlyMap<number, string>][];
  readonly scopes: [AsyncScope, ReadonlyMap<number, string>][];
}

type Command = (world: World) => void;

const localCount = 6;

function check({ locals, model }: World): void {
  expect(locals.map((local) => local.value)).toEqual(
    locals.map((_, index) => model.current.values.get(index)),
  );
  expect(ExecutionContext.isFlowSuppressed()).toBe(model.current.suppressed);
}

const expectEqual = (actual: unknown, expected: unknown): void => expect(actual).toEqual(expected);

function errorOf(fn: () => void): unknown {
  try {
    fn();
    return undefined;
  } catch (error) {
    // A failed expectation is not what the program throws.
    if (error !== failure) throw error;
    return error;
  }
}

function runAll(commands: readonly Command[], world: World): void {
  for (const command of commands) {
    command(world);
    check(world);
  }
}

/** Runs in a model of its own, then puts the model back, as every boundary does. */
function within(world: World, model: Model, body: () => void): void {
  const outer = world.model.current;
  world.model.current = model;
  try {
    body();
  } finally {
    world.model.current = outer;
  }
}

const copy = ({ values, suppressed }: Model): Model => ({ values: new Map(values), suppressed });
const pick = <T>(list: readonly T[], at: number): T | undefined => list[at % Math.max(list.length, 1)];
const failure = new Error("unwind");

const { program } = fc.letrec<{ program: Command[]; command: Command }>((tie) => {
  const index = fc.nat(localCount - 1);
  const value = fc.option(fc.constantFrom("a", "b", "c"), { nil: undefined });
  const body = tie("program");

  const set = fc.tuple(index, value).map(([at, next]): Command => (world) => {
    world.locals[at]!.value = next;
    const { suppressed, values } = world.model.current;
    const changed = new Map(values);
    if (next === undefined) changed.delete(at);
    else changed.set(at, next);
    world.model.current = { values: changed, suppressed };
  });
  const suppress = fc.constant<Command>((world) => {
    ExecutionContext.suppressFlow();
    world.model.current = { ...world.model.current, suppressed: true };
  });
  const restoreFlow = fc.constant<Command>((world) => {
    if (!world.model.current.suppressed) return;
    ExecutionContext.restoreFlow();
    world.model.current = { ...world.model.current, suppressed: false };
  });
  const capture = fc.constant<Command>((world) => {
    const context = ExecutionContext.capture();
    expectEqual(context === null, world.model.current.suppressed);
    const { values } = copy(world.model.current);
    if (context !== null) world.contexts.push([context, values]);
    world.scopes.push([AsyncScope.capture(), context === null ? new Map() : values]);
  });
  const restore = fc.nat().map((at): Command => (world) => {
    const captured = pick(world.contexts, at);
    if (captured === undefined) return;
    ExecutionContext.restore(captured[0]);
    world.model.current = { values: new Map(captured[1]), suppressed: false };
  });
  const run = fc.tuple(fc.nat(), body).map(([at, commands]): Command => (world) => {
    const captured = pick(world.contexts, at);
    if (captured === undefined) return;
    const inner = { values: new Map(captured[1]), suppressed: false };
    within(world, inner, () => ExecutionContext.run(captured[0], runAll, commands, world));
  });
  const runScope = fc.tuple(fc.nat(), body).map(([at, commands]): Command => (world) => {
    const captured = pick(world.scopes, at);
    if (captured === undefined) return;
    const inner = { values: new Map(captured[1]), suppressed: false };
    within(world, inner, () => captured[0].run(runAll, commands, world));
  });
  const isolate = fc.tuple(fc.boolean(), body).map(([throws, commands]): Command => (world) => {
    within(world, copy(world.model.current), () => {
      const inside = (): void => {
        runAll(commands, world);
        if (throws) throw failure;
      };
      expectEqual(
        errorOf(() => ExecutionContext.isolate(inside)),
        throws ? failure : undefined,
      );
    });
  });
  const runLocal = fc
    .tuple(index, fc.constantFrom("x", "y"), body)
    .map(([at, next, commands]): Command => (world) => {
      const inner = copy(world.model.current);
      inner.values.set(at, next);
      within(world, inner, () => world.locals[at]!.run(next, runAll, commands, world));
    });
  const carry = fc.constant<Command>((world) => {
    const context = ExecutionContext.capture();
    if (context === null) return;
    const arrived = ExecutionContext.fromCarrier(context.toCarrier());
    world.contexts.push([arrived, copy(world.model.current).values]);
  });
  return {
    command: fc.oneof(
      { maxDepth: 3 },
      set,
      set,
      suppress,
      restoreFlow,
      capture,
      restore,
      carry,
      run,
      runScope,
      isolate,
      runLocal,
    ),
    program: fc.array(tie("command"), { maxLength: 12 }),
  };
});

describe.each([
  ["without handlers", undefined],
  ["with handlers", () => undefined],
])("context and model agree, %s", (kind, onValueChanged) => {
  const locals = Array.from(
    { length: localCount },
    (_, index) => new AsyncLocal<string>({ name: `model/${kind}/${index}`, flow: "thread", onValueChanged }),
  );

  it("A1.2 A1.4 A1.7 A2.2 A2.5 A2.7 A2.8 A2.9 A2.10 over random programs", () => {
    fc.assert(
      fc.property(program, (commands) => {
        const world: World = {
          locals,
          model: { current: { values: new Map(), suppressed: false } },
          contexts: [],
          scopes: [],
        };
        ExecutionContext.isolate(runAll, commands, world);
        expect(locals.every((local) => local.value === undefined)).toBe(true);
        for (const [context, values] of world.contexts) {
          const read = ExecutionContext.run(context, () => locals.map((local) => local.value));
          expect(read).toEqual(locals.map((_, index) => values.get(index)));
        }
      }),
      { numRuns: 300 },
    );
  });
});
