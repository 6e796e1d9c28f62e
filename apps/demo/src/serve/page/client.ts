/** Requests to the server. What it refuses comes back as an Error whose message is a sentence for whoever asked. */
import type { Scan } from "./wire.ts";

const SILENT = "The server does not answer. Try again when the page says that it is back.";
const BROKEN_OFF = "The upload broke off: the server is gone, or the file is larger than it takes.";

/** @throws Error, also when `signal` ends the request: then with its reason. */
export async function request<T>(
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  { body, signal }: { readonly body?: unknown; readonly signal?: AbortSignal } = {},
): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      ...(signal === undefined ? {} : { signal }),
    });
    text = await response.text();
  } catch {
    signal?.throwIfAborted();
    throw new Error(SILENT);
  }
  return read(response.status, text) as T;
}

/** Sends a file as it is. @param onProgress how much of it has gone, from 0 to 1. @throws Error */
export function upload(file: File, onProgress: (part: number) => void, signal: AbortSignal): Promise<Scan> {
  return new Promise((resolve, reject) => {
    // fetch does not say how far an upload is.
    const sent = new XMLHttpRequest();
    sent.open("POST", `/api/scans/upload?name=${encodeURIComponent(file.name)}`);
    sent.setRequestHeader("content-type", "application/octet-stream");
    sent.upload.addEventListener("progress", ({ loaded, total }) =>
      onProgress(total === 0 ? 1 : loaded / total),
    );
    sent.addEventListener("load", () => {
      try {
        resolve(read(sent.status, sent.responseText) as Scan);
      } catch (error) {
        reject(error);
      }
    });
    sent.addEventListener("error", () => reject(new Error(BROKEN_OFF)));
    sent.addEventListener("abort", () => reject(signal.reason as Error));
    signal.addEventListener("abort", () => sent.abort(), { once: true });
    sent.send(file);
  });
}

function read(status: number, text: string): unknown {
  if (status === 204) return undefined;
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`The server answers ${status}, without a reason.`);
  }
  if (status < 400) return answer;
  const { error } = answer as { error?: { message?: string } };
  throw new Error(error?.message ?? `The server answers ${status}, without a reason.`);
}
