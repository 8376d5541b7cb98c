// The card of one file: its preview, progress, link and actions.

import { thumbnailOf } from "../library/image";
import { copyField } from "../parts/copy";
import { fromTemplate } from "../parts/dom";
import { t } from "../parts/messages";
import { type LocalizedText, pageLanguage, showText } from "../parts/problems";
import { shareLink } from "../parts/share-button";
import { EditForm } from "./edit-form";
import type { Edits } from "./edits";
import { stateText } from "./state-text";
import type { Phase } from "./phase";
import type { Transfer } from "./transfer";

// Nobody waits for it, so it comes after the page; it is asked for at once, so that it is there when a file is.
const loading = import("./preview").catch(() => undefined);

type Action = "pause" | "resume" | "retry" | "cancel" | "edit" | "dismiss";

const ACTIONS: Record<Phase, Action[]> = {
  waiting: ["edit", "cancel"],
  sending: ["pause", "edit", "cancel"],
  paused: ["resume", "edit", "cancel"],
  offline: ["edit", "cancel"],
  processing: ["edit"],
  done: ["edit", "dismiss"],
  failed: ["retry", "cancel"],
  refused: ["dismiss"],
  gone: ["dismiss"],
};

export interface CardHandlers {
  /** A button was pressed. */
  act(action: Exclude<Action, "edit">): void;
  /** Title, description or expiry were changed, of this image or of all. Throws Problem. */
  edit(edits: Edits, isForAll: boolean): Promise<void>;
}

export class Card {
  readonly element: HTMLLIElement;
  #form: EditForm | undefined;

  constructor(
    readonly name: string,
    private readonly handlers: CardHandlers,
  ) {
    this.element = fromTemplate("#upload-card");
    this.element.tabIndex = -1; // takes the focus while there is nothing to press
    this.#find(".name").textContent = name;
    this.#find(".name").title = name;
    this.#find("progress").setAttribute("aria-label", name);
    for (const part of this.element.querySelectorAll("button, .actions a")) {
      part.setAttribute("aria-label", `${part.textContent?.trim() ?? ""}: ${name}`);
    }
    for (const button of this.#actions) {
      const action = button.dataset["action"] as Action;
      if (action !== "edit") button.addEventListener("click", () => this.handlers.act(action));
    }
    const [copies, field] = [this.#find<HTMLButtonElement>(".copy"), this.#find<HTMLInputElement>(".link input")];
    copies.addEventListener("click", () => void copyField(copies, field, t("Link")));
  }

  async preview(file: Blob): Promise<void> {
    const address = await (await loading)?.previewOf(file);
    if (address) this.#showThumbnail(address);
  }

  /** Show why the file isn't uploaded. */
  refuse(problem: string): void {
    this.#enterPhase("refused");
    this.#showState({ text: problem, lang: pageLanguage() }, "problem");
  }

  show(transfer: Transfer): void {
    const opener = this.element.querySelector<HTMLElement>("[data-action=edit]");
    if (opener) this.#form ??= new EditForm(this.#find(".about"), opener, transfer, this.handlers);
    this.#enterPhase(transfer.phase);
    const bar = this.#find<HTMLProgressElement>("progress");
    bar.max = transfer.file.size;
    if (transfer.phase === "processing") bar.removeAttribute("value");
    else bar.value = transfer.sent;
    const title = this.#find(".title");
    title.textContent = transfer.title;
    title.hidden = transfer.title === "";
    this.#updateLinks(transfer);
    this.#showState(transfer.problem ?? { text: stateText(transfer), lang: pageLanguage() }, transfer.problem ? "problem" : "");
  }

  get #actions(): NodeListOf<HTMLButtonElement> {
    return this.element.querySelectorAll<HTMLButtonElement>("button[data-action]");
  }

  #updateLinks({ image, phase, duplicateOf }: Transfer): void {
    const isOpen = image !== undefined && phase !== "refused" && phase !== "gone";
    for (const part of this.element.querySelectorAll<HTMLElement>(".link, a.open")) part.hidden = !isOpen;
    const shares = this.#find<HTMLButtonElement>(".share");
    shares.hidden = !isOpen || !("share" in navigator);
    if (!image) return;
    this.#find(".name").textContent = image.filename; // which the server has cleaned
    shares.onclick = () => void shareLink(image.url, this.name);
    this.#find<HTMLInputElement>(".link input").value = image.url;
    this.#find<HTMLAnchorElement>("a.open").href = `/i/${image.slug}`;
    const manage = this.#find<HTMLAnchorElement>("a.manage-link");
    manage.hidden = phase !== "done";
    manage.href = `/i/${image.slug}/manage#${image.delete_token}`;
    this.#find(".earlier").hidden = duplicateOf === undefined;
    if (duplicateOf) this.#find<HTMLAnchorElement>(".earlier a").href = `/i/${duplicateOf}`;
    const thumbnail = thumbnailOf(image);
    if (phase === "done" && thumbnail && this.#find<HTMLImageElement>("img").hidden) this.#showThumbnail(thumbnail);
  }

  #showThumbnail(address: string): void {
    const thumbnail = this.#find<HTMLImageElement>("img");
    thumbnail.src = address.startsWith("blob:") ? address : new URL(address, location.href).pathname;
    thumbnail.hidden = false;
  }

  #enterPhase(phase: Phase): void {
    this.element.dataset["phase"] = phase;
    this.#find("progress").hidden = ["done", "refused", "gone", "failed"].includes(phase);
    for (const button of this.#actions) {
      const hide = !ACTIONS[phase].includes(button.dataset["action"] as Action);
      if (hide && document.activeElement === button) this.#moveFocus(button);
      button.hidden = hide;
    }
    if (!ACTIONS[phase].includes("edit")) this.#form?.close();
  }

  /** The pressed button disappears: keep a keyboard user's focus in the card, instead of at the top of the page. */
  #moveFocus(from: HTMLButtonElement): void {
    queueMicrotask(() => {
      const selector = this.element.dataset["phase"] === "done" ? ".copy" : ".actions [data-action]:not([hidden])";
      const next = this.element.querySelector<HTMLElement>(selector);
      if (document.activeElement === document.body || document.activeElement === from) (next ?? this.element).focus();
    });
  }

  #showState(text: LocalizedText, kind: string): void {
    const place = this.#find(".state");
    showText(place, text);
    place.className = `state ${kind}`;
  }

  #find<Part extends HTMLElement = HTMLElement>(selector: string): Part {
    const found = this.element.querySelector<Part>(selector);
    if (!found) throw new Error(selector);
    return found;
  }
}
