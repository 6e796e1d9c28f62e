/** An object lives on one thread, keeps its state there, and is called through Comlink from many requests. */
import { spawn, withOptions } from "@skein/comlink";
import { ThreadCrashedError, ThreadPool } from "@skein/pool";
import type { Scene } from "../scene.ts";
import { requestId } from "./thread-object.store.ts";
import type * as Objects from "./thread-object.store.ts";

const REQUESTS = 12;

export const threadObject: Scene = {
  title: "An object on a thread, through Comlink",
  about:
    "A word count that is costly to build lives on one thread. Requests add to it and call it back; each call has the id of its request. When the thread dies, calls under way are told, and a new one is made.",
  code: [import.meta.url, new URL("thread-object.store.ts", import.meta.url).href],
  async run(stage) {
    await using pool = new ThreadPool({ name: "object", maxThreads: 2 });
    const url = new URL("./thread-object.store.ts", import.meta.url);
    const lines: string[] = [];
    const heard: boolean[] = [];
    // tour: begin
    await using words = await spawn<typeof Objects, "WordCount">(pool, url, "WordCount", ["to be or not"], {
      onLost: "restart",
    });

    async function handle(id: string): Promise<Objects.Answer> {
      const onWord = (): unknown => heard.push(requestId.value === id);
      return await requestId.run(id, () =>
        withOptions(words, { timeoutMs: 60_000 }).add("to be", { onWord }),
      );
    }
    // tour: end
    const answers = await Promise.all(
      Array.from({ length: REQUESTS }, async (_, index) => {
        const id = `request-${index + 1}`;
        const answer = await handle(id);
        const bar = stage.style("green", "█".repeat(Math.min(answer.count, stage.width - 30)));
        lines.push(`${id.padEnd(11)} ${answer.id?.padEnd(11)} ${bar}`);
        stage.draw(lines);
        await stage.pause(120);
        return { id, answer };
      }),
    );
    stage.check(
      "every call ran in the context of its request",
      answers.every(({ id, answer }) => answer.id === id),
    );
    stage.check(
      `so did its callbacks, ${heard.length} of them`,
      heard.length === 2 * REQUESTS && heard.every(Boolean),
    );
    stage.check("all of them met the same object", (await words.count("to")) === REQUESTS + 1);
    const told = await words.die().then(
      () => null,
      (error: unknown) => error,
    );
    stage.check("the call under way when its thread dies is told so", told instanceof ThreadCrashedError);
    stage.check("a new one is there, made with the same arguments", (await words.count("to")) === 1);
  },
};
