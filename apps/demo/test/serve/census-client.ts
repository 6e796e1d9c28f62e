/** One person who uses Census over HTTP. */
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../../../../test/support/eventually.ts";
import type { ScanRecord, ScanState } from "../../src/serve/scan-record.ts";

/** The server is in this process. */
const POLL_MS = 15;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- JSON of any shape
  readonly body: any;
}

export class CensusClient {
  readonly #url: string;
  readonly #correlationId: string;

  constructor(url: string, correlationId: string) {
    this.#url = url;
    this.#correlationId = correlationId;
  }

  async ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
    const isBytes = body instanceof Uint8Array;
    const response = await fetch(new URL(path, this.#url), {
      method,
      headers: {
        "x-correlation-id": this.#correlationId,
        ...(body === undefined || isBytes ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isBytes ? Buffer.from(body) : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text.startsWith("{") ? (JSON.parse(text) as unknown) : text,
    };
  }

  /** Begins a scan. */
  async scan(path: string): Promise<string> {
    const { status, body } = await this.ask("POST", "/api/scans", { path });
    if (status !== 202) throw new Error(`${path} is refused: ${JSON.stringify(body)}`);
    return (body as ScanRecord).id;
  }

  async find(id: string): Promise<ScanRecord> {
    return (await this.ask("GET", `/api/scans/${id}`)).body as ScanRecord;
  }

  /** Waits until the scan has come to this state. @throws when it has ended in another one */
  async reaches(id: string, state: ScanState): Promise<ScanRecord> {
    return await eventually(`scan ${id} is ${state}`, async () => {
      const scan = await this.find(id);
      if (scan.state === state) return scan;
      if (scan.state !== "queued" && scan.state !== "scanning")
        throw new Error(`it is ${scan.state}: ${scan.message}`);
      return await pause(POLL_MS, null);
    });
  }

  /** Begins scans until one is seen in its midst: on a busy machine it may be over before anybody looks. */
  async scanInItsMidst(path: string): Promise<string> {
    return await eventually(`a scan of ${path} in its midst`, async () => {
      const id = await this.scan(path);
      const seen = await eventually("some of its files are done", async () => {
        const scan = await this.find(id);
        return scan.files.done > 0 ? scan : await pause(POLL_MS, null);
      });
      return seen.state === "scanning" && seen.files.done < seen.files.total ? id : null;
    });
  }
}
