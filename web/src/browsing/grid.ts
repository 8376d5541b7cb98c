// The way up from an image to its place in the album's grid: back to the page where it was opened, if it was opened there.

import { readFromTab, removeFromTab, storeInTab } from "../parts/tab-storage";

const key = (album: string): string => `place:${album}`;

/** On the album's page: focus the image that a person comes back from, also if the browser shows the page as it was left. */
export function wireGrid(grid: HTMLElement): void {
  addEventListener("pageshow", () => {
    const place = key(grid.dataset["album"] ?? "");
    const slug = readFromTab(place);
    removeFromTab(place);
    const link = slug ? document.getElementById(slug)?.querySelector("a") : undefined;
    link?.scrollIntoView({ block: "center" });
    link?.focus({ preventScroll: true });
  });
}

/** Go up to the album. `link` is the way without a script. */
export function goUp(link: HTMLAnchorElement): void {
  const [, , album = "", image = ""] = location.pathname.split("/");
  const isFromGrid = history.length > 1 && document.referrer === new URL(`/a/${album}`, location.href).href;
  if (isFromGrid && storeInTab(key(album), image)) history.back();
  else location.assign(link.href);
}
