import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { untyped } from "./untyped.ts";
import { collect } from "./collect.ts";
import {
  AsyncLocal,
  ContextEncodeError,
  ExecutionContext,
  InvalidCarrierError,
  SkeinError,
} from "@skein/context";
import type { ContextCodec } from "@skein/context";

let names = 0;
const freshName = (): string => `carrier.test/${names++}`;
const capture = (): ExecutionContext => ExecutionContext.capture()!;

describe("toCarrier", () => {
  it("is null when nothing flows that far", () => {
    const here = new AsyncLocal<number>({ name: "stays here" });
    const near = new AsyncLocal<number>({ name: freshName(), flow: "thread" });
    expect(capture().toCarrier()).toBeNull();
    here.run(1, () => expect(capture().toCarrier()).toBeNull());
    near.run(1, () => {
      expect(capture().toCarrier("thread")).not.toBeNull();
      expect(capture().toCarrier("wire")).toBeNull();
    });
  });

  it("takes 'thread' and 'wire' locals into threads, and only 'wire' ones onto the wire", () => {
    const near = new AsyncLocal<number>({ name: freshName(), flow: "thread" });
    const far = new AsyncLocal<number>({ name: freshName(), flow: "wire" });
    const context = near.run(1, () => far.run(2, capture));
    const read = (): unknown => [near.value, far.value];
    expect(ExecutionContext.run(ExecutionContext.fromCarrier(context.toCarrier()), read)).toEqual([1, 2]);
    expect(ExecutionContext.run(ExecutionContext.fromCarrier(context.toCarrier("wire")), read)).toEqual([
      undefined,
      2,
    ]);
  });

  /** A codec that counts what it encodes. */
  function counting(): ContextCodec<string> & { readonly encoded: string[] } {
    const encoded: string[] = [];
    return { encoded, encode: (value) => (encoded.push(value), value), decode: String };
  }

  it("encodes a value once, whatever the reach", () => {
    const codec = counting();
    const local = new AsyncLocal<string>({ name: freshName(), flow: "wire", codec });
    local.run("x", () => {
      const context = capture();
      for (let n = 0; n < 3; n++) expect(capture().toCarrier()).toBe(context.toCarrier());
      expect(context.toCarrier("wire")).toBe(context.toCarrier());
      expect(codec.encoded).toEqual(["x"]);
    });
  });

  it("encodes only what changed since another context that holds the same values", () => {
    const codec = counting();
    const [first, second] = [1, 2].map(
      () => new AsyncLocal<string>({ name: freshName(), flow: "thread", codec }),
    );
    const plain = new AsyncLocal<number>();
    first!.run("a", () => {
      const before = second!.run("b", () => capture());
      before.toCarrier();
      // Derived from one in which it was not encoded yet, and from one in which it was.
      plain.run(1, () => second!.run("c", () => capture().toCarrier()));
      ExecutionContext.run(before, () => second!.run("d", () => capture().toCarrier()));
      ExecutionContext.run(before, () => plain.run(2, () => capture().toCarrier()));
      first!.run("a2", () => first!.run("a", () => capture().toCarrier()));
    });
    expect(codec.encoded).toEqual(["a", "b", "c", "d", "a"]);
  });

  it("keeps no text that is too large to travel, and no text longer than a context holds its value", async () => {
    const texts: WeakRef<object>[] = [];
    const local = new AsyncLocal<object>({
      name: freshName(),
      flow: "thread",
      codec: { encode: (value) => JSON.stringify(value), decode: (text) => JSON.parse(text) as object },
    });
    (() => {
      const value = { text: "x".repeat(1000) };
      texts.push(new WeakRef(value));
      local.run(value, () => capture().toCarrier());
    })();
    await collect(...texts);
    const tooLarge = counting();
    const large = new AsyncLocal<string>({ name: freshName(), flow: "thread", codec: tooLarge });
    large.run("x".repeat(20_000), () => {
      for (let n = 0; n < 2; n++) expect(() => capture().toCarrier()).toThrow(SkeinError);
    });
    expect(tooLarge.encoded).toHaveLength(2);
  });

  describe("a codec", () => {
    it("keeps what it sets to itself, whether it throws or not, on the way out and on the way in", () => {
      const other = new AsyncLocal<string>();
      const codec: ContextCodec<string> = {
        encode(value) {
          other.value = "set by encode";
          if (value === "bad") throw new Error("no");
          return value;
        },
        decode(text) {
          other.value = "set by decode";
          if (text === "bad") throw new Error("no");
          return text;
        },
      };
      const local = new AsyncLocal<string>({ name: freshName(), flow: "thread", codec });
      const attempt = (fn: () => unknown): unknown => {
        try {
          return fn();
        } catch (error) {
          return error;
        }
      };
      const seen = (value: string): unknown[] => {
        const carrier = `1t${local.name!.length}:${local.name}${value.length}:${value}`;
        const context = ExecutionContext.fromCarrier(carrier);
        const sent = local.run(value, () => [attempt(() => capture().toCarrier()), other.value]);
        const received = ExecutionContext.run(context, () => [attempt(() => local.value), other.value]);
        return [...sent, ...received];
      };
      expect(seen("good")).toEqual([expect.any(String), undefined, "good", undefined]);
      expect(seen("bad")).toEqual([
        expect.any(ContextEncodeError),
        undefined,
        expect.any(InvalidCarrierError),
        undefined,
      ]);
    });

    it("may ask for the text of the same context: each gets a whole one", () => {
      const inner: unknown[] = [];
      const codec: ContextCodec<string> = {
        encode(value) {
          if (inner.length === 0) {
            inner.push(undefined);
            inner.push(capture().toCarrier());
          }
          return value;
        },
        decode: String,
      };
      const second = new AsyncLocal<string>({ name: freshName(), flow: "thread" });
      const local = new AsyncLocal<string>({ name: freshName(), flow: "thread", codec });
      local.run("x", () =>
        second.run("y", () => {
          expect(capture().toCarrier()).toBe(inner[1]);
          expect(inner[1]).toMatch(/x.*1:y$/);
        }),
      );
    });

    it("that asks for its own text without end fails with one error", () => {
      const codec: ContextCodec<string> = { encode: () => capture().toCarrier()!, decode: String };
      const local = new AsyncLocal<string>({ name: freshName(), flow: "thread", codec });
      local.run("x", () => {
        expect(() => capture().toCarrier()).toThrow(
          expect.objectContaining({
            code: "ERR_SKEIN_CONTEXT_ENCODE",
            localName: local.name,
            cause: expect.any(RangeError) as unknown,
          }),
        );
        expect(local.value).toBe("x");
      });
    });

    it("may throw anything", () => {
      const nothing: unknown = Object.create(null);
      const codec: ContextCodec<string> = {
        encode() {
          // oxlint-disable-next-line typescript/only-throw-error -- users may.
          throw nothing;
        },
        decode: String,
      };
      const local = new AsyncLocal<string>({ name: freshName(), flow: "thread", codec });
      local.run("x", () => {
        expect(() => capture().toCarrier()).toThrow(
          expect.objectContaining({ code: "ERR_SKEIN_CONTEXT_ENCODE", cause: nothing }),
        );
      });
    });
  });

  it("does not carry defaults, nor cleared values", () => {
    const local = new AsyncLocal<number>({
      name: freshName(),
      flow: "thread",
      defaultValue: 5,
      onValueChanged() {},
    });
    ExecutionContext.isolate(() => {
      expect(capture().toCarrier()).toBeNull();
      local.value = 1;
      local.value = undefined;
      expect(capture().toCarrier()).toBeNull();
    });
  });

  it("names the largest local when the context is too large, and stays usable", () => {
    const small = new AsyncLocal<string>({ name: freshName(), flow: "thread" });
    const large = new AsyncLocal<string>({ name: freshName(), flow: "thread" });
    small.run("x".repeat(6_000), () =>
      large.run("x".repeat(12_000), () => {
        for (let n = 0; n < 2; n++) {
          expect(() => capture().toCarrier()).toThrow(
            expect.objectContaining({
              name: "ContextTooLargeError",
              code: "ERR_SKEIN_CONTEXT_TOO_LARGE",
              localName: large.name,
            }),
          );
        }
        expect(capture().toCarrier("wire")).toBeNull();
      }),
    );
  });

  it.each([0, -0, 1.5, Number.MAX_VALUE])("keeps the number %d", (number) => {
    const local = new AsyncLocal<number>({ name: freshName(), flow: "thread" });
    const carrier = local.run(number, () => capture().toCarrier());
    expect(ExecutionContext.run(ExecutionContext.fromCarrier(carrier), () => local.value)).toBe(number);
  });

  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  it.each([
    ["a function", () => undefined],
    ["a symbol", Symbol("s")],
    ["a bigint", 1n],
    ["NaN", Number.NaN],
    ["an infinity", -Infinity],
    ["a cycle", cyclic],
  ])("refuses %s at the door, naming the local", (_, value) => {
    const local = new AsyncLocal<unknown>({ name: freshName(), flow: "thread" });
    local.run(value, () =>
      expect(() => capture().toCarrier()).toThrow(
        expect.objectContaining({
          name: "ContextEncodeError",
          code: "ERR_SKEIN_CONTEXT_ENCODE",
          localName: local.name,
          cause: expect.any(TypeError),
        }),
      ),
    );
  });

  it("refuses a codec that throws or gives no string", () => {
    const failure = new Error("no");
    const throwing = new AsyncLocal<number>({
      name: freshName(),
      flow: "thread",
      codec: {
        encode() {
          throw failure;
        },
        decode: Number,
      },
    });
    const wrong = new AsyncLocal<number>({
      name: freshName(),
      flow: "thread",
      codec: { encode: (value) => untyped(value), decode: Number },
    });
    throwing.run(1, () =>
      expect(() => capture().toCarrier()).toThrow(
        expect.objectContaining({ code: "ERR_SKEIN_CONTEXT_ENCODE", cause: failure }),
      ),
    );
    wrong.run(1, () =>
      expect(() => capture().toCarrier()).toThrow(
        expect.objectContaining({ code: "ERR_SKEIN_CONTEXT_ENCODE", localName: wrong.name }),
      ),
    );
  });

  it("refuses a codec's text with lone surrogates, which UTF-8 would change, and takes every other", () => {
    const codec: ContextCodec<string> = { encode: String, decode: String };
    const local = new AsyncLocal<string>({ name: freshName(), flow: "thread", codec });
    for (const text of ["\ud800", "a\udc00", "\udc00\ud800"])
      local.run(text, () =>
        expect(() => capture().toCarrier()).toThrow(
          expect.objectContaining({
            code: "ERR_SKEIN_CONTEXT_ENCODE",
            localName: local.name,
            message: expect.stringContaining("lone surrogates") as unknown,
          }),
        ),
      );
    local.run("\u{1f600}", () => expect(capture().toCarrier()).toMatch(/\u{1f600}$/u));
  });

  it("refuses an unknown reach", () => {
    expect(() => capture().toCarrier(untyped("moon"))).toThrow(
      expect.objectContaining({ code: "ERR_SKEIN_INVALID_ARG_TYPE" }),
    );
  });
});

describe("fromCarrier", () => {
  it("gives the default context for null", () => {
    expect(ExecutionContext.fromCarrier(null)).toBe(capture());
  });

  it("passes on an untouched carrier as the same string", () => {
    const local = new AsyncLocal<number>({ name: freshName(), flow: "thread" });
    const carrier = local.run(1, () => capture().toCarrier());
    expect(ExecutionContext.fromCarrier(carrier).toCarrier()).toBe(carrier);
  });

  it("decodes a value once, at its first read", () => {
    let decoded = 0;
    const codec: ContextCodec<object> = {
      encode: JSON.stringify,
      decode(text) {
        decoded++;
        const value: object = JSON.parse(text);
        return value;
      },
    };
    const local = new AsyncLocal<object>({ name: freshName(), flow: "thread", codec });
    const carrier = local.run({ a: 1 }, () => capture().toCarrier());
    const context = ExecutionContext.fromCarrier(carrier);
    ExecutionContext.run(context, () => expect(decoded).toBe(0));
    const first = ExecutionContext.run(context, () => local.value);
    expect(first).toEqual({ a: 1 });
    expect(ExecutionContext.run(context, () => local.value)).toBe(first);
    expect(decoded).toBe(1);
  });

  it("finds the value for a local that is defined afterwards", () => {
    const name = freshName();
    const context = ExecutionContext.fromCarrier(`1t${name.length}:${name}2:42`);
    ExecutionContext.run(context, () => {
      const local = new AsyncLocal<number>({ name, flow: "thread", defaultValue: 0 });
      expect(local.value).toBe(42);
    });
  });

  it("does not give it to a local that does not flow", () => {
    const name = freshName();
    const context = ExecutionContext.fromCarrier(`1t${name.length}:${name}2:42`);
    const local = new AsyncLocal<number>({ name });
    ExecutionContext.run(context, () => expect(local.value).toBeUndefined());
  });

  it("keeps names that this thread does not know, at the reach they came with", () => {
    const local = new AsyncLocal<number>({ name: freshName(), flow: "wire" });
    const context = ExecutionContext.fromCarrier('1t4:near3:"n"w3:far3:"f"');
    ExecutionContext.run(context, () => {
      local.value = 1;
      const added = `w${local.name!.length}:${local.name}1:1`;
      expect(capture().toCarrier("thread")).toBe(`1t4:near3:"n"w3:far3:"f"${added}`);
      expect(capture().toCarrier("wire")).toBe(`1w3:far3:"f"${added}`);
    });
  });

  it("a set replaces what came, a clear removes it, and neither changes the context that came", () => {
    const local = new AsyncLocal<number>({ name: freshName(), flow: "thread", defaultValue: -1 });
    const carrier = local.run(1, () => capture().toCarrier());
    const context = ExecutionContext.fromCarrier(carrier);
    ExecutionContext.run(context, () => {
      local.value = 2;
      expect(local.value).toBe(2);
      expect(capture().toCarrier()).toBe(carrier!.replace(/1$/, "2"));
      local.value = undefined;
      expect(local.value).toBe(-1);
      expect(capture().toCarrier()).toBeNull();
    });
    ExecutionContext.run(context, () => {
      local.value = undefined;
      expect(local.value).toBe(-1);
    });
    expect(ExecutionContext.run(context, () => local.value)).toBe(1);
  });

  it("a value that its codec refuses is an InvalidCarrierError at the read, and a set mends it", () => {
    const local = new AsyncLocal<number>({ name: freshName(), flow: "thread" });
    const context = ExecutionContext.fromCarrier(`1t${local.name!.length}:${local.name}5:{oops`);
    ExecutionContext.run(context, () => {
      expect(() => local.value).toThrow(
        expect.objectContaining({ code: "ERR_SKEIN_INVALID_CARRIER", cause: expect.any(SyntaxError) }),
      );
      local.value = 3;
      expect(local.value).toBe(3);
    });
  });

  it.each([undefined, 5, {}, []])("refuses %o as an argument", (wrong) => {
    expect(() => ExecutionContext.fromCarrier(untyped(wrong))).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_SKEIN_INVALID_ARG_TYPE" }),
    );
  });

  it("refuses a text that is no carrier", () => {
    expect(() => ExecutionContext.fromCarrier('{"a":1}')).toThrow(
      expect.objectContaining({ name: "InvalidCarrierError", code: "ERR_SKEIN_INVALID_CARRIER" }),
    );
  });

  it("is not confused by names and values that reach for prototypes", () => {
    const locals = ["__proto__", "constructor", "hasOwnProperty"].map(
      (name) => new AsyncLocal<object>({ name, flow: "wire" }),
    );
    const evil: object = JSON.parse('{"__proto__":{"polluted":true}}');
    const carrier = ExecutionContext.isolate(() => {
      for (const local of locals) local.value = evil;
      return capture().toCarrier("wire");
    });
    ExecutionContext.run(ExecutionContext.fromCarrier(carrier), () => {
      for (const local of locals) expect(Object.keys(local.value ?? {})).toEqual(["__proto__"]);
    });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("gives back every string, over UTF-8 as well, and quotes only those with lone surrogates", () => {
    const local = new AsyncLocal<string>({ name: freshName(), flow: "thread" });
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const carrier = local.run(value, () => capture().toCarrier())!;
        expect(carrier.endsWith(`:${value}`)).toBe(value.isWellFormed());
        const sent = Buffer.from(carrier).toString();
        expect(ExecutionContext.run(ExecutionContext.fromCarrier(sent), () => local.value)).toBe(value);
      }),
    );
  });

  it("a string that came as it is reaches a codec as JSON", () => {
    const name = freshName();
    const context = ExecutionContext.fromCarrier(`1T${name.length}:${name}3:a"b`);
    const local = new AsyncLocal<string>({
      name,
      flow: "thread",
      codec: { encode: String, decode: (text) => text },
    });
    ExecutionContext.run(context, () => expect(local.value).toBe(JSON.stringify('a"b')));
  });

  it("gives back every JSON value", () => {
    const local = new AsyncLocal<unknown>({ name: freshName(), flow: "wire" });
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const carrier = local.run(value, () => capture().toCarrier("wire"));
        const read = ExecutionContext.run(ExecutionContext.fromCarrier(carrier), () => local.value);
        expect(JSON.stringify(read)).toBe(JSON.stringify(value));
      }),
    );
  });
});
