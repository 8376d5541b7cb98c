// How fast bytes go, over the last seconds, and how long the rest will take.

const WINDOW_MS = 6000;
const FIRST_MS = 700;

export class Pace {
  #seen: { atMs: number; bytes: number }[] = [];

  /** So many bytes are there now. */
  note(bytes: number, atMs: number = performance.now()): void {
    this.#seen.push({ atMs, bytes });
    while (this.#seen.length > 2 && atMs - (this.#seen[0]?.atMs ?? atMs) > WINDOW_MS) this.#seen.shift();
  }

  /** What was measured is of another time: after a pause, say. */
  forget(): void {
    this.#seen = [];
  }

  /** Bytes a second; undefined before there is enough to say so. */
  get speed(): number | undefined {
    const first = this.#seen[0];
    const last = this.#seen.at(-1);
    if (!first || !last || last.atMs - first.atMs < FIRST_MS) return undefined;
    const speed = ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
    return speed > 0 ? speed : undefined;
  }
}
