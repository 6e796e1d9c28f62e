/**
 * A hash of a function's shape: the same for two functions that differ only in names and literal values.
 *
 * Tokens go in, in source order: node types with their arity, operators, flags. Names go in as the number of their first
 * appearance in this function, so `a + a` and `a + b` differ while `a + b` and `x + y` do not. A nested function goes in as
 * its own finished hash: each token is mixed once, however deep it is nested.
 *
 * Two 32-bit lanes with different multipliers, in the manner of MurmurHash3's finaliser. Not for adversaries.
 */
export class Fingerprint {
  #low = 0x9e3779b9;
  #high = 0x85ebca6b;
  #names: Map<string, number> | undefined;

  mix(token: number): void {
    const low = Math.imul(this.#low ^ token, 0xcc9e2d51);
    const high = Math.imul(this.#high ^ token, 0x1b873593);
    this.#low = (low << 15) | (low >>> 17);
    this.#high = (high << 13) | (high >>> 19);
  }

  mixName(name: string): void {
    this.#names ??= new Map();
    let number = this.#names.get(name);
    if (number === undefined) {
      number = this.#names.size;
      this.#names.set(name, number);
    }
    this.mix(number);
  }

  mixNested(inner: Fingerprint): void {
    this.mix(inner.#low);
    this.mix(inner.#high);
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return hex(finish(this.#low ^ (this.#high >>> 16))) + hex(finish(this.#high ^ (this.#low >>> 16)));
  }
}

const tokens = new Map<string, number>();

/** The token of a word, the same on every thread and in every run (FNV-1a). */
export function tokenOf(word: string): number {
  let token = tokens.get(word);
  if (token === undefined) {
    token = 0x811c9dc5;
    for (let index = 0; index < word.length; index++) {
      token = Math.imul(token ^ word.charCodeAt(index), 0x01000193);
    }
    tokens.set(word, token);
  }
  return token;
}

function finish(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
