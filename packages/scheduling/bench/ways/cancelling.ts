/** Registering with a token, and being told. */
import { CancellationTokenSource } from "@skein/scheduling";

function nothing(): void {}

const longLivedController = new AbortController();
const longLivedSource = new CancellationTokenSource();

export function listenUnlisten(count: number): void {
  const { signal } = longLivedController;
  for (let i = 0; i < count; i++) {
    signal.addEventListener("abort", nothing);
    signal.removeEventListener("abort", nothing);
  }
}

export function registerUnregister(count: number): void {
  const { token } = longLivedSource;
  for (let i = 0; i < count; i++) token.register(nothing).unregister();
}

export function unsafeRegisterUnregister(count: number): void {
  const { token } = longLivedSource;
  for (let i = 0; i < count; i++) token.unsafeRegister(nothing).unregister();
}

export function abortOne(count: number): void {
  for (let i = 0; i < count; i++) {
    const controller = new AbortController();
    controller.signal.addEventListener("abort", nothing);
    controller.abort();
  }
}

export function cancelOne(count: number): void {
  for (let i = 0; i < count; i++) {
    const cancellation = new CancellationTokenSource();
    cancellation.token.register(nothing);
    cancellation.cancel();
  }
}
