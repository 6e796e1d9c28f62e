export { sortAlone } from "./divide.mjs";
export function sort(data: Float64Array, scratch: Float64Array, from: number, to: number): void;
export function queens(all: number, columns: number, left: number, right: number, depth: number): number;
export function forkCost(args: number, count: number): number;
export function fibCost(n: number): { aloneMs: number; forkedMs: number; forks: number };
