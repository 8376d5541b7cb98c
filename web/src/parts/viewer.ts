// The deep zoom: OpenSeadragon in a full-screen dialog, with our own buttons and a link to the current view.

import OpenSeadragon from "openseadragon";
import { announce } from "./announce";
import { button } from "./buttons";
import { copy } from "./copy";
import { t } from "./messages";
import { type Region, fragmentOf, isTall, regionOf } from "./region";
import { TileDrawer } from "./tile-drawer";
import { ViewHistory } from "./view-history";

/** `source` is a IIIF info.json or an image; `fallback` is an image for when the tiles can't be loaded. */
export interface Zoomable {
  source: string;
  fallback: string;
  width: number;
  height: number;
  name: string;
  isSeeThrough: boolean;
}

const ICONS: Record<string, string> = {
  in: "M12 5v14M5 12h14",
  out: "M5 12h14",
  whole: "M4 6h16v12H4zM9 10h6v4H9z",
  screen: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  link: "M9 15l6-6M11 6l1-1a4.2 4.2 0 0 1 6 6l-1 1M13 18l-1 1a4.2 4.2 0 0 1-6-6l1-1",
  close: "M6 6l12 12M18 6L6 18",
};
const MAX_PIXEL_RATIO = 4; // screen pixels for one image pixel
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** A place for messages inside the dialog: while it is open, the rest of the page is neither seen nor read aloud. */
function createToast(): HTMLElement {
  const place = document.createElement("div");
  place.className = "toast";
  place.setAttribute("role", "status");
  return place;
}

/**
 * OpenSeadragon adds a style element unless it finds its own, and our content security policy forbids that. It also finds an
 * element of that name outside the HTML namespace, which the browser ignores.
 */
function preventInlineStyle(): void {
  if (document.querySelector("style[data-openseadragon-mobile-css]")) return;
  const empty = document.createElementNS(null, "style");
  empty.setAttribute("data-openseadragon-mobile-css", "true");
  document.head.append(empty);
}

export class Viewer {
  readonly #image: Zoomable;
  readonly #dialog = document.createElement("dialog");
  readonly #content = document.createElement("div"); // browsers don't make a dialog itself full-screen
  readonly #canvas = document.createElement("div");
  readonly #viewer: OpenSeadragon.Viewer;
  readonly #history = new ViewHistory();
  #fellBack = false;
  #asking: Promise<boolean> | undefined;

  constructor(image: Zoomable) {
    this.#image = image;
    this.#dialog.className = "viewer";
    this.#dialog.classList.toggle("see-through", image.isSeeThrough);
    this.#dialog.setAttribute("aria-label", t("Zoom: {name}", { name: image.name }));
    this.#content.className = "viewer-content";
    this.#canvas.className = "viewer-canvas";
    this.#content.append(this.#canvas, this.#toolbar(), createToast());
    this.#dialog.append(this.#content);
    document.body.append(this.#dialog);
    preventInlineStyle();
    // Before the `close` event, which is late: what is pressed until then waits already.
    this.#dialog.addEventListener("cancel", () => this.#history.leave());
    this.#dialog.addEventListener("close", () => this.#onClose());
    this.#dialog.addEventListener("keydown", (event) => this.#onKey(event));
    this.#dialog.showModal(); // first: OpenSeadragon measures its element when it is created
    this.#viewer = OpenSeadragon({
      element: this.#canvas,
      drawer: TileDrawer,
      smoothTileEdgesMinZoom: Infinity, // it moves tiles by parts of a pixel
      showNavigationControl: false,
      maxZoomPixelRatio: MAX_PIXEL_RATIO,
      visibilityRatio: 0.8,
      animationTime: reducedMotion.matches ? 0 : 0.5,
      gestureSettingsMouse: { clickToZoom: true, dblClickToZoom: false },
      gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true, pinchToZoom: true, flickEnabled: !reducedMotion.matches },
    });
  }

  /** Show the image, or a region of it. */
  open(region?: Region): void {
    this.#history.enter();
    addEventListener("popstate", this.#onPopState);
    const canvas = this.#viewer.canvas as HTMLElement;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", t("{name}. Arrow keys move the image, plus and minus zoom, 0 shows all of it.", { name: this.#image.name }));
    this.#viewer.addHandler("open", () => {
      if (region) this.#show(region);
      else if (isTall(this.#image)) this.#showTop();
      canvas.focus();
    });
    this.#viewer.addHandler("open-failed", () => void this.#fallBack());
    this.#viewer.addHandler("tile-load-failed", () => void this.#checkIsThere());
    this.#viewer.addHandler("animation-finish", () => this.#noteView());
    this.#viewer.addHandler("canvas-key", ignoreLetters);
    this.#viewer.open(this.#source(this.#image.source));
  }

  #source(address: string): OpenSeadragon.TileSourceSpecifier {
    const tileSource = address.endsWith("/info.json") ? address : { type: "image", url: address };
    return { tileSource };
  }

  async #fallBack(): Promise<void> {
    if (!(await this.#checkIsThere())) return;
    if (this.#fellBack) return this.#fail(t("The image could not be loaded. Check your connection and try again."));
    this.#fellBack = true;
    this.#viewer.open(this.#source(this.#image.fallback));
  }

  /** Whether there is still an image to show. If it has ended meanwhile, the viewer closes and says so. */
  async #checkIsThere(): Promise<boolean> {
    this.#asking ??= isGone(this.#image.source).finally(() => (this.#asking = undefined));
    const gone = await this.#asking;
    if (!this.#dialog.open) return false;
    if (gone) this.#fail(t("This image is no longer available."));
    return !gone;
  }

  #fail(message: string): void {
    this.#close(); // first: a message inside the dialog would disappear with it
    announce(message);
  }

  // --- the view and its link

  /** The region (pixels of the original, clipped to the image) in OpenSeadragon's coordinates. */
  #bounds({ x, y, width, height }: Region): OpenSeadragon.Rect {
    const [fullWidth, fullHeight] = [this.#image.width, this.#image.height];
    const [left, top] = [Math.min(x, fullWidth - 1), Math.min(y, fullHeight - 1)];
    const [right, bottom] = [Math.min(x + width, fullWidth), Math.min(y + height, fullHeight)];
    return new OpenSeadragon.Rect(left / fullWidth, top / fullWidth, (right - left) / fullWidth, (bottom - top) / fullWidth);
  }

  #show(region: Region): void {
    this.#viewer.viewport.fitBounds(this.#bounds(region), true);
  }

  /** A screenshot of a chat or a page begins where it can be read: at its top, as wide as the screen but not enlarged. */
  #showTop(): void {
    const { x: wide, y: high } = this.#viewer.viewport.getContainerSize();
    const width = Math.max(1, wide / this.#image.width);
    this.#viewer.viewport.fitBounds(new OpenSeadragon.Rect((1 - width) / 2, 0, width, (width * high) / wide), true);
  }

  #fragment(): string {
    const { x, y, width, height } = this.#viewer.viewport.getBounds();
    const [fullWidth, fullHeight] = [this.#image.width, this.#image.height];
    const [left, top] = [Math.max(0, Math.round(x * fullWidth)), Math.max(0, Math.round(y * fullWidth))];
    const right = Math.min(fullWidth, Math.round((x + width) * fullWidth));
    const bottom = Math.min(fullHeight, Math.round((y + height) * fullWidth));
    return fragmentOf({ x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) });
  }

  #noteView(): void {
    if (this.#dialog.open) this.#history.note(this.#fragment());
  }

  // --- entering and leaving

  /** After Back, or when another view was entered in the address. */
  readonly #onPopState = (): void => {
    const region = regionOf(location.hash);
    if (!this.#history.follow(region !== undefined)) this.#dialog.close();
    else if (region && this.#viewer.isOpen()) this.#show(region);
  };

  #close(): void {
    this.#history.leave();
    this.#dialog.close();
  }

  #onClose(): void {
    removeEventListener("popstate", this.#onPopState);
    this.#history.leave();
    if (document.fullscreenElement) void document.exitFullscreen();
    this.#viewer.destroy();
    this.#dialog.remove();
    // A viewer opened by a link had no focused element before.
    if (document.activeElement === document.body) document.querySelector<HTMLElement>("#frame")?.focus({ preventScroll: true });
  }

  // --- buttons and keys

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
    bar.append(this.#button("close", t("Close"), () => this.#close()));
    return bar;
  }

  #button(icon: string, label: string, press: () => void): HTMLButtonElement {
    const made = button("", press, { label });
    made.title = label;
    made.innerHTML = `<svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;
    return made;
  }

  #zoomBy(factor: number): void {
    this.#viewer.viewport.zoomBy(factor).applyConstraints();
  }

  async #copyLink(): Promise<void> {
    await copy(location.href.split("#")[0] + this.#fragment(), t("Link to this view"));
  }

  async #fullScreen(): Promise<void> {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await this.#content.requestFullscreen();
    } catch {
      announce(t("The browser doesn’t allow full screen for this page."));
    }
  }

  #onKey({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): void {
    if (ctrlKey || metaKey || altKey) return;
    if (/^f$/i.test(key) && document.fullscreenEnabled) void this.#fullScreen();
  }
}

/** Whether the host says that the image has ended. A host that can't be reached says nothing. */
async function isGone(address: string): Promise<boolean> {
  try {
    return [404, 410].includes((await fetch(address, { cache: "no-store" })).status);
  } catch {
    return false;
  }
}

/** OpenSeadragon rotates on r and flips on f, which nobody expects. */
function ignoreLetters(event: OpenSeadragon.CanvasKeyEvent): void {
  if (/^[rf]$/i.test((event.originalEvent as KeyboardEvent).key)) event.preventDefaultAction = true;
}
