// Tab reaches the controls of one image of the list, and arrow keys lead to those of the others: with a thousand images, Tab
// alone would take four thousand presses.

import type { Gallery } from "./gallery";
import { isArrow, neighbour } from "./neighbours";
import type { Row } from "./row";

export class Roving {
  #current: Row | undefined;

  constructor(
    private readonly gallery: Gallery,
    place: HTMLElement,
  ) {
    place.addEventListener("focusin", ({ target }) => this.#enter(this.#rowOf(target)));
    place.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** The list has other rows now, or another order: Tab reaches the image that it reached before, else the first one. */
  refresh(): void {
    if (!this.#current?.element.isConnected) this.#enter(this.gallery.rows[0]);
  }

  #rowOf(target: EventTarget | null): Row | undefined {
    return this.gallery.row((target as Element).closest<HTMLElement>("li.image")?.dataset["slug"] ?? "");
  }

  #enter(row: Row | undefined): void {
    if (row === this.#current) return;
    this.#current?.setTabStop(false);
    row?.setTabStop(true);
    this.#current = row;
  }

  #onKey(event: KeyboardEvent): void {
    const row = this.#rowOf(event.target);
    if (!row || event.defaultPrevented || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return;
    const { rows } = this.gallery;
    const next = isArrow(event.key) ? neighbour(rows, rows.indexOf(row), event.key) : this.#end(rows, event.key);
    if (!next) return;
    event.preventDefault();
    next.focusLike(row, event.target as HTMLElement);
  }

  #end(rows: Row[], key: string): Row | undefined {
    if (key === "Home") return rows[0];
    return key === "End" ? rows.at(-1) : undefined;
  }
}
