// The albums in My images: creating one from selected images, and the list.

import { createAlbum } from "../parts/album-api";
import { Problem } from "../parts/api";
import { announce } from "../parts/announce";
import { offerUndo } from "../parts/undo";
import { locale, t } from "../parts/messages";
import { type LibraryAlbum, listAlbums, removeAlbum, saveAlbum } from "./store";

/** Create an album of these images, store it, and open its manage page. */
export async function createAlbumAndOpen(slugs: string[]): Promise<void> {
  try {
    const { slug, url, delete_token, manageLink } = await createAlbum(slugs);
    await saveAlbum({ slug, url, title: null, delete_token, made_at: new Date().toISOString() });
    location.assign(new URL(manageLink).pathname + new URL(manageLink).hash);
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    announce(fault.message, { staysMs: 8000, lang: fault.lang });
  }
}

/** Fill the list of albums; the section is hidden if there are none. */
export async function renderAlbums(section: HTMLElement, list: HTMLElement): Promise<void> {
  const found = await listAlbums();
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
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "link-button";
      remove.textContent = t("Remove from list");
      remove.setAttribute("aria-label", t("Remove from list: {name}", { name }));
      remove.addEventListener("click", () => void removeFromList(album, name, () => renderAlbums(section, list)));
      row.append(link, manage, remove);
      return row;
    }),
  );
}

/** Remove the album from the list. That also forgets its manage link, so it can be undone. */
async function removeFromList(album: LibraryAlbum, name: string, show: () => Promise<void>): Promise<void> {
  await removeAlbum(album.slug);
  await show();
  offerUndo(t("{name} removed from this list. Its link still works.", { name }), async () => {
    await saveAlbum(album);
    await show();
    announce(t("{name} restored.", { name }));
  });
}
