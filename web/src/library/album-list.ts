// The albums in My images, and those in the bin.

import { announce } from "../parts/announce";
import { button } from "../parts/buttons";
import { forEachOf } from "../parts/concurrency";
import { locale, t } from "../parts/messages";
import { offerUndo } from "../parts/undo";
import { isInBin } from "./image";
import { timeLeft } from "./row";
import { type LibraryAlbum, listAlbums, removeAlbum, saveAlbum } from "./store";

const CONCURRENCY = 2;
const date = new Intl.DateTimeFormat(locale(), { dateStyle: "medium" });

/** Ask the server about albums, which may have ended on their manage pages or by themselves, and store what it says. */
export async function refreshAlbums(albums: LibraryAlbum[]): Promise<void> {
  await forEachOf(albums, CONCURRENCY, async (album) => {
    const found = await lookUp(album);
    const isListed = async (): Promise<boolean> => (await listAlbums()).some(({ slug }) => slug === album.slug);
    if (!found || !differs(found, album) || !(await isListed())) return;
    // It was in the bin, and has been erased.
    if (found.gone && album.restorable_until && !found.restorable_until) await removeAlbum(album.slug);
    else await saveAlbum(found);
  });
}

/** What the server says of the album now; undefined if it doesn't answer. */
async function lookUp({ gone: _gone, restorable_until: _until, ...album }: LibraryAlbum): Promise<LibraryAlbum | undefined> {
  const headers = { Authorization: `Bearer ${album.delete_token}` };
  const reply = await fetch(`/api/v1/albums/${album.slug}`, { headers, cache: "no-store" }).catch(() => undefined);
  if (reply?.ok) return { ...album, title: ((await reply.json()) as LibraryAlbum).title };
  if (reply?.status !== 404 && reply?.status !== 410) return undefined;
  const { restorable_until } = (await reply.json().catch(() => ({}))) as { restorable_until?: string | null };
  return { ...album, gone: true, ...(restorable_until ? { restorable_until } : {}) };
}

const differs = (a: LibraryAlbum, b: LibraryAlbum): boolean =>
  a.title !== b.title || a.gone !== b.gone || a.restorable_until !== b.restorable_until;

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
  const link = createLink(`/a/${album.slug}`, name);
  if (album.gone) link.removeAttribute("href");
  const manages = createLink(`/a/${album.slug}#${album.delete_token}`, t("Manage"), t("Manage {name}", { name }));
  const removes = { className: "link-button", label: t("Remove from list: {name}", { name }) };
  row.append(link, ...createState(album), manages, button(t("Remove from list"), () => void removeFromList(album, name), removes));
  return row;
}

/** What has become of an album that is shown no more. */
function createState(album: LibraryAlbum): HTMLElement[] {
  if (!album.gone) return [];
  const state = document.createElement("span");
  state.className = "state";
  state.textContent = isInBin(album) ? timeLeft(album) : t("Deleted or expired");
  return [state];
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
