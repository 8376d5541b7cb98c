// The albums in My images: creating one from selected images, and the list.

import { createAlbum } from "../parts/album-api";
import { Problem } from "../parts/api";
import { announce } from "../parts/announce";
import { button } from "../parts/buttons";
import { offerUndo } from "../parts/undo";
import { locale, t } from "../parts/messages";
import { type LibraryAlbum, listAlbums, removeAlbum, saveAlbum } from "./store";

/** Create an album of these images, store it, and open the page where it is shared. */
export async function createAlbumAndOpen(slugs: string[]): Promise<void> {
  try {
    const { slug, url, delete_token } = await createAlbum(slugs);
    const album = { slug, url, title: null, delete_token, made_at: new Date().toISOString() };
    await saveAlbum(album).catch(() => undefined); // without storage, the manage link on the next page is all there is
    location.assign(`/a/${slug}/created#${delete_token}`);
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    announce(fault.message, { staysMs: 8000, lang: fault.lang });
  }
}

/** Fill the list of albums; the section is hidden if there are none. */
export async function renderAlbums(section: HTMLElement, list: HTMLElement): Promise<void> {
  const found = await listAlbums();
  section.hidden = found.length === 0;
  list.replaceChildren(...found.map((album) => createRow(album, () => renderAlbums(section, list))));
}

function createRow(album: LibraryAlbum, render: () => Promise<void>): HTMLLIElement {
  const date = new Intl.DateTimeFormat(locale(), { dateStyle: "medium" });
  const name = album.title ?? t("Album of {date}", { date: date.format(new Date(album.made_at)) });
  const row = document.createElement("li");
  const label = t("Remove from list: {name}", { name });
  const remove = (): void => void removeFromList(album, name, render);
  row.append(
    createLink(`/a/${album.slug}`, name),
    createLink(`/a/${album.slug}#${album.delete_token}`, t("Manage"), t("Manage {name}", { name })),
    button(t("Remove from list"), remove, { className: "link-button", label }),
  );
  return row;
}

function createLink(href: string, text: string, label?: string): HTMLAnchorElement {
  const link = document.createElement("a");
  link.href = href;
  link.textContent = text;
  if (label) link.setAttribute("aria-label", label);
  return link;
}

/** Remove the album from the list. That also forgets its manage link, so it can be undone. */
async function removeFromList(album: LibraryAlbum, name: string, render: () => Promise<void>): Promise<void> {
  await removeAlbum(album.slug);
  await render();
  offerUndo(t("{name} removed from this list. Its link still works.", { name }), async () => {
    await saveAlbum(album);
    await render();
    announce(t("{name} restored.", { name }));
  });
}
