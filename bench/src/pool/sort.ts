/** Who sorts, and how they divide it. */
import { ThreadPool } from "@skein/pool";
import { Piscina } from "piscina";
import { sortAlone } from "../jobs/divide.mjs";
import type * as Jobs from "../jobs/fork-join.mjs";
import type { Contender, Kind, Run } from "../method/scenario.ts";
import { randomIntegers } from "../method/ratio.ts";
import { jobFile } from "../peers/product.ts";

type Sort = (data: Float64Array, scratch: Float64Array) => unknown;

/** Parts that the caller makes by hand: a power of two, a few per thread. */
const PARTS = 8;

export function sortContenders(count: number): Contender[] {
  return [
    ...[2, 1].map((threads) =>
      contender(`skein, ${threads === 1 ? "1 thread" : "2 threads"}`, "skein", "skein", count, () => {
        const pool = new ThreadPool({ maxThreads: threads });
        const { sort } = pool.module<typeof Jobs>(jobFile("fork-join"));
        return {
          sort: (data, scratch) => sort(data, scratch, 0, data.length),
          close: () => pool.close(),
        };
      }),
    ),
    contender("piscina, 2 threads, by hand", "peer", "piscina", count, () => {
      const pool = new Piscina({ filename: jobFile("by-hand").href, minThreads: 2, maxThreads: 2 });
      return { sort: (data, scratch) => sortByHand(pool, data, scratch), close: () => pool.destroy() };
    }),
    contender("alone, the same algorithm", "reference", "alone", count, () => ({
      sort: (data, scratch) => sortAlone(data, scratch, 0, data.length),
    })),
    contender("alone, Float64Array.sort", "native", "Float64Array.sort", count, () => ({
      // In place, as the others.
      // oxlint-disable-next-line unicorn/no-array-sort
      sort: (data) => data.sort(),
    })),
  ];
}

async function sortByHand(pool: Piscina, data: Float64Array, scratch: Float64Array): Promise<void> {
  const cut = (i: number): number => Math.floor((data.length * i) / PARTS);
  const numbers = Array.from({ length: PARTS }, (_, i) => i);
  await Promise.all(
    numbers.map((i) => pool.run({ data, scratch, from: cut(i), to: cut(i + 1) }, { name: "sortPart" })),
  );
  for (let width = 1; width < PARTS; width *= 2) {
    const left = numbers.filter((i) => i % (width * 2) === 0);
    await Promise.all(
      left.map((i) =>
        pool.run(
          { data, scratch, from: cut(i), middle: cut(i + width), to: cut(i + width * 2) },
          { name: "mergeParts" },
        ),
      ),
    );
  }
}

function contender(
  name: string,
  kind: Kind,
  product: string,
  count: number,
  start: () => { sort: Sort; close?: () => PromiseLike<unknown> },
): Contender {
  return {
    name,
    kind,
    product,
    configuration: name,
    async open(): Promise<Run> {
      const { sort, close } = start();
      const data = new Float64Array(new SharedArrayBuffer(count * 8));
      const scratch = new Float64Array(new SharedArrayBuffer(count * 8));
      await Promise.resolve();
      return {
        async round() {
          const random = randomIntegers(count);
          let sum = 0;
          for (let i = 0; i < count; i++) sum += data[i] = random(2 ** 30);
          const started = performance.now();
          await sort(data, scratch);
          const ms = performance.now() - started;
          checkSorted(data, sum);
          return { ms };
        },
        async close() {
          await close?.();
        },
      };
    },
  };
}

function checkSorted(data: Float64Array, sum: number): void {
  let left = sum;
  for (let i = 0; i < data.length; i++) {
    if (i > 0 && data[i - 1]! > data[i]!) throw new Error(`not sorted at ${i}`);
    left -= data[i]!;
  }
  if (left !== 0) throw new Error("the sorted numbers are others than those that were to be sorted");
}
