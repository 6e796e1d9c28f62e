import { MessageChannel } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { MessageIntake } from "../../src/messages/message-intake.ts";
import type { WorkerMessage } from "../../src/messages/protocol.ts";

const bell: WorkerMessage = { type: "bell" };
const carried: WorkerMessage = { type: "carried", to: 0, id: 1, values: [], transfer: [] };

function open(): {
  intake: MessageIntake<WorkerMessage>;
  post: (m: WorkerMessage) => void;
  heard: string[];
  receive: (m: WorkerMessage) => void;
  close: () => void;
} {
  const { port1, port2 } = new MessageChannel();
  const heard: string[] = [];
  const intake = new MessageIntake<WorkerMessage>(
    port1,
    ({ type }) => heard.push(type),
    () => {},
  );
  return {
    intake,
    heard,
    post: (message) => port2.postMessage(message),
    receive: (message) => port1.emit("message", message),
    close: () => port1.close(),
  };
}

describe("MessageIntake", () => {
  it("knowledge is taken in at once, the rest by the event loop", async () => {
    const { intake, post, heard, close } = open();
    post(bell);
    post(carried);
    intake.takeKnowledge();
    expect(heard).toEqual(["carried"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual(["carried", "bell"]);
    close();
  });

  it("a bell that was put off does not ring before the message that the event loop has just received is known", () => {
    const { intake, post, heard, receive, close } = open();
    post(bell);
    intake.takeKnowledge();
    expect(heard).toEqual([]);
    // The bell settles jobs, and one of their results may carry what this message brings.
    receive(carried);
    expect(heard).toEqual(["carried", "bell"]);
    close();
  });

  it("what makes something happen stays in its order", () => {
    const { intake, post, heard, receive, close } = open();
    post({ type: "ready", failure: null });
    intake.takeKnowledge();
    receive(bell);
    expect(heard).toEqual(["ready", "bell"]);
    close();
  });
});
