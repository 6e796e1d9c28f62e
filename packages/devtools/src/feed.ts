/** `@skein/devtools/feed`: what the page is told, for tools that show it otherwise, as `skein top` does. */
import { get, type IncomingMessage } from "node:http";
import { argumentTypeError, type OptionNames, ownOptions, SkeinError } from "@skein/context/errors";
import { FEED_VERSION, type FeedMessage, parseMessage } from "./wire.ts";

export {
  type Batch,
  type Closed,
  CORRELATION,
  FEED_VERSION,
  type FeedMessage,
  type Hello,
  KINDS,
  NONE_QUEUED,
  type Outcome,
  OUTCOMES,
  POLICIES,
  type Policy,
  PRIORITIES,
  type Priority,
  type Queued,
  QUEUES,
  type Sample,
  type Slice,
  SLICE_FIELDS,
  sliceAt,
  type SliceKind,
  type ThreadBatch,
  type ThreadSample,
  type Times,
} from "./wire.ts";
export { DEFAULT_PORT } from "./server/options.ts";

/** Options of {@link readFeed}. */
export interface ReadFeedOptions {
  /** Ends the reading, and so the loop, also while nothing comes. */
  signal?: AbortSignal | undefined;
}

const optionNames: OptionNames<ReadFeedOptions> = { signal: true };

/**
 * Reads along until the pool closes, the server ends, `signal` fires or the loop is left. While it is read the pool is recorded.
 *
 * Rejects with a SkeinError ERR_SKEIN_DEVTOOLS_FEED when there is no server at that address, it is another one, it refuses, or it has another version.
 *
 * @param url As `serveDevtools` gives it: the token included.
 * @throws TypeError when it is no `http:` URL, for an option that is unknown, or a signal that is no AbortSignal.
 * @example
 * for await (const message of readFeed("http://127.0.0.1:9339/"))
 *   if (message.type === "sample") console.log(message.running);
 */
export function readFeed(
  url: string | URL,
  options?: ReadFeedOptions,
): AsyncGenerator<FeedMessage, void, undefined> {
  if (!URL.canParse(String(url)) || new URL(url).protocol !== "http:")
    throw argumentTypeError("url", "an http: URL", url);
  const address = new URL(url);
  const feed = new URL("/feed", address);
  feed.search = address.search;
  const { signal } = ownOptions(options, optionNames);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw argumentTypeError("options.signal", "an AbortSignal", signal);
  return messagesOf(feed, signal);
}

async function* messagesOf(
  feed: URL,
  signal: AbortSignal | undefined,
): AsyncGenerator<FeedMessage, void, undefined> {
  const response = await open(feed, signal);
  if (response === null) return;
  try {
    for await (const data of events(response, signal)) {
      const message = parseMessage(data);
      if (message.type === "hello" && message.version !== FEED_VERSION)
        throw notReadable(
          `${feed.origin} speaks another version of the feed. Install the same version of both`,
        );
      yield message;
      if (message.type === "closed") return;
    }
  } finally {
    response.destroy();
  }
}

/** Null: `signal` has fired before there was an answer. */
function open(feed: URL, signal: AbortSignal | undefined): Promise<IncomingMessage | null> {
  return new Promise((resolve, reject) => {
    const request = get(feed, { signal }, (response) => {
      const { statusCode, headers } = response;
      const isFeed = headers["content-type"]?.startsWith("text/event-stream") === true;
      if (statusCode === 200 && isFeed) {
        resolve(response);
        return;
      }
      // It may break off.
      response.on("error", () => {});
      if (statusCode === 200) {
        response.destroy();
        reject(notReadable(`What answers at ${feed.origin} is no window on a pool. ${HOW_TO_START}`));
        return;
      }
      response.setEncoding("utf8");
      let text = "";
      response.on("data", (chunk: string) => (text += chunk));
      response.on("close", () => reject(notReadable(`${feed.origin} refuses: ${text.trim()}`)));
    });
    request.on("error", (cause: NodeJS.ErrnoException) => {
      if (signal?.aborted === true) {
        resolve(null);
        return;
      }
      // That of several addresses, as `localhost` has them, has no message.
      const reason = cause.message === "" ? cause.code : cause.message;
      reject(notReadable(`Nothing answers at ${feed.origin} (${reason}). ${HOW_TO_START}`, cause));
    });
  });
}

const HOW_TO_START =
  "Start the program with `SKEIN_DEVTOOLS=1 node --import @skein/devtools/register main.js`, or let it call serveDevtools, and use the address that it prints";

const DATA = "data: ";

/** The data of each event, its lines joined by LF, as a browser has them. */
async function* events(
  response: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void> {
  let rest = "";
  try {
    for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
      const parts = (rest + chunk).split("\n\n");
      rest = parts.pop()!;
      for (const part of parts) {
        const data = part.split("\n").filter((line) => line.startsWith(DATA));
        yield data.map((line) => line.slice(DATA.length)).join("\n");
      }
    }
  } catch (error) {
    // The program has ended, or nobody reads on.
    if ((error as NodeJS.ErrnoException).code !== "ECONNRESET" && signal?.aborted !== true) throw error;
  }
}

function notReadable(message: string, cause?: Error): SkeinError {
  return new SkeinError("ERR_SKEIN_DEVTOOLS_FEED", message, { cause });
}
