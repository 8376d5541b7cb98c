// The summary above the cards: how far several files are, in the title of the tab too, and what can be done with all of them.

import { announce } from "../parts/announce";
import { copyField } from "../parts/copy";
import { required } from "../parts/dom";
import { duration, size } from "../parts/formatting";
import { locale, t, tn } from "../parts/messages";
import { summaryOf } from "./announcer";
import type { Code, EmbedCodes } from "./embed-codes";
import type { Queue } from "./queue";

const REFRESH_MS = 200;
const DEFAULT_SIZE = "medium";

export class Summary {
  #box = required("#summary");
  #bar = required<HTMLProgressElement>("#summary progress");
  #codes = required<HTMLTextAreaElement>("#codes");
  #kind = required<HTMLSelectElement>("#code");
  #size = required<HTMLSelectElement>("#code-size");
  #title = document.title;
  #percent = new Intl.NumberFormat(locale(), { style: "percent" });
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #isStale = false;
  #wasBusy = false;
  #isCreating = false;
  #embedCodes: EmbedCodes | undefined;

  constructor(private readonly queue: Queue) {
    this.#size.value = DEFAULT_SIZE;
    if (this.#size.value === "") this.#size.selectedIndex = 0; // sizes have other names here
    const act = (id: string, action: (button: HTMLButtonElement) => void): void =>
      required(id).addEventListener("click", ({ currentTarget }) => action(currentTarget as HTMLButtonElement));
    act("#cancel-all", () => this.#cancelAll());
    act("#retry-all", () => this.#retryAll());
    act("#copy-all", (button) => this.#copyAll(button));
    act("#copy-codes", (button) => void copyField(button, this.#codes, this.#kind.selectedOptions[0]?.text ?? ""));
    act("#make-album", () => void this.#makeAlbum());
    for (const select of [this.#kind, this.#size]) select.addEventListener("change", () => this.#show());
    this.#codes.addEventListener("focus", () => this.#codes.select());
    required("#code-box").addEventListener("toggle", () => void this.#loadCodes());
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
    this.#show();
    this.#waiting = setTimeout(() => {
      this.#waiting = undefined;
      if (this.#isStale) this.refresh(false);
    }, REFRESH_MS);
  }

  #show(): void {
    const { run, images, busy, expected } = this.queue;
    const part = run.wholeBytes > 0 ? run.sentBytes / run.wholeBytes : 0;
    document.title = busy ? `${this.#percent.format(part)} · ${this.#title}` : this.#title;
    this.#box.hidden = run.count + run.refused < 2 && expected + this.queue.failed < 2;
    this.#bar.hidden = !busy || run.count < 2;
    this.#bar.value = part;
    required("#summary-text").textContent = busy && run.count > 1 ? this.#progressText() : summaryOf(images.length, this.queue.rejected);
    this.#hide("#cancel-all", !busy || run.count < 2);
    this.#hide("#retry-all", this.queue.failed === 0);
    for (const id of ["#copy-all", "#make-album", "#code-box"]) this.#hide(id, expected < 2);
    setDisabled("#copy-all", images.length === 0);
    setDisabled("#make-album", busy || this.#isCreating || images.length === 0);
    this.#size.disabled = this.#kind.value === "links";
    const kind = this.#kind.value as Code | "links";
    const links = images.map(({ url }) => url).join("\n");
    const codes = kind === "links" ? links : (this.#embedCodes?.(images, kind, this.#size.value) ?? "");
    if (codes !== this.#codes.value) this.#codes.value = codes; // what is selected in it stays so
  }

  #progressText(): string {
    const { run } = this.queue;
    const [sent, whole] = [size(run.sentBytes), size(run.wholeBytes)];
    const figures = { done: run.done, count: run.count, sent, whole };
    if (run.secondsLeft === undefined) return t("{done} of {count} uploaded, {sent} of {whole}", figures);
    return t("{done} of {count} uploaded, {sent} of {whole}, {left} left", { ...figures, left: duration(run.secondsLeft) });
  }

  /** A button that disappears passes the focus on. */
  #hide(id: string, hide: boolean): void {
    const element = required(id);
    const hadFocus = hide && element.contains(document.activeElement);
    element.hidden = hide;
    if (!hadFocus) return;
    const next = [...this.#box.querySelectorAll<HTMLElement>("button, a")].find((other) => other.offsetParent !== null);
    (next ?? required("#file")).focus();
  }

  /** What writes the codes is needed once somebody looks at them. Without a connection they stay empty until that is repeated. */
  async #loadCodes(): Promise<void> {
    const codes = this.#embedCodes ? undefined : await import("./embed-codes").catch(() => undefined);
    this.#embedCodes ??= codes?.embedCodes;
    this.#show();
  }

  #cancelAll(): void {
    const count = this.queue.cancelAll();
    this.#show();
    announce(tn("{count} upload cancelled.", "{count} uploads cancelled.", count), { staysMs: 8000 }); // shown and spoken apart from what is uploaded meanwhile
  }

  #retryAll(): void {
    this.queue.retryAll();
    this.#show();
  }

  #copyAll(button: HTMLButtonElement): void {
    const { length } = this.queue.images;
    if (length === 0) return;
    this.#kind.value = "links";
    this.#show();
    void copyField(button, this.#codes, tn("{count} link", "{count} links", length)); // others may still be uploaded
  }

  async #makeAlbum(): Promise<void> {
    const slugs = this.queue.images.map(({ slug }) => slug);
    if (this.queue.busy || this.#isCreating || slugs.length === 0) return;
    this.#isCreating = true;
    this.#show();
    try {
      const { createAlbumAndOpen } = await import("../library/albums");
      await createAlbumAndOpen(slugs, () => this.queue.findAvailable());
    } catch {
      announce(t("The server can’t be reached. Check your connection and try again."), { staysMs: 8000 });
    }
    this.#isCreating = false;
    this.#show();
  }
}

/** Unlike a disabled button, this one keeps the focus. */
function setDisabled(id: string, isDisabled: boolean): void {
  required(id).setAttribute("aria-disabled", String(isDisabled));
}
