// The form on a card by which title, description and expiry are changed after a file was chosen, for one image or for all.

import { Problem } from "../parts/api";
import { say } from "../parts/announce";
import { fromTemplate } from "../parts/dom";
import { t } from "../parts/messages";
import { showText } from "../parts/problems";
import type { Edits } from "./edits";
import type { Transfer } from "./transfer";

interface Handlers {
  edit(edits: Edits, isForAll: boolean): Promise<void>;
}

let open: EditForm | undefined; // one at a time, for its fields have ids

export class EditForm {
  #form: HTMLFormElement | undefined;
  #before: Edits = {};

  /** The form is added to `place` when `opener` is pressed. */
  constructor(
    private readonly place: HTMLElement,
    private readonly opener: HTMLElement,
    private readonly transfer: Transfer,
    private readonly handlers: Handlers,
  ) {
    opener.setAttribute("aria-expanded", "false");
    opener.addEventListener("click", () => (this.#form ? this.close() : this.#open()));
  }

  /** The focus returns to the button that opened it, if it was in the form. */
  close(): void {
    const hadFocus = this.#form?.contains(document.activeElement);
    this.#form?.remove();
    this.#form = undefined;
    if (open === this) open = undefined;
    this.opener.setAttribute("aria-expanded", "false");
    if (hadFocus) this.opener.focus();
  }

  #open(): void {
    open?.close();
    open = this;
    const form = fromTemplate<HTMLFormElement>("#edit-form");
    this.#form = form;
    const { title, alt } = this.transfer;
    this.#before = { title, alt, expires_in: "" };
    for (const [name, value] of Object.entries(this.#before)) fieldOf(form, name).value = value;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save(form, event.submitter?.dataset["scope"] === "all");
    });
    this.place.append(form);
    this.opener.setAttribute("aria-expanded", "true");
    fieldOf(form, "title").focus();
  }

  async #save(form: HTMLFormElement, isForAll: boolean): Promise<void> {
    const values = Object.keys(this.#before).map((name) => [name, fieldOf(form, name).value] as const);
    const edits = Object.fromEntries(values.filter(([name, value]) => value !== this.#before[name]));
    try {
      await this.handlers.edit(edits, isForAll);
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      return showText(form.querySelector("[role=alert]") as HTMLElement, { text: fault.message, lang: fault.lang });
    }
    this.close();
    say(this.transfer.phase === "done" ? t("Saved.") : t("Saved for when the upload is complete."));
  }
}

const fieldOf = (form: HTMLFormElement, name: string): HTMLInputElement => form.elements.namedItem(name) as HTMLInputElement;
