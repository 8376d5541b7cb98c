// The pages of an album's images, loaded ahead together with their images.

import { loadPage } from "../parts/pages";

const MAX_PAGES = 8;

interface Loaded {
  page: Document;
  /** Holds the image in memory: in this document, it is loaded although it isn't shown. */
  frame: Node | undefined;
}

export class AlbumPages {
  readonly #pages = new Map<string, Promise<Loaded | undefined>>();

  /** The page at the address, and soon its image; undefined if it can't be loaded. */
  async load(address: string): Promise<Document | undefined> {
    const loading = this.#pages.get(address) ?? fetchPage(address);
    this.#pages.delete(address); // the one that was asked for last is the newest
    this.#pages.set(address, loading);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > MAX_PAGES && oldest) this.#pages.delete(oldest);
    const loaded = await loading;
    if (!loaded) this.#pages.delete(address);
    return loaded?.page;
  }
}

async function fetchPage(address: string): Promise<Loaded | undefined> {
  const page = await loadPage(address);
  if (!page) return undefined;
  const frame = page.querySelector("#frame");
  return { page, frame: frame ? document.importNode(frame, true) : undefined };
}
