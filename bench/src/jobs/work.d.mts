export function echo<T>(value: T): T;
export function echoMoved(value: ArrayBuffer): ArrayBuffer;
export function measure(value: ArrayLike<unknown> | { readonly byteLength: number }): number;
export function touch(bytes: Uint8Array): number;
export function burn(steps: number): number;
export function hash(bytes: Uint8Array): string;
export function parse(text: string): number;
export function tick(options: { readonly steps: number; readonly words: Int32Array }): number;
export function hold(value: number | Int32Array): number;
export function echoInContext<T>(call: {
  readonly requestId: string;
  readonly tenant: object;
  readonly value: T;
}): T;
