// The card of one file: its preview, progress, link and actions.

import { announce } from "../parts/announce";
import { copy } from "../parts/copy";
import { duration, size } from "../parts/formatting";
import { type LocalizedText, pageLanguage, showText } from "../parts/problems";
import { t } from "../parts/messages";
import type { ImageResource } from "../library/image";
import { previewOf } from "./preview";
import type { Phase, Transfer } from "./transfer";

type Action = "pause" | "resume" | "retry" | "cancel" | "copy" | "dismiss";

const ACTIONS: Record<Phase, Action[]> = {
  waiting: ["cancel"],
  sending: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  offline: ["cancel"],
  processing: [],
  done: ["dismiss"],
  failed: ["retry", "cancel"],
  refused: ["dismiss"],
  gone: ["dismiss"],
};

const ANNOUNCE_MS = 3000;

export type ActionHandler = (action: Exclude<Action, "copy">) => void;

export class Card {
  readonly element: HTMLLIElement;
  #announced: Phase | undefined;
  #announcedAt = 0;
  #announcedQuarters = 0;
  #wasOffline = false;

  /** `act` is called with the action whose button was pressed. */
  constructor(
    readonly name: string,
    private readonly act: ActionHandler,
  ) {
    const template = document.querySelector<HTMLTemplateElement>("#upload-card");
    this.element = document.importNode(template?.content as DocumentFragment, true).firstElementChild as HTMLLIElement;
    this.#find(".name").textContent = name;
    this.#find("progress").setAttribute("aria-label", name);
    for (const button of this.element.querySelectorAll<HTMLButtonElement>("button[data-action]")) {
      button.setAttribute("aria-label", `${button.textContent?.trim() ?? ""}: ${name}`);
      button.addEventListener("click", () => this.#press(button.dataset["action"] as Action));
    }
  }

  async preview(file: Blob): Promise<void> {
    const address = await previewOf(file);
    if (address) this.#showThumbnail(address);
  }

  /** Show why the file isn't uploaded. The page announces the problems of all chosen files at once. */
  refuse(problem: string): void {
    this.#enterPhase("refused");
    this.#showState({ text: problem, lang: pageLanguage() }, "problem");
  }

  show(transfer: Transfer): void {
    this.#enterPhase(transfer.phase);
    const bar = this.#find<HTMLProgressElement>("progress");
    bar.max = transfer.file.size;
    if (transfer.phase === "processing") bar.removeAttribute("value");
    else bar.value = transfer.sent;
    this.#updateLink(transfer);
    this.#showState(transfer.problem ?? { text: stateText(transfer), lang: pageLanguage() }, transfer.problem ? "problem" : "");
    if (this.#announced !== transfer.phase) this.#announcePhase(transfer);
    else if (transfer.phase === "sending") this.#announceProgress(transfer);
  }

  /** Announce a long upload at each quarter, for those who don't see the progress bar. */
  #announceProgress({ sent, file }: Transfer): void {
    const quarters = Math.floor((sent / file.size) * 4);
    const isTooSoon = Date.now() - this.#announcedAt < ANNOUNCE_MS;
    if (isTooSoon || quarters <= this.#announcedQuarters) return;
    this.#announcedQuarters = quarters;
    this.#announcedAt = Date.now();
    const text = t("{name}: {sent} of {whole} sent.", { name: this.name, sent: size(sent), whole: size(file.size) });
    const place = document.querySelector("#progress-text");
    if (place) place.textContent = text;
  }

  #announcePhase({ phase, problem, waitsForSpace }: Transfer): void {
    this.#announced = phase;
    this.#announcedAt = Date.now();
    if (phase === "done") announce(t("{name} uploaded.", { name: this.name }));
    if (phase === "sending" && this.#wasOffline) announce(t("Back online. Resuming {name}.", { name: this.name }));
    this.#wasOffline = phase === "offline" && !waitsForSpace;
    if (phase === "offline" && waitsForSpace)
      announce(t("The server is out of space. {name} resumes by itself.", { name: this.name }));
    else if (phase === "offline") announce(t("Connection lost. {name} resumes when you’re back online.", { name: this.name }));
    if (phase === "failed" || phase === "refused") {
      const text = t("{name} was not uploaded. {problem}", { name: this.name, problem: problem?.text ?? "" });
      announce(text.trim(), { staysMs: 8000, ...(problem ? { lang: problem.lang } : {}) });
    }
  }

  #updateLink({ image, phase }: Transfer): void {
    const field = this.#find<HTMLInputElement>(".link input");
    this.#find(".link").hidden = !image || phase === "refused" || phase === "gone";
    if (!image) return;
    field.value = image.url;
    this.#find<HTMLAnchorElement>("a.open").href = `/i/${image.slug}`;
    const manage = this.#find<HTMLAnchorElement>("a.manage-link");
    manage.hidden = phase !== "done";
    manage.href = `/i/${image.slug}/manage#${image.delete_token}`;
    const thumbnail = image.renditions?.["thumbnail"]?.url;
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
    for (const button of this.element.querySelectorAll<HTMLButtonElement>("button[data-action]")) {
      const action = button.dataset["action"] as Action;
      const hide = action !== "copy" && !ACTIONS[phase].includes(action);
      if (hide && document.activeElement === button) this.#moveFocus(button);
      button.hidden = hide;
    }
  }

  /** The pressed button disappears: keep a keyboard user's focus in the card, instead of at the top of the page. */
  #moveFocus(from: HTMLButtonElement): void {
    queueMicrotask(() => {
      const selector = this.element.dataset["phase"] === "done" ? "[data-action=copy]" : ".actions button:not([hidden])";
      const next = this.element.querySelector<HTMLElement>(selector);
      if (document.activeElement === document.body || document.activeElement === from) next?.focus();
    });
  }

  #showState(text: LocalizedText, kind: string): void {
    const place = this.#find(".state");
    showText(place, text);
    place.className = `state ${kind}`;
  }

  #press(action: Action): void {
    if (action !== "copy") this.act(action);
    else void copy(this.#find<HTMLInputElement>(".link input").value, t("Link"));
  }

  #find<Part extends HTMLElement = HTMLElement>(selector: string): Part {
    const found = this.element.querySelector<Part>(selector);
    if (!found) throw new Error(selector);
    return found;
  }
}

function stateText({ phase, sent, file, rate, isDisconnected, waitsForSpace, image }: Transfer): string {
  const figures = { sent: size(sent), whole: size(file.size) };
  if (phase === "processing" && isDisconnected) return t("All data has been sent, but the connection was lost. The upload finishes when you’re back online.");
  switch (phase) {
    case "waiting":
      return t("Queued, {whole}", figures);
    case "sending": {
      const speed = rate.bytesPerSecond;
      if (speed === undefined) return t("{sent} of {whole}", figures);
      const left = duration((file.size - sent) / speed);
      return t("{sent} of {whole}, {speed}/s, {left} left", { ...figures, speed: size(speed), left });
    }
    case "paused":
      return t("Paused, {sent} of {whole}", figures);
    case "offline":
      if (waitsForSpace) return t("Waiting for space on the server, {sent} of {whole}", figures);
      return t("Waiting for connection, {sent} of {whole}", figures);
    case "processing":
      return t("Processing …");
    case "done":
      return [size(image?.bytes ?? file.size), ...lossesOf(image)].join(". ");
    case "failed":
      return t("Upload failed. Try again to continue where it stopped.");
    case "refused":
      return t("This file was rejected.");
    case "gone":
      return t("Upload cancelled. Its link doesn’t work.");
  }
}

/** What the uploader wouldn't expect: data that was removed, or that couldn't be. */
function lossesOf(image: ImageResource | undefined): string[] {
  const losses: string[] = [];
  if (image?.private_data === "not-removable") losses.push(t("Some private data could not be removed"));
  if (image?.content_credentials === "removed") losses.push(t("Content credentials (C2PA) were removed"));
  return losses;
}
