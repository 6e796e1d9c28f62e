/** Who places queens. */
import { ThreadPool } from "@skein/pool";
import { Piscina } from "piscina";
import { queensBelow } from "../jobs/divide.mjs";
import type * as Jobs from "../jobs/fork-join.mjs";
import type { Contender, Kind, Run } from "../method/scenario.ts";
import { jobFile } from "../peers/product.ts";
import { expectSame } from "./rounds.ts";

interface Board {
  readonly all: number;
  readonly columns: number;
  readonly left: number;
  readonly right: number;
}

/** Rows in which we fork, and whose boards the caller lists by hand. */
const DEPTH = 2;

export function queensContenders(n: number): Contender[] {
  const all = 2 ** n - 1;
  const solutions = queensBelow(all, 0, 0, 0);
  return [
    ...[2, 1].map((threads) =>
      contender(`skein, ${threads === 1 ? "1 thread" : "2 threads"}`, "skein", "skein", solutions, () => {
        const pool = new ThreadPool({ maxThreads: threads });
        const { queens } = pool.module<typeof Jobs>(jobFile("fork-join"));
        return { count: () => queens(all, 0, 0, 0, DEPTH), close: () => pool.close() };
      }),
    ),
    contender("piscina, 2 threads, by hand", "peer", "piscina", solutions, () => {
      const pool = new Piscina({
        filename: jobFile("by-hand").href,
        name: "queensPart",
        minThreads: 2,
        maxThreads: 2,
        concurrentTasksPerWorker: 8,
      });
      return {
        async count() {
          const parts = await Promise.all(boards(all).map((board) => pool.run(board) as Promise<number>));
          return parts.reduce((sum, part) => sum + part, 0);
        },
        close: () => pool.destroy(),
      };
    }),
    contender("alone", "reference", "alone", solutions, () => ({ count: () => queensBelow(all, 0, 0, 0) })),
  ];
}

/** With the first rows taken. */
function boards(all: number): Board[] {
  let level: Board[] = [{ all, columns: 0, left: 0, right: 0 }];
  for (let row = 0; row < DEPTH; row++) level = level.flatMap(nextRow);
  return level;
}

function nextRow({ all, columns, left, right }: Board): Board[] {
  const next: Board[] = [];
  for (let free = all & ~(columns | left | right); free !== 0; free &= free - 1) {
    const place = free & -free;
    next.push({
      all,
      columns: columns | place,
      left: ((left | place) << 1) & all,
      right: (right | place) >> 1,
    });
  }
  return next;
}

function contender(
  name: string,
  kind: Kind,
  product: string,
  solutions: number,
  start: () => { count: () => number | PromiseLike<number>; close?: () => PromiseLike<unknown> },
): Contender {
  return {
    name,
    kind,
    product,
    configuration: product === "piscina" ? "concurrentTasksPerWorker: 8" : name,
    async open(): Promise<Run> {
      const { count, close } = start();
      await Promise.resolve();
      return {
        async round() {
          const started = performance.now();
          const found = await count();
          const ms = performance.now() - started;
          expectSame(found, solutions);
          return { ms };
        },
        async close() {
          await close?.();
        },
      };
    },
  };
}
