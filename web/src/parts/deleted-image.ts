// What takes the place of an image's page once it is deleted: the bin, or the undo button for as long as it works.

import { announce } from "./announce";
import { Problem } from "./api";
import { t } from "./messages";
import { restorableText } from "./restoring";

export interface Choices {
  /** Restore the image and show its page again. Throws Problem. */
  restore: () => Promise<void>;
  /** Have the image erased, though it is in the bin. Throws Problem. */
  deleteNow: () => Promise<void>;
}

export class DeletedImage {
  readonly #page: HTMLElement;
  readonly #choices: Choices;
  #shown: HTMLElement | undefined;
  #ticking: ReturnType<typeof setInterval> | undefined;
  #isBusy = false;

  /** It is shown after `page`, which the caller has hidden. */
  constructor(page: HTMLElement, choices: Choices) {
    this.#page = page;
    this.#choices = choices;
  }

  /** Show the bin, or the undo button on a host that has none. `until` is the time (RFC 3339) up to which it is kept. */
  show(until: string | null): void {
    const bin = this.#part("#in-bin");
    if (bin && until) this.#showBin(bin, until);
    else this.#showUndo();
  }

  #showBin(bin: HTMLElement, until: string): void {
    bin.querySelector(".until")!.textContent = restorableText(until);
    bin.querySelector("[data-action=restore]")!.addEventListener("click", () => void this.#restore());
    bin.querySelector("[data-action=delete-now]")!.addEventListener("click", () => void this.#deleteNow());
    this.#replace(bin);
  }

  /** Show the undo button for as long as the server allows to undo. */
  #showUndo(): void {
    const undo = this.#part("#undoing")!;
    const button = undo.querySelector("button")!;
    this.#replace(undo);
    const until = Date.now() + Number(button.dataset["seconds"]) * 1000;
    const tick = (): void => {
      const left = Math.ceil((until - Date.now()) / 1000);
      button.textContent = t("Undo ({seconds} s)", { seconds: left });
      if (left > 0) return;
      clearInterval(this.#ticking);
      if (document.activeElement === button) undo.querySelector<HTMLElement>("h1")!.focus();
      button.hidden = true;
      announce(t("This can no longer be undone."));
    };
    this.#ticking = setInterval(tick, 250);
    tick();
    button.addEventListener("click", () => {
      clearInterval(this.#ticking);
      void this.#restore();
    });
  }

  #part(selector: string): HTMLElement | undefined {
    const part = document.querySelector<HTMLTemplateElement>("#deleted")!.content.querySelector<HTMLElement>(selector);
    return part ? document.importNode(part, true) : undefined;
  }

  #replace(next: HTMLElement): void {
    this.#shown?.remove();
    this.#shown = next;
    this.#page.after(next);
    next.querySelector<HTMLElement>("h1")!.focus();
  }

  async #restore(): Promise<void> {
    if (await this.#attempt(this.#choices.restore)) this.#shown?.remove();
  }

  async #deleteNow(): Promise<void> {
    if (await this.#attempt(this.#choices.deleteNow)) this.#showUndo();
  }

  /** One at a time. A problem is announced; the button that was pressed keeps the focus, so that it can be pressed again. */
  async #attempt(choice: () => Promise<void>): Promise<boolean> {
    if (this.#isBusy) return false;
    this.#isBusy = true;
    try {
      await choice();
      return true;
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      announce(fault.message, { lang: fault.lang });
      return false;
    } finally {
      this.#isBusy = false;
    }
  }
}
