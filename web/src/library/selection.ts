// Which images of the list are selected: one by one, in ranges with Shift, or all that are shown.

import type { Gallery } from "./gallery";
import { isArrow, neighbour } from "./neighbours";
import type { LibraryImage } from "./store";

export class Selection {
  readonly #slugs = new Set<string>();
  #shown: LibraryImage[] = [];
  #anchor: string | undefined; // the checkbox that was pressed last

  /** `changed` is called when others are selected than before. */
  constructor(
    private readonly gallery: Gallery,
    place: HTMLElement,
    private readonly changed: () => void,
  ) {
    place.addEventListener("click", (event) => this.#onClick(event));
    place.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** The selected images, in the order of the list. */
  get images(): LibraryImage[] {
    return this.#shown.filter(({ slug }) => this.#slugs.has(slug));
  }

  has(slug: string): boolean {
    return this.#slugs.has(slug);
  }

  /** The list shows these now. What it shows no more is selected no more, because nobody would see it. */
  keepTo(shown: LibraryImage[]): void {
    this.#shown = shown;
    const there = new Set(shown.map(({ slug }) => slug));
    for (const slug of this.#slugs) if (!there.has(slug)) this.#slugs.delete(slug);
  }

  selectAll(isSelected: boolean): void {
    this.#set(this.#shown.map(({ slug }) => slug), isSelected);
  }

  #set(slugs: string[], isSelected: boolean): void {
    for (const slug of slugs) {
      if (isSelected) this.#slugs.add(slug);
      else this.#slugs.delete(slug);
      const row = this.gallery.row(slug);
      if (row) row.checkbox.checked = isSelected;
    }
    this.changed();
  }

  #onClick({ target, shiftKey }: MouseEvent): void {
    const slug = slugOf(target);
    if (slug === undefined) return;
    this.#set(shiftKey && this.#anchor !== undefined ? this.#between(this.#anchor, slug) : [slug], (target as HTMLInputElement).checked);
    this.#anchor = slug;
  }

  /** Shift and an arrow select what the focus moves over; the way back takes it out again. */
  #onKey(event: KeyboardEvent): void {
    if (!event.shiftKey || !isArrow(event.key) || slugOf(event.target) === undefined) return;
    event.preventDefault();
    const { rows } = this.gallery;
    const from = rows.findIndex(({ checkbox }) => checkbox === event.target);
    const [here, there] = [rows[from], neighbour(rows, from, event.key)];
    if (!here || !there) return;
    const isWayBack = here.checkbox.checked && there.checkbox.checked;
    this.#set(this.#between(here.image.slug, there.image.slug), !isWayBack);
    if (isWayBack) this.#set([there.image.slug], true);
    this.#anchor = there.image.slug;
    there.checkbox.focus();
  }

  /** The images from one to the other, in the order of the list. */
  #between(one: string, other: string): string[] {
    const places = [one, other].map((wanted) => this.#shown.findIndex(({ slug }) => slug === wanted));
    const first = Math.min(...places);
    return first < 0 ? [other] : this.#shown.slice(first, Math.max(...places) + 1).map(({ slug }) => slug);
  }
}

/** The image whose checkbox this is. */
function slugOf(target: EventTarget | null): string | undefined {
  if (!(target instanceof HTMLInputElement) || target.type !== "checkbox") return undefined;
  return target.closest<HTMLElement>("li.image")?.dataset["slug"];
}
