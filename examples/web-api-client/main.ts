/**
 * A client of a web API. A call ends when the answer arrives, when the caller cancels, or when its time is up; in the last two cases the
 * server sees the connection close. The correlation id travels along without being passed as an argument.
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { contextFetch, correlationId } from "@skein/context/http";
import { CancellationToken, CancellationTokenSource, Task, TimeoutError } from "@skein/scheduling";

interface CallOptions {
  readonly token: CancellationToken;
  readonly timeoutMs: number;
}

/** `fetch` with the headers of the current context, `x-request-id` among them. */
const fetchInContext = contextFetch();

/**
 * Gets JSON. A generator method gives a Task, which knows whether it succeeded, failed or was cancelled.
 * @throws TimeoutError after `timeoutMs`, which ends this call alone and is a failure.
 * @throws OperationCanceledError when `token` is cancelled: the caller wanted it so, and the task counts as cancelled.
 */
const getJson = Task.async(function* (url: URL, { token, timeoutMs }: CallOptions) {
  // Whichever comes first ends the request. `using` would dispose of both, but Node 22 cannot parse it yet.
  const deadline = new CancellationTokenSource(timeoutMs);
  const either = CancellationTokenSource.linked(token, deadline.token);
  try {
    // What comes from elsewhere, a promise for one, is awaited with `yield`; what is Skein's with `yield*`.
    const response = (yield fetchInContext(url, { signal: either.signal })) as Response;
    if (!response.ok) throw new Error(`${url.pathname}: ${response.status} ${response.statusText}`);
    return yield response.json();
  } catch (error) {
    token.throwIfCancellationRequested();
    if (deadline.isCancellationRequested)
      throw new TimeoutError(`${url.pathname} took longer than ${timeoutMs} ms`, { cause: error });
    throw error;
  } finally {
    either[Symbol.dispose]();
    deadline[Symbol.dispose]();
  }
});

// The server, in the same program. It never answers /slow, and tells when a client has gone away.
const slow: ServerResponse[] = [];
const server = createServer((request, response) => {
  if (request.url === "/slow") {
    slow.push(response);
    server.emit("slow");
    return;
  }
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ user: request.url, requestId: request.headers["x-request-id"] }));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const api = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

// 1. An answer. Whatever is called within `run` has the correlation id.
const user = await correlationId.run("order-42", () =>
  getJson(new URL("/users/7", api), { token: CancellationToken.none, timeoutMs: 60_000 }),
);
console.log("answer:", user);

// 2. The caller loses interest while the server is at work.
const caller = new CancellationTokenSource();
const abandoned = getJson(new URL("/slow", api), { token: caller.token, timeoutMs: 60_000 });
await once(server, "slow");
caller.cancel("the user left the page");
await abandoned.configureAwait({ suppressThrowing: true });
console.log(`after cancel: ${abandoned.status}, ${String(caller.token.reason)}`);
await goneAway(slow.shift()!);

// 3. The server takes too long.
const late = getJson(new URL("/slow", api), { token: CancellationToken.none, timeoutMs: 100 });
await late.configureAwait({ suppressThrowing: true });
console.log(`after 100 ms: ${late.status}, ${String(late.error)}`);

server.close();
server.closeAllConnections();

async function goneAway(response: ServerResponse): Promise<void> {
  if (!response.destroyed) await once(response, "close");
  console.log("server: the client has gone");
}
