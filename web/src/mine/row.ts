// One of my pictures in the list: its thumbnail, when it ends, its link, and a box to tick.

import { copy } from "../parts/copy";
import { locale, t } from "../parts/words";
import { keep, type Mine } from "./store";

export class Row {
  readonly element: HTMLLIElement;
  readonly tick: HTMLInputElement;
  /** Whether the picture is gone or past its time; for some days it can still be brought back by its manage page. */
  over = false;

  constructor(public mine: Mine) {
    const template = document.querySelector<HTMLTemplateElement>("#picture-card")?.content as DocumentFragment;
    this.element = document.importNode(template, true).firstElementChild as HTMLLIElement;
    this.tick = this.element.querySelector("input") as HTMLInputElement;
    const name = mine.title ?? mine.filename;
    const set = (selector: string, change: (part: HTMLElement) => void): void =>
      change(this.element.querySelector(selector) as HTMLElement);
    set(".name", (part) => (part.textContent = name));
    set("input", (part) => part.setAttribute("aria-label", t("Select {name}", { name })));
    set("a.manage-link", (part) => (part as HTMLAnchorElement).href = `/i/${mine.slug}/manage#${mine.delete_token}`);
    set("a.open", (part) => ((part as HTMLAnchorElement).href = `/i/${mine.slug}`));
    set("button", (part) => {
      part.setAttribute("aria-label", t("Copy the link to {name}", { name }));
      part.addEventListener("click", () => void copy(mine.url, t("Link")));
    });
    this.#thumbnail();
    this.show();
  }

  /** Say what is known of it now. */
  show(): void {
    const { expires_at, gone } = this.mine;
    const ends = expires_at === null ? NaN : Date.parse(expires_at);
    this.over = gone === true || ends <= Date.now();
    this.element.classList.toggle("gone", this.over);
    for (const link of this.element.querySelectorAll<HTMLElement>("a.open, .deeds button")) link.hidden = this.over;
    const date = new Intl.DateTimeFormat(locale(), { dateStyle: "medium" });
    const kept = Number.isNaN(ends) ? "" : t("Expires {date}", { date: date.format(ends) });
    const words = this.over ? t("No longer available") : kept;
    (this.element.querySelector(".state") as HTMLElement).textContent = words;
  }

  /** Ask the server how it is, and remember that. */
  async refresh(): Promise<void> {
    const reply = await fetch(`/api/v1/images/${this.mine.slug}`).catch(() => undefined);
    if (reply?.status === 404 || reply?.status === 410) this.mine = { ...this.mine, gone: true };
    else if (reply?.ok) {
      const { expires_at, title } = (await reply.json()) as { expires_at?: string; title: string | null };
      this.mine = { ...this.mine, expires_at: expires_at ?? this.mine.expires_at, title, gone: false };
    } else return;
    await keep(this.mine);
    (this.element.querySelector(".name") as HTMLElement).textContent = this.mine.title ?? this.mine.filename;
    this.show();
  }

  #thumbnail(): void {
    const image = this.element.querySelector("img") as HTMLImageElement;
    image.addEventListener("error", () => {
      image.hidden = true;
      void this.refresh();
    });
    image.hidden = this.mine.thumbnail === null;
    if (this.mine.thumbnail !== null) image.src = new URL(this.mine.thumbnail, location.href).pathname;
  }
}
