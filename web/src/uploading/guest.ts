// The guests' page of an album: how much can still be added, and what this browser has added where its owner lets guests see it.

import type { ImageResource } from "../library/image";
import { loadPage } from "../parts/pages";
import { OwnImages } from "./own-images";

export class Guest {
  readonly #own: OwnImages | undefined;
  #added = 0;
  #isLoading = false;

  constructor() {
    const place = document.querySelector<HTMLElement>("#own");
    if (place) this.#own = new OwnImages(place);
  }

  /** These images have been added so far. */
  add(images: ImageResource[]): void {
    this.#own?.add(images);
    if (images.length === this.#added) return;
    this.#added = images.length;
    if (!this.#isLoading) void this.#showRoom();
  }

  /** Say what the page says now; once for several images that are added meanwhile. */
  async #showRoom(): Promise<void> {
    this.#isLoading = true;
    for (let shown = 0; shown !== this.#added; ) {
      shown = this.#added;
      const room = (await loadPage(location.pathname))?.querySelector("#room");
      if (room) document.querySelector("#room")?.replaceWith(room);
    }
    this.#isLoading = false;
  }
}
