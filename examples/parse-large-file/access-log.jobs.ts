export interface Summary {
  lines: number;
  bytesSent: number;
  readonly byStatus: Record<string, number>;
}

/** Parses a block of whole lines such as `GET /articles/7 200 5123`. */
export function summarize(block: Uint8Array): Summary {
  const summary: Summary = { lines: 0, bytesSent: 0, byStatus: {} };
  for (const line of new TextDecoder().decode(block).split("\n")) {
    const match = /^[A-Z]+ \S+ (?<status>\d{3}) (?<bytes>\d+)$/.exec(line);
    if (match === null) continue;
    const { status, bytes } = match.groups as { status: string; bytes: string };
    summary.lines++;
    summary.bytesSent += Number(bytes);
    summary.byStatus[status] = (summary.byStatus[status] ?? 0) + 1;
  }
  return summary;
}
