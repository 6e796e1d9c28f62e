export function echo(value: number): number;
export function hold(gate: Int32Array, times: Float64Array): void;
export function stamp(gate: Int32Array, times: Float64Array): void;
export function compute(us: number): number;
export function divided(depth: number, us: number): number;
