/** A publisher whose confirmation comes by an event, awaited without an object per message. */
import { ManualResetValueTaskSource, Task, TaskCompletionSource } from "@skein/scheduling";
import type { ValueTask } from "@skein/scheduling";
import { formatCount } from "../../wording.ts";
import { bytesChart, bytesEach } from "../allocation.ts";
import type { Scene } from "../scene.ts";

/** Its broker confirms one message after the other; `confirm` stands for the event. */
// tour: begin
class Publisher extends ManualResetValueTaskSource<number> {
  publish(): ValueTask<number> {
    return this.valueTask(); // the same two objects in turn, whatever is published
  }
  confirm(id: number): void {
    this.setResult(id); // whoever awaits goes on right here
  }
  override getResult(token: number): number {
    const id = super.getResult(token);
    this.reset(); // ready for the next message
    return id;
  }
}
// tour: end

const publisher = new Publisher();
let simple: TaskCompletionSource<number> | undefined;

const publishPooled: (times: number) => Task<number> = Task.async(function* (times: number) {
  let sum = 0;
  // tour: begin
  for (let i = 0; i < times; i++) sum += yield* publisher.publish();
  // tour: end
  return sum;
});

const publishSimply: (times: number) => Task<number> = Task.async(function* (times: number) {
  let sum = 0;
  for (let i = 0; i < times; i++) {
    simple = new TaskCompletionSource<number>({ continuations: "inline" });
    sum += yield* simple.task;
  }
  return sum;
});

function pooled(times: number): Task<number> {
  const sum = publishPooled(times);
  for (let i = 0; i < times; i++) publisher.confirm(1);
  return sum;
}

function simply(times: number): Task<number> {
  const sum = publishSimply(times);
  for (let i = 0; i < times; i++) simple!.setResult(1);
  return sum;
}

export const pooledPublisher: Scene = {
  title: "A pooled publisher: no task per message",
  about:
    "An event says that a message was taken. With a TaskCompletionSource per message each costs a task; here the publisher itself is what is awaited, again and again.",
  code: [import.meta.url],
  async run(stage) {
    const bytes: Record<string, number> = {};
    const draw = (): void => stage.draw(bytesChart(bytes, stage.width, (bar) => stage.style("yellow", bar)));
    bytes["a task each"] = await bytesEach(simply);
    draw();
    await stage.pause(500);
    bytes["pooled"] = await bytesEach(pooled);
    draw();
    const messages = stage.fast ? 1000 : 100_000;
    const before = publisher.version;
    const sum = await pooled(messages);
    stage.check(
      `${formatCount(messages)} messages were confirmed, each once`,
      sum === messages && publisher.version - before === messages,
    );
    stage.check(
      "a pooled message allocates less than a quarter of one with a task of its own",
      bytes["pooled"] < bytes["a task each"] / 4,
    );
  },
};
