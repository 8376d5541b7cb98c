// A run: the files that are uploaded together, from when the queue was idle until it is idle again.

import { ENDED, type Phase } from "./phase";
import type { Transfer } from "./transfer";

const isOver = (phase: Phase): boolean => ENDED.has(phase) || phase === "failed";

export class Run {
  #transfers = new Set<Transfer>();
  /** How many files were refused before they were sent. */
  refused = 0;

  add(transfer: Transfer): void {
    this.#transfers.add(transfer);
  }

  remove(transfer: Transfer): void {
    this.#transfers.delete(transfer);
  }

  /** How many files are or were sent, without those that somebody cancelled. */
  get count(): number {
    return this.#wanted.length;
  }

  get done(): number {
    return this.#in("done").length;
  }

  /** How many aren't uploaded, for whatever reason but that somebody cancelled them. */
  get rejected(): number {
    return this.refused + this.#in("refused", "failed").length;
  }

  get isOver(): boolean {
    return [...this.#transfers].every(({ phase }) => isOver(phase));
  }

  get isOffline(): boolean {
    return this.#in("offline").length > 0;
  }

  get sentBytes(): number {
    return sum(this.#wanted.map(({ phase, file, sent }) => (isOver(phase) ? file.size : sent)));
  }

  get wholeBytes(): number {
    return sum(this.#wanted.map(({ file }) => file.size));
  }

  /** Undefined until enough is known. */
  get secondsLeft(): number | undefined {
    const bytesPerSecond = sum(this.#in("sending").map(({ rate }) => rate.bytesPerSecond ?? 0));
    return bytesPerSecond > 0 ? (this.wholeBytes - this.sentBytes) / bytesPerSecond : undefined;
  }

  get #wanted(): Transfer[] {
    return [...this.#transfers].filter(({ phase }) => phase !== "gone");
  }

  #in(...phases: Phase[]): Transfer[] {
    return [...this.#transfers].filter(({ phase }) => phases.includes(phase));
  }
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
