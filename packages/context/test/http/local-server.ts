import { once } from "node:events";
import { createServer, request } from "node:http";
import type {
  ClientRequest,
  IncomingMessage,
  RequestListener,
  RequestOptions,
  Server,
  ServerResponse,
} from "node:http";
import { text } from "node:stream/consumers";

const servers: Server[] = [];

/** Starts a server on a free port of this machine. */
export async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port");
  return address.port;
}

/** Ends every server that `listen` started, and their connections. */
export async function closeServers(): Promise<void> {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

export interface Answer {
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** Opens a request; the body may be written later, and `answer` is its response, read to the end. */
export function open(port: number, options: RequestOptions): { req: ClientRequest; answer: Promise<Answer> } {
  const req = request({ port, host: "127.0.0.1", ...options });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    req.once("response", resolve).once("error", reject);
  });
  const read = async (): Promise<Answer> => {
    const res = await response;
    const body: unknown = JSON.parse(await text(res));
    return { headers: res.headers, body };
  };
  return { req, answer: read() };
}

export function get(port: number, headers: NonNullable<RequestOptions["headers"]> = {}): Promise<Answer> {
  const { req, answer } = open(port, { headers });
  req.end();
  return answer;
}

/** Ends a response with a value as JSON. */
export function reply(res: ServerResponse, body: unknown): void {
  res.end(JSON.stringify(body ?? null));
}
