/** What is shown while a scan runs: a bar on a terminal, now and then a line elsewhere. */
import { formatBytes, formatCount, formatSeconds } from "./wording.ts";

export interface ProgressTarget {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR_INTERVAL_MS = 100;
const LINE_INTERVAL_MS = 3000;
const BAR_WIDTH = 24;
const EIGHTHS = " ▏▎▍▌▋▊▉";
const CLEAR_LINE = "\r\u001b[2K";

export class Progress {
  readonly #target: ProgressTarget;
  readonly #label: string;
  readonly #totalFiles: number;
  readonly #totalBytes: number;
  readonly #start = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #beside: () => string;
  #files = 0;
  #bytes = 0;
  #drawn = false;

  /** @param beside what stands behind the label on a terminal, asked each time */
  constructor(
    target: ProgressTarget,
    label: string,
    totalFiles: number,
    totalBytes: number,
    beside: () => string = () => "",
  ) {
    this.#beside = beside;
    this.#target = target;
    this.#label = label;
    this.#totalFiles = totalFiles;
    this.#totalBytes = totalBytes;
    this.#timer = setInterval(() => this.#draw(), target.isTTY === true ? BAR_INTERVAL_MS : LINE_INTERVAL_MS);
    this.#timer.unref();
  }

  advance(bytes: number): void {
    this.#files++;
    this.#bytes += bytes;
  }

  /** Takes the bar away. */
  close(): void {
    clearInterval(this.#timer);
    if (this.#drawn && this.#target.isTTY === true) this.#target.write(CLEAR_LINE);
  }

  #draw(): void {
    this.#drawn = true;
    const state = {
      label:
        this.#target.isTTY === true
          ? [this.#label, this.#beside()].filter((part) => part !== "").join("  ")
          : this.#label,
      files: this.#files,
      totalFiles: this.#totalFiles,
      bytes: this.#bytes,
      totalBytes: this.#totalBytes,
      elapsedMs: performance.now() - this.#start,
    };
    if (this.#target.isTTY === true) {
      const width = (this.#target.columns ?? 80) - 1;
      this.#target.write(CLEAR_LINE + progressText(state, true).slice(0, width));
    } else {
      this.#target.write(`census: ${progressText(state, false)}\n`);
    }
  }
}

/** Share and time left go by bytes: how long a file takes depends on its size. */
export function progressText(
  state: {
    label: string;
    files: number;
    totalFiles: number;
    bytes: number;
    totalBytes: number;
    elapsedMs: number;
  },
  bar: boolean,
): string {
  const { label, files, totalFiles, bytes, totalBytes, elapsedMs } = state;
  const share = totalBytes === 0 ? files / Math.max(1, totalFiles) : Math.min(1, bytes / totalBytes);
  const perMs = elapsedMs > 0 ? 1 / elapsedMs : 0;
  const leftMs = share > 0 ? (elapsedMs * (1 - share)) / share : Number.NaN;
  return [
    label,
    ...(bar ? [drawBar(share)] : []),
    `${Math.floor(share * 100)}%`.padStart(4),
    `${formatCount(files)}/${formatCount(totalFiles)} files`,
    `${formatCount(Math.round(files * perMs * 1000))} files/s`,
    `${formatBytes(Math.round(bytes * perMs * 1000))}/s`,
    Number.isNaN(leftMs) ? "" : `${formatSeconds(leftMs)} left`,
  ]
    .filter((part) => part !== "")
    .join("  ");
}

function drawBar(share: number): string {
  const eighths = Math.round(share * BAR_WIDTH * 8);
  const whole = Math.floor(eighths / 8);
  const rest = whole < BAR_WIDTH ? EIGHTHS[eighths % 8]! : "";
  return `▕${"█".repeat(whole)}${rest}${" ".repeat(Math.max(0, BAR_WIDTH - whole - rest.length))}▏`;
}
