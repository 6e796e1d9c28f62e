import { AsyncLocalStorage } from "node:async_hooks";
import { MessageChannel, type MessagePort } from "node:worker_threads";
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

  it("a port that comes belongs to nobody's request, whoever takes it in", async () => {
    const storage = new AsyncLocalStorage<string>();
    const [control, lane] = [new MessageChannel(), new MessageChannel()];
    const ports: MessagePort[] = [];
    const intake = new MessageIntake<WorkerMessage>(
      control.port1,
      (message) => {
        if (message.type === "lane") ports.push(message.port);
      },
      () => {},
    );
    control.port2.postMessage({ type: "lane", port: lane.port2 } satisfies WorkerMessage, [lane.port2]);
    storage.run("a request", () => intake.takeKnowledge());
    // Its listeners run in the context that it keeps.
    const kept = new Promise((resolve) => {
      ports[0]!.on("message", () => resolve(storage.getStore()));
    });
    lane.port1.postMessage(null);
    expect(await kept).toBe(undefined);
    lane.port1.close();
    control.port1.close();
  });
});
