// The pages of an album: copy and share buttons, the manage link, and browsing from image to image.
import { reloadBusyImages } from "./parts/busy-images";
import { wireCopyButtons } from "./parts/copy";
import { isPlainClick, required } from "./parts/dom";
import { showLocalTimes } from "./parts/local-times";
import { wireShareButtons } from "./parts/share-button";
import { isToken } from "./parts/token";
import { wireZoom } from "./parts/zoom";
import { goUp, wireGrid } from "./browsing/grid";
import { Slideshow } from "./browsing/slideshow";
import { watchSwipes } from "./browsing/swipe";
import { AlbumBrowser } from "./browsing/album-browser";
import { type Way, wayTo } from "./browsing/ways";

reloadBusyImages(required("#main"));
wireCopyButtons();
wireShareButtons();
showLocalTimes();
wireZoom();

// A manage link has its token in the fragment, which browsers don't send: take it to the manage page.
const manage = document.querySelector<HTMLAnchorElement>("a[data-manage]");
function openManagePage(): void {
  const token = location.hash.slice(1);
  if (manage && isToken(token)) location.replace(`${manage.href}#${token}`);
}
addEventListener("hashchange", openManagePage);
openManagePage();

const grid = document.querySelector<HTMLElement>(".grid");
if (grid) wireGrid(grid);
if (document.querySelector("nav.pager")) wireBrowsing();

/** Keys and fingers press the links, so that a press waits where it would be undone. */
const PRESSED: Record<string, string> = {
  ArrowLeft: stepLink(wayTo("left")),
  ArrowRight: stepLink(wayTo("right")),
  Escape: ".pager .up",
};

function stepLink(way: Way): string {
  return `a[data-step=${way}]`;
}

function press(selector: string): void {
  document.querySelector<HTMLAnchorElement>(selector)?.click();
}

function wireBrowsing(): void {
  const browser = new AlbumBrowser();
  const slideshow = new Slideshow(browser);
  addEventListener("keydown", (event) => {
    const selector = PRESSED[event.key];
    const isBusy = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented;
    if (!selector || isBusy || (event.target as Element).closest("input, textarea, select, dialog")) return;
    event.preventDefault();
    press(selector);
  });
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-step], .pager .up");
    if (!link || !isPlainClick(event)) return;
    event.preventDefault();
    slideshow.stop();
    if (link.matches(".up")) goUp(link);
    else void browser.step(link.dataset["step"] as Way);
  });
  const figure = document.querySelector<HTMLElement>("figure");
  if (figure) watchSwipes(figure, (way) => press(stepLink(way)));
}
