// One image of the list: its thumbnail, name and expiry, a checkbox, and what can be done with it alone.

import { fromTemplate } from "../parts/dom";
import { DAY_MS, dateOf } from "../parts/formatting";
import { t, tn } from "../parts/messages";
import { hasEnded, isExpired, isInBin, nameOf, protectionTexts } from "./image";
import type { LibraryImage } from "./store";

export class Row {
  readonly element: HTMLLIElement;
  readonly checkbox: HTMLInputElement;
  readonly #link: HTMLAnchorElement;
  readonly #thumbnail: HTMLImageElement;
  #preview: string | undefined;
  #isTabStop = false;

  constructor(public image: LibraryImage) {
    this.element = fromTemplate("#image-card");
    this.element.dataset["slug"] = image.slug;
    this.checkbox = this.#part("input");
    this.#link = this.#part("a.open");
    this.#thumbnail = this.#part("img");
    this.#show();
  }

  /** Show what is known about the image now. */
  update(image: LibraryImage): void {
    if (isSame(image, this.image)) return;
    this.image = image;
    this.#show();
  }

  /** Whether Tab reaches its controls. */
  setTabStop(isTabStop: boolean): void {
    this.#isTabStop = isTabStop;
    for (const control of this.#controls) control.tabIndex = isTabStop && isPressable(control) ? 0 : -1;
  }

  /** Focus the control that is to this row what `control` is to the other one; the checkbox if there is none now. */
  focusLike(other: Row, control: HTMLElement): void {
    const like = this.#controls[other.#controls.indexOf(control)];
    (like?.checkVisibility() && isPressable(like) ? like : this.checkbox).focus();
  }

  /** The list has no such image any more. */
  discard(): void {
    if (this.#preview) URL.revokeObjectURL(this.#preview);
    this.element.remove();
  }

  #show(): void {
    const { slug, delete_token } = this.image;
    const isOver = hasEnded(this.image);
    const isBinned = isInBin(this.image);
    const name = nameOf(this.image);
    this.element.classList.toggle("gone", isOver && !isBinned);
    this.#part(".name").textContent = name;
    this.#part(".state").textContent = isBinned ? timeLeft(this.image) : stateOf(this.image);
    this.checkbox.setAttribute("aria-label", t("Select {name}", { name }));
    if (isOver) this.#link.removeAttribute("href");
    else this.#link.href = `/i/${slug}`;
    this.#part<HTMLAnchorElement>("a.manage-link").href = `/i/${slug}/manage#${delete_token}`;
    for (const action of this.element.querySelectorAll<HTMLElement>(".actions > *")) {
      action.hidden = isBinned ? action.dataset["in"] !== "bin" : action.dataset["in"] === "bin" || (isOver && action.dataset["needs"] === "link");
      action.setAttribute("aria-label", `${action.textContent}: ${name}`);
    }
    this.#showThumbnail(isOver);
    if (this.#isTabStop) this.setTabStop(true);
  }

  get #controls(): HTMLElement[] {
    return [...this.element.querySelectorAll<HTMLElement>("input, a, button")];
  }

  /** The server shows no thumbnail of an image that has ended; of one in the bin the browser has a copy. */
  #showThumbnail(isOver: boolean): void {
    const { preview, thumbnail } = this.image;
    if (preview) this.#preview ??= URL.createObjectURL(preview);
    const source = this.#preview ?? (isOver || thumbnail === null ? undefined : new URL(thumbnail, location.href).pathname);
    if (source === undefined) {
      if (!this.#thumbnail.complete || this.#thumbnail.naturalWidth === 0) this.#thumbnail.hidden = true; // one that was loaded may stay
    } else if (this.#thumbnail.getAttribute("src") !== source) {
      this.#thumbnail.hidden = false;
      this.#thumbnail.src = source;
    }
  }

  #part<Part extends HTMLElement>(selector: string): Part {
    return this.element.querySelector(selector) as Part;
  }
}

/** The link of an image that has ended leads nowhere. */
const isPressable = (control: HTMLElement): boolean => control.matches("input, button, [href]");

const STATE = ["title", "expires_at", "gone", "restorable_until", "viewed_at", "locked", "one_view"] as const;

const isSame = (a: LibraryImage, b: LibraryImage): boolean =>
  STATE.every((key) => a[key] === b[key]);

function stateOf(image: LibraryImage): string {
  if (isExpired(image)) return t("Expired");
  if (image.viewed_at) return t("Viewed {date}. That was its one view.", { date: dateOf(image.viewed_at) });
  if (image.gone) return image.one_view ? t("Viewed or deleted") : t("Deleted");
  const expiry = image.expires_at === null ? [] : [t("Expires {date}", { date: dateOf(image.expires_at) })];
  return [...protectionTexts(image), ...expiry].join(". ");
}

/** How long an image or album stays in the bin. */
export function timeLeft({ restorable_until }: { restorable_until?: string }): string {
  const days = (Date.parse(restorable_until ?? "") - Date.now()) / DAY_MS;
  return days < 1 ? t("Less than a day left") : tn("{count} day left", "{count} days left", Math.round(days));
}
