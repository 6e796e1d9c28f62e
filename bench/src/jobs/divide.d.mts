export function sortAlone(data: Float64Array, scratch: Float64Array, from: number, to: number): void;
export function queensBelow(all: number, columns: number, left: number, right: number): number;
