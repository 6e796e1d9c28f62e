/** The one control: how many threads the pool may have. */
import type { IncomingMessage } from "node:http";
import { type OptionNames, ownOptions } from "@skein/context/errors";
import type { ThreadPool } from "@skein/pool";

interface ThreadCounts {
  readonly minThreads?: number;
  readonly maxThreads?: number;
}

const names: OptionNames<ThreadCounts> = { minThreads: true, maxThreads: true };
const MAX_BODY_BYTES = 1024;

/** @returns why they were not set; null: they were. */
export async function setThreadCounts(pool: ThreadPool, request: IncomingMessage): Promise<string | null> {
  try {
    const { minThreads, maxThreads } = ownOptions(
      JSON.parse(await bodyOf(request)) as ThreadCounts,
      names,
      "body",
    );
    // Each must fit to the other at any moment.
    const lowersMax = maxThreads !== undefined && maxThreads < pool.minThreads;
    if (!lowersMax && maxThreads !== undefined && !pool.setMaxThreads(maxThreads)) return refusal(pool);
    if (minThreads !== undefined && !pool.setMinThreads(minThreads)) return refusal(pool);
    if (lowersMax && !pool.setMaxThreads(maxThreads)) return refusal(pool);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function refusal({ minThreads, maxThreads }: ThreadPool): string {
  return `\`minThreads\` cannot be above \`maxThreads\`: they are ${minThreads} and ${maxThreads}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8") as AsyncIterable<string>) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) throw new RangeError("The body is too long");
  }
  return body;
}
