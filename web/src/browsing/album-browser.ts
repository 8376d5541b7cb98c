// Browsing an album: the next image takes the place of the shown one, on the same page and in the same history entry.

import { announce } from "../parts/announce";
import { t } from "../parts/messages";
import { AlbumPages } from "./album-pages";
import type { Way } from "./ways";

/** What each step replaces. The frame itself stays, because the zoom listens to it. */
const PARTS = ["nav.pager", "article > header", "article > .report"];

export class AlbumBrowser {
  readonly #pages = new AlbumPages();

  constructor() {
    void this.#prefetch();
  }

  /** Show the image that way; it is announced unless `isQuiet`. False at the end of the album. */
  async step(way: Way, { isQuiet = false } = {}): Promise<boolean> {
    const address = addressOf(way);
    if (!address) return false;
    const page = await this.#pages.load(address);
    if (addressOf(way) !== address) return true; // another step was faster
    if (page && replaceFrame(page)) this.#show(page, address, isQuiet);
    else if (page || (await isReachable(address))) location.replace(address);
    else if (!isQuiet) announce(t("The server can’t be reached. Check your connection and try again."));
    return true;
  }

  #show(page: Document, address: string, isQuiet: boolean): void {
    const focused = document.activeElement;
    for (const part of PARTS) replace(part, page);
    if (focused && !focused.isConnected) twinOf(focused).focus({ preventScroll: true });
    document.title = page.title;
    history.replaceState(history.state, "", address);
    scrollTo({ top: 0, behavior: "instant" });
    document.dispatchEvent(new Event("stepped"));
    if (!isQuiet) announceImage();
    void this.#prefetch();
  }

  /** Load what is on both sides, once the shown image is there. */
  async #prefetch(): Promise<void> {
    await document.querySelector<HTMLImageElement>("#shown")?.decode().catch(() => undefined);
    for (const way of ["next", "previous"] as const) {
      const address = addressOf(way);
      if (address) void this.#pages.load(address);
    }
  }
}

/** Whether the server answers, if only with an error. */
const isReachable = (address: string): Promise<boolean> =>
  fetch(address, { method: "HEAD", cache: "no-store" }).then(() => true, () => false);

const addressOf = (way: Way): string | undefined => document.querySelector<HTMLAnchorElement>(`a[data-step="${way}"]`)?.href;

function replace(selector: string, page: Document): void {
  const [here, there] = [document.querySelector(selector), page.querySelector(selector)];
  if (here && there) here.replaceWith(document.importNode(there, true));
}

/** The element that now stands where `old` was; at the end of the album the link that leads back. */
function twinOf(old: Element): HTMLElement {
  const step = (old as HTMLElement).dataset["step"];
  const twin = document.querySelector<HTMLElement>(old.id ? `#${old.id}` : `a[data-step="${step}"]`);
  return twin ?? document.querySelector<HTMLElement>("a[data-step]") ?? document.querySelector<HTMLElement>("#main")!;
}

/** Make the frame that of `page`. False if one of the two images has no frame, or only one of them can be zoomed. */
function replaceFrame(page: Document): boolean {
  const [here, there] = [document.querySelector<HTMLElement>("#frame"), page.querySelector<HTMLElement>("#frame")];
  if (!here || !there || (here.dataset["zoom"] === undefined) !== (there.dataset["zoom"] === undefined)) return false;
  for (const name of Object.keys(here.dataset)) delete here.dataset[name];
  Object.assign(here.dataset, there.dataset);
  here.setAttribute("href", there.getAttribute("href") ?? "");
  here.replaceChildren(...[...there.childNodes].map((node) => document.importNode(node, true)));
  const [figure, other] = [here.closest("figure"), there.closest("figure")];
  if (figure && other) figure.className = other.className;
  return true;
}

function announceImage(): void {
  const [name, place] = [document.querySelector("h1"), document.querySelector("nav.pager .muted")];
  announce(`${name?.textContent ?? ""}, ${place?.textContent ?? ""}`);
}
