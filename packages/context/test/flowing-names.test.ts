import { describe, expect, it } from "vitest";
import { AsyncLocal, ExecutionContext } from "@skein/context";
import { collect } from "./collect.ts";

const duplicate = expect.objectContaining({
  name: "DuplicateNameError",
  code: "ERR_SKEIN_DUPLICATE_NAME",
  localName: "taken",
});

describe("names of locals that flow", () => {
  it("two live locals cannot flow under one name, whatever their reach", () => {
    const first = new AsyncLocal({ name: "taken", flow: "thread" });
    expect(() => new AsyncLocal({ name: "taken", flow: "thread" })).toThrow(duplicate);
    expect(() => new AsyncLocal({ name: "taken", flow: "wire" })).toThrow(duplicate);
    expect(first.name).toBe("taken");
  });

  it("a local that does not flow may have any name", () => {
    const flowing = new AsyncLocal({ name: "shared", flow: "thread" });
    expect([new AsyncLocal({ name: "shared" }).name, flowing.name]).toEqual(["shared", "shared"]);
  });

  it("a name is free again once its local was collected", async () => {
    const dropped = (() => new WeakRef(new AsyncLocal({ name: "reused", flow: "thread" })))();
    await collect(dropped);
    expect(new AsyncLocal({ name: "reused", flow: "wire" }).flow).toBe("wire");
  });

  it("a local whose former one was collected, but not its values, has options of its own", async () => {
    const told: string[] = [];
    const make = (version: string): AsyncLocal<string> =>
      new AsyncLocal<string>({
        name: "reloaded",
        flow: "thread",
        defaultValue: `default ${version}`,
        codec: { encode: (value) => `${version} ${value}`, decode: (text) => text },
        onValueChanged: () => void told.push(version),
      });
    const [before, first] = (() => {
      const local = make("1");
      return [local.run("kept", () => ExecutionContext.capture()!), new WeakRef(local)] as const;
    })();
    await collect(first);
    told.length = 0;
    const local = make("2");
    expect(ExecutionContext.run(before, () => local.value)).toBe("kept");
    expect(local.value).toBe("default 2");
    expect(local.run("new", () => ExecutionContext.capture()!.toCarrier())).toContain("2 new");
    expect(new Set(told)).toEqual(new Set(["2"]));
  });
});
