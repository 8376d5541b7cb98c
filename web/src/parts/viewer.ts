// The deep zoom: OpenSeadragon in a dialog that fills the screen, with buttons of our own and a link to what is seen.

import OpenSeadragon from "openseadragon";
import { announce } from "./announce";
import { copy } from "./copy";
import { t } from "./words";

/** A part of the picture, in pixels of the original. */
export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** `source` is an info.json of IIIF or a picture; `fallback` is a picture for when the tiles can't be had. */
export interface Zoomable {
  source: string;
  fallback: string;
  width: number;
  height: number;
  name: string;
}

const ICONS: Record<string, string> = {
  in: "M12 5v14M5 12h14",
  out: "M5 12h14",
  whole: "M4 6h16v12H4zM9 10h6v4H9z",
  screen: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  link: "M9 15l6-6M11 6l1-1a4.2 4.2 0 0 1 6 6l-1 1M13 18l-1 1a4.2 4.2 0 0 1-6-6l1-1",
  close: "M6 6l12 12M18 6L6 18",
};
const MOST_PIXELS = 4; // of the screen for one of the picture
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** While the dialog is open, what is said elsewhere on the page is neither seen nor heard. */
function toast(): HTMLElement {
  const place = document.createElement("div");
  place.className = "toast";
  place.setAttribute("role", "status");
  return place;
}

/**
 * OpenSeadragon writes a style element unless it finds its own, and the policy of our pages lets none be written. One of
 * that name that is not HTML's is found all the same, and means nothing to the browser.
 */
function spareStyle(): void {
  if (document.querySelector("style[data-openseadragon-mobile-css]")) return;
  const empty = document.createElementNS(null, "style");
  empty.setAttribute("data-openseadragon-mobile-css", "true");
  document.head.append(empty);
}

/** Whether the page's place in the history is the viewer's. */
const zoomed = (): boolean => (history.state as { zoomed?: boolean } | null)?.zoomed === true;

/** Going back takes a moment, and would undo a step that is made meanwhile: what is pressed then waits for it. */
function stepBack(): void {
  let pressed: HTMLElement | null = null;
  const hold = (event: MouseEvent): void => {
    pressed = (event.target as Element).closest<HTMLElement>("a[href], button");
    event.preventDefault();
    event.stopPropagation();
  };
  addEventListener("click", hold, true);
  const goOn = (): void => {
    removeEventListener("click", hold, true);
    pressed?.click();
  };
  addEventListener("popstate", goOn, { once: true });
  history.back();
}

export class Viewer {
  readonly #picture: Zoomable;
  readonly #dialog = document.createElement("dialog");
  readonly #room = document.createElement("div"); // a dialog itself may not have the full screen
  readonly #canvas = document.createElement("div");
  readonly #viewer: OpenSeadragon.Viewer;
  #fellBack = false;

  constructor(picture: Zoomable) {
    this.#picture = picture;
    this.#dialog.className = "viewer";
    this.#dialog.setAttribute("aria-label", t("Zoom: {name}", { name: picture.name }));
    this.#room.className = "viewer-room";
    this.#canvas.className = "viewer-canvas";
    this.#room.append(this.#canvas, this.#toolbar(), toast());
    this.#dialog.append(this.#room);
    document.body.append(this.#dialog);
    spareStyle();
    this.#dialog.addEventListener("close", () => this.#closed());
    this.#dialog.addEventListener("keydown", (event) => this.#pressed(event));
    this.#dialog.showModal(); // first: OpenSeadragon keeps the view by the size that its place has when it is made
    this.#viewer = OpenSeadragon({
      element: this.#canvas,
      drawer: "canvas",
      showNavigationControl: false,
      maxZoomPixelRatio: MOST_PIXELS,
      visibilityRatio: 0.8,
      animationTime: still.matches ? 0 : 0.5,
      gestureSettingsMouse: { clickToZoom: true, dblClickToZoom: false },
      gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true, pinchToZoom: true, flickEnabled: !still.matches },
    });
  }

  /** Fill the screen with the picture, or with a region of it. */
  open(region?: Region): void {
    this.#enter();
    const canvas = this.#viewer.canvas as HTMLElement;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", t("{name}. Arrow keys move the image, plus and minus zoom, 0 shows all of it.", { name: this.#picture.name }));
    this.#viewer.addHandler("open", () => {
      if (region) this.#viewer.viewport.fitBounds(this.#bounds(region), true);
      canvas.focus();
    });
    this.#viewer.addHandler("open-failed", () => this.#fallBack());
    this.#viewer.addHandler("animation-finish", () => this.#noteView());
    this.#viewer.addHandler("canvas-key", spareLetters);
    this.#viewer.open(this.#source(this.#picture.source));
  }

  #source(address: string): OpenSeadragon.TileSourceSpecifier {
    const tileSource = address.endsWith("/info.json") ? address : { type: "image", url: address };
    return { tileSource };
  }

  #fallBack(): void {
    if (this.#fellBack) {
      this.#dialog.close(); // first: what is said in it goes with it
      announce(t("The image could not be loaded. Check your connection and try again."));
      return;
    }
    this.#fellBack = true;
    this.#viewer.open(this.#source(this.#picture.fallback));
  }

  // --- the view and its link

  /** Regions are told in pixels of the original, whatever the picture is that is shown; what lies beyond it is cut off. */
  #bounds({ x, y, width, height }: Region): OpenSeadragon.Rect {
    const [most, tall] = [this.#picture.width, this.#picture.height];
    const [left, top] = [Math.min(x, most - 1), Math.min(y, tall - 1)];
    const [right, bottom] = [Math.min(x + width, most), Math.min(y + height, tall)];
    return new OpenSeadragon.Rect(left / most, top / most, (right - left) / most, (bottom - top) / most);
  }

  #region(): string {
    const { x, y, width, height } = this.#viewer.viewport.getBounds();
    const [most, tall] = [this.#picture.width, this.#picture.height];
    const [left, top] = [Math.max(0, Math.round(x * most)), Math.max(0, Math.round(y * most))];
    const right = Math.min(most, Math.round((x + width) * most));
    const bottom = Math.min(tall, Math.round((y + height) * most));
    return `#xywh=${left},${top},${Math.max(1, right - left)},${Math.max(1, bottom - top)}`;
  }

  #noteView(): void {
    if (this.#dialog.open) history.replaceState(history.state, "", this.#region());
  }

  // --- a step of its own in the history: Back closes the viewer and stays on the page

  #enter(): void {
    if (!zoomed()) {
      const view = location.hash;
      history.replaceState(history.state, "", location.pathname + location.search);
      history.pushState({ zoomed: true }, "", view || null);
    }
    addEventListener("popstate", this.#left);
  }

  readonly #left = (): void => {
    if (!zoomed()) this.#dialog.close();
  };

  #closed(): void {
    removeEventListener("popstate", this.#left);
    if (zoomed()) stepBack();
    if (document.fullscreenElement) void document.exitFullscreen();
    this.#viewer.destroy();
    this.#dialog.remove();
    // Who came by a link to a view stood nowhere before.
    if (document.activeElement === document.body) document.querySelector<HTMLElement>("#frame")?.focus({ preventScroll: true });
  }

  // --- what is pressed

  #toolbar(): HTMLElement {
    const bar = document.createElement("div");
    bar.className = "viewer-bar";
    bar.append(
      this.#button("in", t("Zoom in"), () => this.#zoomBy(1.6)),
      this.#button("out", t("Zoom out"), () => this.#zoomBy(1 / 1.6)),
      this.#button("whole", t("Show the whole image"), () => this.#viewer.viewport.goHome()),
      this.#button("link", t("Copy the link to this view"), () => void this.#copyLink()),
    );
    if (document.fullscreenEnabled) bar.append(this.#button("screen", t("Full screen"), () => void this.#fullScreen()));
    bar.append(this.#button("close", t("Close"), () => this.#dialog.close()));
    return bar;
  }

  #button(icon: string, label: string, press: () => void): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.title = label;
    button.setAttribute("aria-label", label);
    button.innerHTML = `<svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;
    button.addEventListener("click", press);
    return button;
  }

  #zoomBy(factor: number): void {
    this.#viewer.viewport.zoomBy(factor).applyConstraints();
  }

  async #copyLink(): Promise<void> {
    await copy(location.href.split("#")[0] + this.#region(), t("Link to this view"));
  }

  async #fullScreen(): Promise<void> {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await this.#room.requestFullscreen();
    } catch {
      announce(t("The browser doesn’t allow full screen for this page."));
    }
  }

  #pressed({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): void {
    if (ctrlKey || metaKey || altKey) return;
    if (/^f$/i.test(key) && document.fullscreenEnabled) void this.#fullScreen();
  }
}

/** OpenSeadragon turns the picture by r and flips it by f, which would only surprise. */
function spareLetters(event: OpenSeadragon.CanvasKeyEvent): void {
  if (/^[rf]$/i.test((event.originalEvent as KeyboardEvent).key)) event.preventDefaultAction = true;
}
