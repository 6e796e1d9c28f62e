/** `skein top`: what the threads of a program do, in a terminal; by the feed that the page of its devtools reads. */
import { DEFAULT_PORT, readFeed } from "@skein/devtools/feed";
import { SkeinError } from "@skein/context/errors";
import { CommandError, EXIT, MAX_MS, parseCommandLine, UsageError, wholeNumber } from "./command-line.ts";
import type { Command } from "./program.ts";
import { TopScreen } from "./top/screen.ts";
import { TopView } from "./top/view.ts";

const help = `Usage: skein top [url] [options]

Shows what the threads of a program do: a lane for each, rates, the slowest jobs.
The program serves it: start it with --import @skein/devtools/register and
SKEIN_DEVTOOLS=1, or let it call serveDevtools. The address is the one that it
prints [http://127.0.0.1:${DEFAULT_PORT}/]. Ends with q, Ctrl-C, or the pool.

Where the output is no terminal it prints what it has seen in a second, once.

  --once             the same on a terminal
  --for-ms <n>       look for n milliseconds before that [1000]
  --help             this text

Exit code: 0 done, 1 nothing to show, 2 wrong usage.
`;

const LOOK_MS = 1000;
/** A program may not answer: its main thread computes. */
const ANSWER_MS = 10_000;

export const top: Command = {
  help,
  async run(args) {
    const { values, positionals } = parseCommandLine(args, {
      once: { type: "boolean" },
      "for-ms": { type: "string" },
      help: { type: "boolean", short: "h" },
    });
    const [address = `http://127.0.0.1:${DEFAULT_PORT}/`, ...rest] = positionals;
    if (rest.length > 0) throw new UsageError("name one address, or none");
    if (!URL.canParse(address) || new URL(address).protocol !== "http:")
      throw new UsageError(
        `give the address that the program prints, as http://127.0.0.1:${DEFAULT_PORT}/, not "${address}"`,
      );
    const forMs = wholeNumber("for-ms", values["for-ms"], 1, MAX_MS) ?? LOOK_MS;
    const isOnce = values.once === true || !process.stdout.isTTY;
    try {
      await (isOnce ? printOnce(address, forMs) : watch(address));
    } catch (error) {
      throw error instanceof SkeinError ? new CommandError(error.message, EXIT.failed) : error;
    }
    return EXIT.done;
  },
};

async function printOnce(address: string, forMs: number): Promise<void> {
  const view = new TopView();
  const signal = AbortSignal.timeout(Math.min(forMs + ANSWER_MS, MAX_MS));
  let until = Infinity;
  for await (const message of readFeed(address, { signal })) {
    view.apply(message);
    if (message.type === "hello") until = message.nowUs + forMs * 1000;
    // Two samples make a rate.
    if (message.type === "sample" && message.nowUs >= until) break;
  }
  if (view.isEmpty) throw signal.aborted ? noAnswer(address) : nothingToShow();
  process.stdout.write(`${view.lines(process.stdout.columns || 100, Infinity).join("\n")}\n`);
}

async function watch(address: string): Promise<void> {
  const view = new TopView();
  using screen = new TopScreen(process.stdin, process.stdout, (columns, rows) => view.lines(columns, rows));
  const quit = new AbortController();
  screen.onQuit(() => quit.abort());
  // Also ends when the program does not answer, or sends nothing.
  for await (const message of readFeed(address, { signal: quit.signal })) {
    view.apply(message);
    if (screen.isOver) break;
    if (message.type === "sample") screen.draw();
  }
  if (view.isEmpty && !screen.isOver) throw nothingToShow();
}

function noAnswer(address: string): CommandError {
  return new CommandError(
    `the program at ${new URL(address).origin} takes the connection and does not answer; its main thread is busy, so try again later`,
    EXIT.failed,
  );
}

/** The window of a pool stays when the pool has closed. */
function nothingToShow(): CommandError {
  return new CommandError(
    "there is nothing to show: the pool at this address has closed; look while it works",
    EXIT.failed,
  );
}
