import { EventEmitter, getEventListeners } from "node:events";
import { AsyncLocal } from "@skein/context";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AsyncSemaphore,
  BlockingCollection,
  CancellationToken,
  CancellationTokenRegistration,
  CancellationTokenSource,
  MessageLoop,
  OperationCanceledError,
  SynchronizationContext,
  Task,
  TaskCompletionSource,
} from "../../src/index.ts";
import { untyped } from "../untyped.ts";

const failure = new Error("failure");

describe("tokens that need no source", () => {
  it("A11.1 none cannot be cancelled; registering with it gives an empty registration", () => {
    const { none } = CancellationToken;
    expect([none.canBeCanceled, none.isCancellationRequested]).toEqual([false, false]);
    let calls = 0;
    const registration = none.register(() => calls++);
    expect(registration.unregister()).toBe(false);
    expect(registration).toBe(none.unsafeRegister(() => calls++));
    none.throwIfCancellationRequested();
    expect(calls).toBe(0);
  });

  it("A11.1 canceled is cancelled from the beginning", () => {
    const { canceled } = CancellationToken;
    expect([canceled.canBeCanceled, canceled.isCancellationRequested]).toEqual([true, true]);
  });

  it("A11.1 one source has one token, two sources have two", () => {
    const source = new CancellationTokenSource();
    expect(source.token).toBe(source.token);
    expect(source.token).not.toBe(new CancellationTokenSource().token);
  });

  it("A11.15 throwIfCancellationRequested throws an error with token and reason, an Error also as cause", () => {
    const source = new CancellationTokenSource();
    source.token.throwIfCancellationRequested();
    source.cancel(failure);
    let thrown: unknown;
    try {
      source.token.throwIfCancellationRequested();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(OperationCanceledError);
    expect(thrown).toMatchObject({
      token: source.token,
      reason: failure,
      cause: failure,
      name: "AbortError",
    });
  });
});

describe("cancelling", () => {
  it("A11.2 the state changes before the first callback; the second and the re-entrant call do nothing", () => {
    const source = new CancellationTokenSource();
    const seen: unknown[] = [];
    source.token.register(() => {
      seen.push(source.isCancellationRequested, source.token.isCancellationRequested);
      source.cancel("again");
      seen.push(source.token.reason);
    });
    source.cancel("first");
    source.cancel("third");
    expect(seen).toEqual([true, true, "first"]);
  });

  it("A11.3 callbacks run newest first, and one can take off another that has not run", () => {
    const source = new CancellationTokenSource();
    const order: number[] = [];
    source.token.register(() => order.push(1));
    const second = source.token.register(() => order.push(2));
    source.token.register(() => {
      order.push(3);
      expect(second.unregister()).toBe(true);
    });
    source.cancel();
    expect(order).toEqual([3, 1]);
    expect(second.unregister()).toBe(false);
  });

  it("A11.4 errors are collected in the order of the calls, after all have run", () => {
    const source = new CancellationTokenSource();
    const errors = [new Error("1"), new Error("2")];
    let calls = 0;
    for (const error of errors)
      source.token.register(() => {
        throw error;
      });
    source.token.register(() => calls++);
    let thrown: unknown;
    try {
      source.cancel();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(AggregateError);
    expect((thrown as AggregateError).errors).toEqual(errors.toReversed());
    expect(calls).toBe(1);
  });

  it("0.8 A11.4 throwOnFirstError throws the first as it is, and the rest never run", () => {
    const source = new CancellationTokenSource();
    let calls = 0;
    const rest = source.token.register(() => calls++);
    source.token.register(() => {
      throw failure;
    });
    expect(() => source.cancel(undefined, { throwOnFirstError: true })).toThrow(failure);
    source.cancel();
    expect([calls, rest.unregister()]).toEqual([0, false]);
  });

  it("A11.5 registering after it runs the callback now, throws what it throws, and gives an empty registration", () => {
    const source = new CancellationTokenSource();
    source.cancel();
    const states: string[] = [];
    const registration = source.token.register((state: string) => states.push(state), "now");
    expect(states).toEqual(["now"]);
    expect(registration.unregister()).toBe(false);
    expect(registration).toBe(source.token.unsafeRegister(() => {}));
    expect(() =>
      source.token.register(() => {
        throw failure;
      }),
    ).toThrow(failure);
  });

  it("A11.6 register runs in the context of the registration, unsafeRegister in the canceller's", () => {
    const local = new AsyncLocal<string>();
    const source = new CancellationTokenSource();
    const seen: (string | undefined)[] = [];
    local.run("registrant", () => {
      source.token.register(() => seen.push(local.value));
      source.token.unsafeRegister(() => seen.push(local.value));
    });
    local.run("canceller", () => {
      source.cancel();
      expect(local.value).toBe("canceller");
    });
    expect(seen).toEqual(["canceller", "registrant"]);
  });

  it("A2.2 A11.6 what a callback makes the current SynchronizationContext ends with it, also when it throws", () => {
    const source = new CancellationTokenSource();
    const loop = new MessageLoop();
    source.token.register(() => SynchronizationContext.setCurrent(new MessageLoop()));
    source.token.register(() => {
      SynchronizationContext.setCurrent(null);
      throw failure;
    });
    SynchronizationContext.run(loop, () => {
      expect(() => source.cancel()).toThrow(AggregateError);
      expect(SynchronizationContext.current).toBe(loop);
    });
  });

  it("A11.6 the context that a callback is sent to is current for it, and for it alone", () => {
    const source = new CancellationTokenSource();
    const loop = new MessageLoop();
    const seen: unknown[] = [];
    SynchronizationContext.run(loop, () => {
      const see = (): void => {
        seen.push(SynchronizationContext.current);
        SynchronizationContext.setCurrent(new MessageLoop());
      };
      source.token.register(see, undefined, { useSynchronizationContext: true });
      source.token.register(see);
    });
    source.cancel();
    expect([...seen, SynchronizationContext.current]).toEqual([null, loop, null]);
  });

  it("A11.6 useSynchronizationContext sends to the context of the registration; its errors are collected too", () => {
    const sent: unknown[] = [];
    class Sends extends SynchronizationContext {
      override send<S>(callback: (state: S) => void, state: S): void {
        sent.push("sent");
        callback(state);
      }
    }
    const source = new CancellationTokenSource();
    SynchronizationContext.run(new Sends(), () => {
      source.token.register(
        () => {
          throw failure;
        },
        undefined,
        { useSynchronizationContext: true },
      );
      source.token.register(() => sent.push("direct"));
    });
    expect(() => source.cancel()).toThrow(AggregateError);
    expect(sent).toEqual(["direct", "sent"]);
  });

  it("A11.9 the same function registered twice runs twice; taking off one takes off one", () => {
    const source = new CancellationTokenSource();
    let calls = 0;
    const count = (): void => void calls++;
    source.token.register(count);
    source.token.register(count).unregister();
    source.token.register(count);
    source.cancel();
    expect(calls).toBe(2);
  });
});

describe("registrations", () => {
  it("are instances of their class, whichever way they were made", () => {
    const { token } = new CancellationTokenSource();
    const registrations = [
      token.register(() => {}),
      token.unsafeRegister(() => {}),
      SynchronizationContext.run(new MessageLoop(), () =>
        token.register(() => {}, undefined, { useSynchronizationContext: true }),
      ),
      CancellationToken.none.register(() => {}),
    ];
    for (const registration of registrations) {
      expect(registration).toBeInstanceOf(CancellationTokenRegistration);
      expect(registration.token).toBe(registration === registrations.at(-1) ? CancellationToken.none : token);
    }
  });

  it("A11.7 unregister is true once, false after the callback ran; disposal does the same", async () => {
    const source = new CancellationTokenSource();
    let calls = 0;
    const first = source.token.register(() => calls++);
    expect([first.unregister(), first.unregister()]).toEqual([true, false]);
    {
      using registration = source.token.register(() => calls++);
      expect(registration.token).toBe(source.token);
      await using other = source.token.register(() => calls++);
      expect(other.token).toBe(source.token);
    }
    const ran = source.token.register(() => {
      calls += 10;
      expect(ran.unregister()).toBe(false);
    });
    source.cancel();
    expect([calls, ran.unregister()]).toEqual([10, false]);
  });

  it("A11.16 deviation: an old registration never removes somebody else's callback", () => {
    const source = new CancellationTokenSource();
    let calls = 0;
    const old = source.token.unsafeRegister(() => {});
    old.unregister();
    source.token.unsafeRegister(() => calls++);
    old.unregister();
    source.cancel();
    expect(calls).toBe(1);
  });

  it("A11.8 exactly one of: unregister was true, the callback ran", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { maxLength: 40 }), fc.nat(40), (moves, cancelAt) => {
        const source = new CancellationTokenSource();
        const ran: boolean[] = [];
        const removed: boolean[] = [];
        const registrations = moves.map((_, index) =>
          source.token.register(() => {
            ran[index] = true;
            // Some take others off from inside.
            const other = registrations[moves[index] === 1 ? index - 1 : index];
            if (other?.unregister() === true) removed[index - 1] = true;
          }),
        );
        moves.forEach((move, index) => {
          if (index === cancelAt) source.cancel();
          if (move === 2 && registrations[index]?.unregister() === true) removed[index] = true;
        });
        source.cancel();
        moves.forEach((_, index) => expect(ran[index] === true).toBe(removed[index] !== true));
      }),
    );
  });

  it.each([
    ["register(null)", (token: CancellationToken) => token.register(untyped(null))],
    ["unsafeRegister(1)", (token: CancellationToken) => token.unsafeRegister(untyped(1))],
    [
      "a context that is no boolean",
      (token: CancellationToken) =>
        token.register(() => {}, undefined, untyped({ useSynchronizationContext: 1 })),
    ],
  ])("refuses %s", (_, call) => {
    expect(() => call(new CancellationTokenSource().token)).toThrow(TypeError);
  });
});

describe("another listener of the signal that stops the event", () => {
  it("holds up no wait, registration or linked source", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    signal.addEventListener("abort", (event) => event.stopImmediatePropagation());
    const source = new TaskCompletionSource<void>();
    const waits = [
      Task.delay(60_000, { signal }),
      source.task.waitAsync({ signal }),
      source.task.continueWith(() => {}, { signal }),
      new AsyncSemaphore(0).waitAsync({ signal }),
      new BlockingCollection().take({ signal }),
      Task.fromEvent(new EventEmitter(), "ready", { signal }),
    ];
    const linked = CancellationTokenSource.linked(signal);
    let calls = 0;
    CancellationToken.from(signal).register(() => calls++);
    controller.abort(failure);
    expect(waits.map(({ status }) => status)).toEqual(waits.map(() => "canceled"));
    for (const wait of waits) expect(wait.error).toBe(failure);
    expect([linked.isCancellationRequested, calls]).toEqual([true, 1]);
    // That of the test.
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
  });
});
