// How far the files of a queue are: one bar and one count for several, in the title of the tab too, and buttons for all of them.

import { announce } from "../parts/announce";
import { required } from "../parts/dom";
import { duration, size } from "../parts/formatting";
import { locale, t, tn } from "../parts/messages";
import { summaryOf } from "./announcer";
import type { Queue } from "./queue";

const REFRESH_MS = 200;

export class Progress {
  #box = required("#summary");
  #bar = required<HTMLProgressElement>("#summary progress");
  #title = document.title;
  #percent = new Intl.NumberFormat(locale(), { style: "percent" });
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #isStale = false;
  #wasBusy = false;

  /** `uploaded` is how many images it says there are at the end; `shown` is called each time that it is brought up to date. */
  constructor(
    private readonly queue: Queue,
    private readonly uploaded: () => number,
    private readonly shown: () => void = () => undefined,
  ) {
    required("#cancel-all").addEventListener("click", () => this.#cancelAll());
    required("#retry-all").addEventListener("click", () => this.#retryAll());
  }

  /**
   * Show how far the queue is: at once if files were added, because that moves the cards, and when the last one has ended, else
   * a few times a second.
   */
  refresh(wereAdded: boolean): void {
    const { busy } = this.queue;
    const hasEnded = this.#wasBusy && !busy;
    this.#wasBusy = busy;
    this.#isStale = true;
    if (this.#waiting && !wereAdded && !hasEnded) return;
    clearTimeout(this.#waiting);
    this.#isStale = false;
    this.show();
    this.#waiting = setTimeout(() => {
      this.#waiting = undefined;
      if (this.#isStale) this.refresh(false);
    }, REFRESH_MS);
  }

  show(): void {
    const { run, busy, expected } = this.queue;
    const part = run.wholeBytes > 0 ? run.sentBytes / run.wholeBytes : 0;
    document.title = busy ? `${this.#percent.format(part)} · ${this.#title}` : this.#title;
    this.#box.hidden = run.count + run.refused < 2 && expected + this.queue.failed < 2;
    this.#bar.hidden = !busy || run.count < 2;
    this.#bar.value = part;
    required("#summary-text").textContent = busy && run.count > 1 ? this.#progressText() : summaryOf(this.uploaded(), this.queue.rejected);
    this.hide("#cancel-all", !busy || run.count < 2);
    this.hide("#retry-all", this.queue.failed === 0);
    this.shown();
  }

  /** Hide a part of the box, or show it. A button that disappears passes the focus on. */
  hide(id: string, hide: boolean): void {
    const element = required(id);
    const hadFocus = hide && element.contains(document.activeElement);
    element.hidden = hide;
    if (!hadFocus) return;
    const next = [...this.#box.querySelectorAll<HTMLElement>("button, a")].find((other) => other.offsetParent !== null);
    (next ?? required("#file")).focus();
  }

  #progressText(): string {
    const { run } = this.queue;
    const [sent, whole] = [size(run.sentBytes), size(run.wholeBytes)];
    const figures = { done: run.done, count: run.count, sent, whole };
    if (run.secondsLeft === undefined) return t("{done} of {count} uploaded, {sent} of {whole}", figures);
    return t("{done} of {count} uploaded, {sent} of {whole}, {left} left", { ...figures, left: duration(run.secondsLeft) });
  }

  #cancelAll(): void {
    const count = this.queue.cancelAll();
    this.show();
    // Shown and spoken apart from what is uploaded meanwhile.
    announce(tn("{count} upload cancelled.", "{count} uploads cancelled.", count), { staysMs: 8000 });
  }

  #retryAll(): void {
    this.queue.retryAll();
    this.show();
  }
}
