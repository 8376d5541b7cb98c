// Asks the server about the images on screen, each once and a few at a time: they may have changed or ended elsewhere.

import { lookUp } from "./actions";
import { isInBin } from "./image";
import type { Row } from "./row";
import { replaceImage } from "./store";

const CONCURRENCY = 2; // the thumbnails come first

export class Refresher {
  readonly #asked = new Set<string>();
  readonly #rows = new WeakMap<Element, Row>();
  readonly #onScreen = new Set<Row>();
  readonly #observer = new IntersectionObserver((entries) => this.#onView(entries));
  #running = 0;

  /** Ask about the image when its row is on screen. The server says of an image in the bin what is known already. */
  watch(row: Row): void {
    if (this.#asked.has(row.image.slug) || isInBin(row.image)) return;
    this.#rows.set(row.element, row);
    this.#observer.observe(row.element);
  }

  /** Ask about the image once more. */
  watchAgain(row: Row): void {
    this.#asked.delete(row.image.slug);
    this.watch(row);
  }

  #onView(entries: IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const row = this.#rows.get(target);
      if (row && isIntersecting) this.#onScreen.add(row);
      else if (row) this.#onScreen.delete(row); // scrolled past
    }
    while (this.#running < CONCURRENCY && this.#onScreen.size > 0) void this.#work();
  }

  async #work(): Promise<void> {
    this.#running += 1;
    for (const row of this.#onScreen) {
      this.#onScreen.delete(row);
      this.#observer.unobserve(row.element);
      if (this.#asked.has(row.image.slug)) continue;
      this.#asked.add(row.image.slug);
      const before = row.image;
      const found = await lookUp(before);
      if (found && differs(found, before)) await replaceImage(before, found).catch(() => undefined);
    }
    this.#running -= 1;
  }
}

const differs = (a: object, b: object): boolean => JSON.stringify(a) !== JSON.stringify(b);
