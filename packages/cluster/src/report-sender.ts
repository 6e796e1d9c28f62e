/** What a job reports, on its way into the store: the first at once, then at most ten times a second what has come meanwhile, in its order. */
import { Promise } from "./native-promise.ts";
import { clearTimeout, setTimeout } from "./timers.ts";

const PAUSE_MS = 100;
/** Of more than this between two messages the latest are sent. */
const MOST = 1000;

export class ReportSender {
  readonly #send: (texts: readonly string[]) => Promise<void>;
  #gathered: string[] = [];
  #pause: NodeJS.Timeout | null = null;
  #sent: Promise<void> = Promise.resolve();

  /** @param send Must not reject. */
  constructor(send: (texts: readonly string[]) => Promise<void>) {
    this.#send = send;
  }

  add(text: string): void {
    if (this.#gathered.push(text) > MOST) this.#gathered.shift();
    if (this.#pause === null) this.#next();
  }

  /** Resolves when all has been sent. */
  async end(): Promise<void> {
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#pause = null;
    this.#sendGathered();
    await this.#sent;
  }

  readonly #next = (): void => {
    this.#pause = null;
    if (!this.#sendGathered()) return;
    this.#pause = setTimeout(this.#next, PAUSE_MS);
    this.#pause.unref();
  };

  #sendGathered(): boolean {
    if (this.#gathered.length === 0) return false;
    const texts = this.#gathered;
    this.#gathered = [];
    this.#sent = this.#sent.then(() => this.#send(texts));
    return true;
  }
}
