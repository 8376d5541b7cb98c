// The rate of an upload over the last few seconds.

const WINDOW_MS = 6000;
const MIN_SPAN_MS = 700;

export class TransferRate {
  #samples: { atMs: number; bytes: number }[] = [];

  /** Record that `bytes` have been sent in all. */
  record(bytes: number): void {
    const atMs = performance.now();
    this.#samples.push({ atMs, bytes });
    while (this.#samples.length > 2 && atMs - (this.#samples[0]?.atMs ?? atMs) > WINDOW_MS) this.#samples.shift();
  }

  /** Drop what was measured: after a pause it says nothing about now. */
  reset(): void {
    this.#samples = [];
  }

  /** Bytes a second until now; undefined until enough is known. */
  get bytesPerSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.atMs - first.atMs < MIN_SPAN_MS) return undefined;
    const rate = ((last.bytes - first.bytes) / (performance.now() - first.atMs)) * 1000;
    return rate > 0 ? rate : undefined;
  }
}
