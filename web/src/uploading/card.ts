// What is seen of one file: its preview, how far it is, its link, and what can be done about it.

import { announce } from "../parts/announce";
import { copy } from "../parts/copy";
import { size, span } from "../parts/figures";
import { lang, tell, type Told } from "../parts/problems";
import { t } from "../parts/words";
import type { Picture } from "../mine/picture";
import { previewOf } from "./preview";
import type { Phase, Transfer } from "./transfer";

type Deed = "pause" | "resume" | "retry" | "cancel" | "copy" | "dismiss";

const DEEDS: Record<Phase, Deed[]> = {
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

const TELL_MS = 3000;

export type Doing = (deed: Exclude<Deed, "copy">) => void;

export class Card {
  readonly element: HTMLLIElement;
  #told: Phase | undefined;
  #toldAt = 0;
  #toldQuarters = 0;
  #lost = false;

  /** `act` is told what a person pressed. */
  constructor(
    readonly name: string,
    private readonly act: Doing,
  ) {
    const template = document.querySelector<HTMLTemplateElement>("#upload-card");
    this.element = document.importNode(template?.content as DocumentFragment, true).firstElementChild as HTMLLIElement;
    this.#part(".name").textContent = name;
    this.#part("progress").setAttribute("aria-label", name);
    for (const button of this.element.querySelectorAll<HTMLButtonElement>("button[data-deed]")) {
      button.setAttribute("aria-label", `${button.textContent?.trim() ?? ""}: ${name}`);
      button.addEventListener("click", () => this.#pressed(button.dataset["deed"] as Deed));
    }
  }

  async preview(file: Blob): Promise<void> {
    const address = await previewOf(file);
    if (address) this.#picture(address);
  }

  /** A problem that came before anything was sent; whoever chose the files is told of all at once. */
  refuse(problem: string): void {
    this.#phase("refused");
    this.#say({ words: problem, lang: lang() }, "problem");
  }

  show(transfer: Transfer): void {
    this.#phase(transfer.phase);
    const bar = this.#part<HTMLProgressElement>("progress");
    bar.max = transfer.file.size;
    if (transfer.phase === "processing") bar.removeAttribute("value");
    else bar.value = transfer.sent;
    this.#link(transfer);
    this.#say(transfer.problem ?? { words: stateOf(transfer), lang: lang() }, transfer.problem ? "problem" : "");
    if (this.#told !== transfer.phase) this.#tell(transfer);
    else if (transfer.phase === "sending") this.#tellProgress(transfer);
  }

  /** What takes a while is told by quarters to who does not see the bar. */
  #tellProgress({ sent, file }: Transfer): void {
    const quarters = Math.floor((sent / file.size) * 4);
    const soon = Date.now() - this.#toldAt < TELL_MS;
    if (soon || quarters <= this.#toldQuarters) return;
    this.#toldQuarters = quarters;
    this.#toldAt = Date.now();
    const words = t("{name}: {sent} of {whole} sent.", { name: this.name, sent: size(sent), whole: size(file.size) });
    const place = document.querySelector("#progress-words");
    if (place) place.textContent = words;
  }

  #tell({ phase, problem, isShortOfRoom }: Transfer): void {
    this.#told = phase;
    this.#toldAt = Date.now();
    if (phase === "done") announce(t("{name} uploaded.", { name: this.name }));
    if (phase === "sending" && this.#lost) announce(t("Back online. Resuming {name}.", { name: this.name }));
    this.#lost = phase === "offline" && !isShortOfRoom;
    if (phase === "offline" && isShortOfRoom)
      announce(t("The server is out of space. {name} resumes by itself.", { name: this.name }));
    else if (phase === "offline") announce(t("Connection lost. {name} resumes when you’re back online.", { name: this.name }));
    if (phase === "failed" || phase === "refused") {
      const words = t("{name} was not uploaded. {problem}", { name: this.name, problem: problem?.words ?? "" });
      announce(words.trim(), { staysMs: 8000, ...(problem ? { lang: problem.lang } : {}) });
    }
  }

  #link({ picture, phase }: Transfer): void {
    const field = this.#part<HTMLInputElement>(".link input");
    this.#part(".link").hidden = !picture || phase === "refused" || phase === "gone";
    if (!picture) return;
    field.value = picture.url;
    this.#part<HTMLAnchorElement>("a.open").href = `/i/${picture.slug}`;
    const manage = this.#part<HTMLAnchorElement>("a.manage-link");
    manage.hidden = phase !== "done";
    manage.href = `/i/${picture.slug}/manage#${picture.delete_token}`;
    const thumbnail = picture.renditions?.["thumbnail"]?.url;
    if (phase === "done" && thumbnail && this.#part<HTMLImageElement>("img").hidden) this.#picture(thumbnail);
  }

  #picture(address: string): void {
    const image = this.#part<HTMLImageElement>("img");
    image.src = address.startsWith("blob:") ? address : new URL(address, location.href).pathname;
    image.hidden = false;
  }

  #phase(phase: Phase): void {
    this.element.dataset["phase"] = phase;
    this.#part("progress").hidden = ["done", "refused", "gone", "failed"].includes(phase);
    for (const button of this.element.querySelectorAll<HTMLButtonElement>("button[data-deed]")) {
      const deed = button.dataset["deed"] as Deed;
      const hide = deed !== "copy" && !DEEDS[phase].includes(deed);
      if (hide && document.activeElement === button) this.#handOn(button);
      button.hidden = hide;
    }
  }

  /** The button that was pressed goes; whoever works by keyboard is not to be thrown to the top of the page. */
  #handOn(from: HTMLButtonElement): void {
    queueMicrotask(() => {
      const wanted = this.element.dataset["phase"] === "done" ? "[data-deed=copy]" : ".deeds button:not([hidden])";
      const next = this.element.querySelector<HTMLElement>(wanted);
      if (document.activeElement === document.body || document.activeElement === from) next?.focus();
    });
  }

  #say(said: Told, kind: string): void {
    const place = this.#part(".state");
    tell(place, said);
    place.className = `state ${kind}`;
  }

  #pressed(deed: Deed): void {
    if (deed !== "copy") this.act(deed);
    else void copy(this.#part<HTMLInputElement>(".link input").value, t("Link"));
  }

  #part<Part extends HTMLElement = HTMLElement>(selector: string): Part {
    const found = this.element.querySelector<Part>(selector);
    if (!found) throw new Error(selector);
    return found;
  }
}

function stateOf({ phase, sent, file, pace, isCutOff, isShortOfRoom, picture }: Transfer): string {
  const figures = { sent: size(sent), whole: size(file.size) };
  if (phase === "processing" && isCutOff) return t("Everything is sent, but the connection was lost. The upload finishes when you’re back online.");
  switch (phase) {
    case "waiting":
      return t("Queued, {whole}", figures);
    case "sending": {
      const speed = pace.speed;
      if (speed === undefined) return t("{sent} of {whole}", figures);
      const left = span((file.size - sent) / speed);
      return t("{sent} of {whole}, {speed}/s, {left} left", { ...figures, speed: size(speed), left });
    }
    case "paused":
      return t("Paused, {sent} of {whole}", figures);
    case "offline":
      if (isShortOfRoom) return t("Waiting for space on the server, {sent} of {whole}", figures);
      return t("Waiting for connection, {sent} of {whole}", figures);
    case "processing":
      return t("Processing …");
    case "done":
      return [size(picture?.bytes ?? file.size), ...lossesOf(picture)].join(". ");
    case "failed":
      return t("Upload failed. Try again to continue where it stopped.");
    case "refused":
      return t("This file was rejected.");
    case "gone":
      return t("Upload cancelled. Its link doesn’t work.");
  }
}

/** What its uploader would not expect to find gone, or still there. */
function lossesOf(picture: Picture | undefined): string[] {
  const losses: string[] = [];
  if (picture?.incomplete) losses.push(t("The file is incomplete: its end is missing"));
  if (picture?.private_data === "not-removable") losses.push(t("Some private data could not be removed"));
  if (picture?.content_credentials === "removed") losses.push(t("Content credentials (C2PA) were removed"));
  return losses;
}
