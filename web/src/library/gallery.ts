// The rows of My images, in groups. The first ones are there at once, the others as soon as the browser has time.

import type { Group } from "./order";
import { Row } from "./row";
import type { LibraryImage } from "./store";

const FIRST_ROWS = 60; // more than a screen holds
const ROWS_AT_A_TIME = 100;

export class Gallery {
  readonly #rows = new Map<string, Row>();
  readonly #sections = new Map<string, HTMLElement>();
  #groups: Group[] = [];
  #painted = FIRST_ROWS;
  #waiting: ReturnType<typeof setTimeout> | undefined;

  /** `created` is called with each new row. `place` gets the focus if there is no row left to have it. */
  constructor(
    private readonly place: HTMLElement,
    private readonly created: (row: Row) => void,
  ) {}

  /** Show these groups. Rows that are there already stay in place, unless everything is to be in a new order. */
  show(groups: Group[], isNewOrder: boolean): void {
    const focused = this.rows.findIndex(({ element }) => element.contains(document.activeElement));
    this.#groups = groups;
    if (isNewOrder) {
      this.place.replaceChildren();
      this.#sections.clear();
      this.#painted = FIRST_ROWS;
    }
    this.#removeOthers();
    this.#paint();
    if (focused >= 0 && document.activeElement === document.body) this.#focusNear(focused);
  }

  row(slug: string): Row | undefined {
    return this.#rows.get(slug);
  }

  /** The rows in their order, as far as they are painted. */
  get rows(): Row[] {
    const elements = this.place.querySelectorAll<HTMLElement>("li.image");
    return [...elements].flatMap(({ dataset }) => this.#rows.get(dataset["slug"] ?? "") ?? []);
  }

  #removeOthers(): void {
    const wanted = new Map(this.#groups.flatMap(({ images }) => images.map((image) => [image.slug, image])));
    for (const [slug, row] of this.#rows) {
      const image = wanted.get(slug);
      if (image) row.update(image);
      else {
        row.discard();
        this.#rows.delete(slug);
      }
    }
    for (const [heading, section] of this.#sections) {
      if (this.#groups.some((group) => group.heading === heading)) continue;
      section.remove();
      this.#sections.delete(heading);
    }
  }

  /** Bring the rows that are painted into their places, and paint the first ones. */
  #paint(): void {
    let left = this.#painted;
    const sections: HTMLElement[] = [];
    for (const { heading, images } of this.#groups) {
      if (left <= 0) break;
      const section = this.#sectionOf(heading);
      arrange(listIn(section), images.slice(0, left).map((image) => this.#rowOf(image).element));
      sections.push(section);
      left -= images.length;
    }
    arrange(this.place, sections);
    this.#paintMoreSoon();
  }

  #paintMoreSoon(): void {
    clearTimeout(this.#waiting);
    const count = this.#groups.reduce((sum, { images }) => sum + images.length, 0);
    if (count > this.#painted) this.#waiting = setTimeout(() => this.#paintMore());
  }

  /** Paint the rows that follow. */
  #paintMore(): void {
    let skipped = this.#painted;
    let left = ROWS_AT_A_TIME;
    for (const { heading, images } of this.#groups) {
      const next = images.slice(skipped, skipped + left);
      skipped = Math.max(skipped - images.length, 0);
      left -= next.length;
      if (next.length === 0) continue;
      const section = this.#sectionOf(heading);
      listIn(section).append(...next.map((image) => this.#laterRow(image)));
      this.place.append(section);
    }
    this.#painted += ROWS_AT_A_TIME;
    this.#paintMoreSoon();
  }

  /** A row far down, which the browser lays out only when it is scrolled into view. */
  #laterRow(image: LibraryImage): HTMLElement {
    const { element } = this.#rowOf(image);
    element.classList.add("later");
    return element;
  }

  #rowOf(image: LibraryImage): Row {
    const known = this.#rows.get(image.slug);
    if (known) return known;
    const row = new Row(image);
    this.#rows.set(image.slug, row);
    this.created(row);
    return row;
  }

  #sectionOf(heading: string): HTMLElement {
    const known = this.#sections.get(heading);
    if (known) return known;
    const section = document.createElement("div");
    const list = document.createElement("ol");
    list.className = "images";
    if (heading) {
      const head = document.createElement("h2");
      head.textContent = heading;
      section.append(head);
    }
    section.append(list);
    this.#sections.set(heading, section);
    return section;
  }

  #focusNear(index: number): void {
    const { rows } = this;
    (rows[Math.min(index, rows.length - 1)]?.checkbox ?? this.place).focus({ preventScroll: true });
  }
}

const listIn = (section: HTMLElement): HTMLElement => section.querySelector("ol") as HTMLElement;

/** Make `wanted` the first children of `parent`. Those that are in place already aren't touched: moving one loses the focus. */
function arrange(parent: HTMLElement, wanted: HTMLElement[]): void {
  let next = parent.firstElementChild;
  for (const element of wanted) {
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
  }
}
