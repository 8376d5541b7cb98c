// One image of the list: its thumbnail, expiry, link and checkbox.

import { copy } from "../parts/copy";
import { locale, t } from "../parts/messages";
import { type LibraryImage, saveImages } from "./store";

export class Row {
  readonly element: HTMLLIElement;
  readonly checkbox: HTMLInputElement;
  /** Whether the image was deleted or has expired; its manage page can restore it for some days. */
  hasEnded = false;

  constructor(public image: LibraryImage) {
    const template = document.querySelector<HTMLTemplateElement>("#image-card")?.content as DocumentFragment;
    this.element = document.importNode(template, true).firstElementChild as HTMLLIElement;
    this.checkbox = this.element.querySelector("input") as HTMLInputElement;
    const name = image.title ?? image.filename;
    const set = (selector: string, change: (part: HTMLElement) => void): void =>
      change(this.element.querySelector(selector) as HTMLElement);
    set(".name", (part) => (part.textContent = name));
    set("input", (part) => part.setAttribute("aria-label", t("Select {name}", { name })));
    set("a.manage-link", (part) => (part as HTMLAnchorElement).href = `/i/${image.slug}/manage#${image.delete_token}`);
    set("a.open", (part) => ((part as HTMLAnchorElement).href = `/i/${image.slug}`));
    set("button", (part) => {
      part.setAttribute("aria-label", t("Copy the link to {name}", { name }));
      part.addEventListener("click", () => void copy(image.url, t("Link")));
    });
    this.#showThumbnail();
    this.show();
  }

  /** Show what is known about the image. */
  show(): void {
    const { expires_at, gone } = this.image;
    const ends = expires_at === null ? NaN : Date.parse(expires_at);
    this.hasEnded = gone === true || ends <= Date.now();
    this.element.classList.toggle("gone", this.hasEnded);
    for (const link of this.element.querySelectorAll<HTMLElement>("a.open, .actions button")) link.hidden = this.hasEnded;
    const date = new Intl.DateTimeFormat(locale(), { dateStyle: "medium" });
    const kept = Number.isNaN(ends) ? "" : t("Expires {date}", { date: date.format(ends) });
    const text = this.hasEnded ? t("No longer available") : kept;
    (this.element.querySelector(".state") as HTMLElement).textContent = text;
  }

  /** Ask the server about the image, and store the reply. */
  async refresh(): Promise<void> {
    const reply = await fetch(`/api/v1/images/${this.image.slug}`).catch(() => undefined);
    if (reply?.status === 404 || reply?.status === 410) this.image = { ...this.image, gone: true };
    else if (reply?.ok) {
      const { expires_at, title } = (await reply.json()) as { expires_at?: string; title: string | null };
      this.image = { ...this.image, expires_at: expires_at ?? this.image.expires_at, title, gone: false };
    } else return;
    await saveImages(this.image);
    (this.element.querySelector(".name") as HTMLElement).textContent = this.image.title ?? this.image.filename;
    this.show();
  }

  #showThumbnail(): void {
    const thumbnail = this.element.querySelector("img") as HTMLImageElement;
    thumbnail.addEventListener("error", () => {
      thumbnail.hidden = true;
      void this.refresh();
    });
    thumbnail.hidden = this.image.thumbnail === null;
    if (this.image.thumbnail !== null) thumbnail.src = new URL(this.image.thumbnail, location.href).pathname;
  }
}
