// The albums in My images: creating one from selected images, and the list.

import { createAlbum } from "../parts/album-api";
import { Problem } from "../parts/api";
import { announce } from "../parts/announce";
import { button } from "../parts/buttons";
import { offerUndo } from "../parts/undo";
import { locale, t } from "../parts/messages";
import { type LibraryAlbum, removeAlbum, saveAlbum } from "./store";

const date = new Intl.DateTimeFormat(locale(), { dateStyle: "medium" });

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

let rendered = "";

/** Fill the list of albums, unless it shows these already. */
export function renderAlbums(list: HTMLElement, albums: LibraryAlbum[]): void {
  if (rendered === JSON.stringify(albums)) return;
  rendered = JSON.stringify(albums);
  const hadFocus = list.contains(document.activeElement);
  list.replaceChildren(...albums.map(createRow));
  if (hadFocus) (list.querySelector<HTMLElement>("a") ?? list).focus();
}

function createRow(album: LibraryAlbum): HTMLLIElement {
  const name = album.title ?? t("Album of {date}", { date: date.format(new Date(album.made_at)) });
  const row = document.createElement("li");
  const label = t("Remove from list: {name}", { name });
  row.append(
    createLink(`/a/${album.slug}`, name),
    createLink(`/a/${album.slug}#${album.delete_token}`, t("Manage"), t("Manage {name}", { name })),
    button(t("Remove from list"), () => void removeFromList(album, name), { className: "link-button", label }),
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
async function removeFromList(album: LibraryAlbum, name: string): Promise<void> {
  await removeAlbum(album.slug);
  offerUndo(t("{name} removed from this list. Its link still works.", { name }), async () => {
    await saveAlbum(album);
    announce(t("{name} restored.", { name }));
  });
}
