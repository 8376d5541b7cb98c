// Share buttons: `data-shares` is a link, `data-title` its title. They open the share menu of phones; styles hide them elsewhere.

import { announce } from "./announce";
import { copy } from "./copy";
import { t } from "./messages";

export function wireShareButtons(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-shares]")) {
    const { shares: url = "", title = "" } = button.dataset;
    button.addEventListener("click", () => void shareLink(url, title));
  }
}

/** Open the share menu, which browsers have only with HTTPS; without it, copy the link. */
export async function shareLink(url: string, title: string): Promise<void> {
  if (!("share" in navigator)) {
    await copy(url, t("Link"));
    return;
  }
  try {
    await navigator.share({ title, url });
  } catch (fault) {
    if ((fault as Error).name !== "AbortError") announce(t("Couldn’t share. Copy the link instead.")); // else it was closed
  }
}
