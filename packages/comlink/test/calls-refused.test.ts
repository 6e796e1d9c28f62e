/** How calls end whose other side is gone, or of no use. */
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { expect, it, onTestFinished } from "vitest";
import { Calls, type Outcome } from "../src/calls.ts";
import { doors } from "../src/doors.ts";
import { PortLink } from "../src/link.ts";

/** A call that the other side has answered, and nobody has read that yet. */
function answered(): { calls: Calls; outcome: Promise<Outcome> } {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port2.close());
  const calls = new Calls(new PortLink(port1, true, false), doors);
  const outcome = new Promise<Outcome>((settle) => {
    calls.call({ message: { id: "", type: "GET", path: ["size"] }, transfer: [], options: {}, settle });
  });
  const { id } = receiveMessageOnPort(port2)!.message as { id: string };
  port2.postMessage({ id, type: "RAW", value: 3 });
  return { calls, outcome };
}

it("of a side that is gone, what it has answered is heard", async () => {
  const { calls, outcome } = answered();
  calls.lose({});
  expect(await outcome).toMatchObject({ reply: { value: 3 } });
});

it("where the object could not be made, the answers of calls behind that are not", async () => {
  const { calls, outcome } = answered();
  const error = new RangeError("cannot be made");
  calls.refuse(() => error);
  expect(await outcome).toEqual({ error });
});
