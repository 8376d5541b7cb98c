// The slideshow: one image after the other until the last, or until somebody stops it.

import { announce } from "../parts/announce";
import { t } from "../parts/messages";
import type { AlbumBrowser } from "./album-browser";

const SHOWN_MS = 5000;
const ADDRESS = "#slideshow"; // of a link that starts it

export class Slideshow {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly browser: AlbumBrowser) {
    document.addEventListener("click", (event) => {
      if ((event.target as Element).closest("#slideshow")) this.#toggle();
    });
    document.addEventListener("stepped", () => this.#showState());
    if (location.hash !== ADDRESS) return;
    history.replaceState(history.state, "", location.pathname);
    this.#toggle();
    button()?.focus({ preventScroll: true }); // so that a key stops what no key of this page has started
  }

  /** End it, as each step of a person does. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#showState();
  }

  #toggle(): void {
    if (this.#timer !== undefined) return this.stop();
    this.#wait();
    announce(t("The slideshow is running."));
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.#next(), SHOWN_MS);
    this.#showState();
  }

  /** A page that nobody sees waits, and so does an image that is being zoomed. */
  async #next(): Promise<void> {
    const isSeen = !document.hidden && !document.querySelector("dialog[open]");
    const isLast = isSeen && !(await this.browser.step("next", { isQuiet: true }));
    if (this.#timer === undefined) return;
    if (isLast) this.stop();
    else this.#wait();
  }

  #showState(): void {
    const shown = button();
    if (shown) shown.textContent = this.#timer === undefined ? t("Slideshow") : t("Stop slideshow");
  }
}

const button = (): HTMLElement | null => document.querySelector<HTMLElement>("#slideshow");
