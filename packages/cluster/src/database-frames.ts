/** Messages on a byte stream: four bytes of length, then what `v8.serialize` makes of the value. Both ends are processes of one user. */
import { Buffer } from "node:buffer";
import { deserialize, serialize } from "node:v8";

export interface Query {
  readonly id: number;
  readonly text: string;
  readonly params: readonly unknown[] | null;
}

export type Answer =
  | { readonly id: number; readonly rows: readonly unknown[]; readonly rowCount: number }
  | { readonly id: number; readonly message: string; readonly code: string | null }
  /** To all. */
  | { readonly channel: string; readonly payload: string };

export function frame(message: Query | Answer): Buffer {
  const body = serialize(message);
  const whole = Buffer.allocUnsafe(4 + body.length);
  whole.writeUInt32LE(body.length);
  body.copy(whole, 4);
  return whole;
}

/** Gathers chunks, and gives each message that is complete. */
export class FrameReader<T> {
  #chunks: Buffer[] = [];
  #length = 0;

  *read(chunk: Buffer): Generator<T> {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    // The first chunk has the length, or they are joined until it has.
    while (this.#length >= 4) {
      if (this.#chunks[0]!.length < 4) this.#join();
      const end = 4 + this.#chunks[0]!.readUInt32LE();
      if (this.#length < end) return;
      this.#join();
      const [bytes] = this.#chunks as [Buffer];
      this.#chunks = [bytes.subarray(end)];
      this.#length -= end;
      yield deserialize(bytes.subarray(4, end)) as T;
    }
  }

  #join(): void {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
  }
}
