// What the original says of itself: loaded into its section of the share page when that is opened.

import { loadPage } from "./pages";

/** Load the details once the section is opened; without them, its link to their page stays. */
export function wireImageDetails(): void {
  const section = document.querySelector<HTMLDetailsElement>("#details");
  section?.addEventListener("toggle", () => {
    if (section.open && !section.hasAttribute("aria-busy")) void load(section);
  });
}

async function load(section: HTMLDetailsElement): Promise<void> {
  const link = section.querySelector("a");
  if (!link) return;
  section.setAttribute("aria-busy", "true");
  const page = await loadPage(link.href);
  section.removeAttribute("aria-busy");
  const details = page?.querySelector("#details");
  if (!details) return;
  link.parentElement?.replaceWith(...document.importNode(details, true).children);
}
