/** The same loop over a cache, with native await and as a generator method: how many bytes each await takes. */
import { Task, ValueTask } from "@skein/scheduling";
import { bytesChart, bytesEach } from "../allocation.ts";
import type { Scene } from "../scene.ts";

class Cache {
  readonly #value = 1;
  // tour: begin
  async load(): Promise<number> {
    return this.#value; // a promise for each call
  }
  read(): ValueTask<number> {
    return ValueTask.fromResult(this.#value); // what is there is not waited for
  }
  // tour: end
}

const cache = new Cache();

async function natively(times: number): Promise<number> {
  let sum = 0;
  // tour: begin
  for (let i = 0; i < times; i++) sum += await cache.load();
  // tour: end
  return sum;
}

const asMethod: (times: number) => Task<number> = Task.async(function* (times: number) {
  let sum = 0;
  // tour: begin
  for (let i = 0; i < times; i++) sum += yield* cache.read(); // in a Task.async(function* …)
  // tour: end
  return sum;
});

export const generatorMethods: Scene = {
  title: "Generator methods against native await, bytes counted",
  about:
    "A cache mostly has what it is asked for. A native await takes a promise and a microtask even then; a generator method takes the value and goes on.",
  code: [import.meta.url],
  async run(stage) {
    const bytes: Record<string, number> = {};
    const draw = (): void => stage.draw(bytesChart(bytes, stage.width, (bar) => stage.style("yellow", bar)));
    bytes["await"] = await bytesEach(natively);
    draw();
    await stage.pause(500);
    bytes["yield*"] = await bytesEach(asMethod);
    draw();
    stage.check("both add up to the same", (await natively(1000)) === (await asMethod(1000)));
    stage.check(
      "yield* allocates less than two thirds of what await does",
      bytes["yield*"] < (bytes["await"] * 2) / 3,
    );
  },
};
