/** Looks at every reply: is it the answer to this request, with this request's id? */
import type { Reply } from "./app.ts";
import type { Faults } from "./protocol.ts";

export class ReplyCheck implements Faults {
  readonly #digests: readonly number[];
  mismatches = 0;
  errors = 0;
  firstError: string | null = null;

  constructor(digests: readonly number[]) {
    this.#digests = digests;
  }

  /** @param seed of a heavy request; null for a light one. */
  reply(status: number, body: string, id: string, seed: number | null): void {
    if (status !== 200) {
      this.error(`status ${status}: ${body.slice(0, 200)}`);
      return;
    }
    const reply = parse(body);
    if (reply === null) this.error(`not JSON: ${body.slice(0, 200)}`);
    else if (reply.id !== id) this.mismatches++;
    else if (seed === null && reply.items?.length === undefined) this.error("a light reply without items");
    else if (seed !== null && reply.digest !== this.#digests[seed]) {
      this.error(`digest ${reply.digest} instead of ${this.#digests[seed]}`);
    }
  }

  error(message: string): void {
    this.errors++;
    this.firstError ??= message;
  }

  get faults(): Faults {
    return { mismatches: this.mismatches, errors: this.errors, firstError: this.firstError };
  }
}

function parse(body: string): Reply | null {
  try {
    return JSON.parse(body) as Reply;
  } catch {
    return null;
  }
}
