import { on, once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";

let worker: Worker;
let messages: AsyncIterator<unknown[]>;
afterEach(() => worker.terminate());

function make(): Worker {
  worker = new Worker(new URL("../fixtures/takes-thread-data.ts", import.meta.url), {
    execArgv: ["--conditions=@skein/source"],
  });
  messages = on(worker, "message");
  return worker;
}

async function message(): Promise<unknown> {
  const { value } = (await messages.next()) as { value: unknown[] };
  return value[0];
}

const data = { type: "skein:thread", index: 3 };

describe("takeThreadData", () => {
  it("finds it behind what others have posted", async () => {
    make().postMessage("early");
    worker.postMessage(null);
    worker.postMessage(data);
    expect(await message()).toBe("begun");
    expect(await message()).toBe(3);
  });

  it("waits for it, and lets the thread end afterwards", async () => {
    make();
    expect(await message()).toBe("begun");
    const ended = once(worker, "exit");
    worker.postMessage("early");
    worker.postMessage(data);
    expect(await message()).toBe(3);
    expect(await ended).toEqual([0]);
  });
});
