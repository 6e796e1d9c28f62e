/** What lives on the thread. */
import { AsyncLocal } from "@skein/context";

export const requestId: AsyncLocal<string> = new AsyncLocal<string>({ name: "tour.request", flow: "thread" });

export interface Answer {
  readonly count: number;
  /** Of the request that has called. */
  readonly id: string | undefined;
}

// tour: begin
export class WordCount {
  readonly #counts = new Map<string, number>();

  constructor(text: string) {
    for (const word of text.split(" ")) this.#counts.set(word, this.count(word) + 1);
  }

  async add(text: string, { onWord }: { readonly onWord: (word: string) => unknown }): Promise<Answer> {
    for (const word of text.split(" ")) {
      this.#counts.set(word, this.count(word) + 1);
      await onWord(word);
    }
    return { count: this.count("to"), id: requestId.value };
  }

  count(word: string): number {
    return this.#counts.get(word) ?? 0;
  }
  // tour: end

  die(): void {
    process.exit(1);
  }
}
