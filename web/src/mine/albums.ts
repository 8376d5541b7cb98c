// Albums of my pictures: made of those that are chosen, remembered, and listed.

import { AlbumProblem, createAlbum } from "../parts/albums";
import { announce } from "../parts/announce";
import { offerUndo } from "../parts/undo";
import { locale, t } from "../parts/words";
import { albums, forgetAlbum, keepAlbum, type MyAlbum } from "./store";

/** Make an album of these, remember it, and open it where it can be changed. */
export async function makeAlbum(slugs: string[]): Promise<void> {
  try {
    const { slug, url, delete_token, manageLink } = await createAlbum(slugs);
    await keepAlbum({ slug, url, title: null, delete_token, made_at: new Date().toISOString() });
    location.assign(new URL(manageLink).pathname + new URL(manageLink).hash);
  } catch (fault) {
    if (fault instanceof AlbumProblem) announce(fault.message, { staysMs: 8000, lang: fault.lang });
    else announce(t("The server can’t be reached."), { staysMs: 8000 });
  }
}

/** Fill the list of albums; its section is hidden while there is none. */
export async function listAlbums(section: HTMLElement, list: HTMLElement): Promise<void> {
  const found = await albums();
  section.hidden = found.length === 0;
  list.replaceChildren(
    ...found.map((album) => {
      const date = new Intl.DateTimeFormat(locale(), { dateStyle: "medium" });
      const name = album.title ?? t("Album of {date}", { date: date.format(new Date(album.made_at)) });
      const row = document.createElement("li");
      const link = document.createElement("a");
      link.href = `/a/${album.slug}`;
      link.textContent = name;
      const manage = document.createElement("a");
      manage.href = `/a/${album.slug}#${album.delete_token}`;
      manage.textContent = t("Manage");
      manage.setAttribute("aria-label", t("Manage {name}", { name }));
      const forget = document.createElement("button");
      forget.type = "button";
      forget.className = "plain";
      forget.textContent = t("Remove from list");
      forget.setAttribute("aria-label", t("Remove from list: {name}", { name }));
      forget.addEventListener("click", () => void forgetHere(album, name, () => listAlbums(section, list)));
      row.append(link, manage, forget);
      return row;
    }),
  );
}

/** Its manage link goes with it, so that is taken back as easily. */
async function forgetHere(album: MyAlbum, name: string, show: () => Promise<void>): Promise<void> {
  await forgetAlbum(album.slug);
  await show();
  offerUndo(t("{name} removed from this list. Its link still works.", { name }), async () => {
    await keepAlbum(album);
    await show();
    announce(t("{name} restored.", { name }));
  });
}
