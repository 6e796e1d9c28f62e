import { describe, expect, it } from "vitest";
import { AsyncLocal } from "@skein/context";
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
});
