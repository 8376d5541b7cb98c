// The images of an album as a list that people sort, and remove images from. Changes are saved by themselves.

import { announce } from "../parts/announce";
import { UNDO_MS } from "../parts/undo";
import { button } from "../parts/buttons";
import { t, tn } from "../parts/messages";
import { loadPage } from "../parts/pages";
import type { Autosave } from "./autosave";
import { wireDragging } from "./dragging";
import { moved, movesTo, renumber, slugOf, slugsOf, type Way } from "./order";
import { SelectableList } from "./selectable-list";
import { Toolbar } from "./toolbar";

const WAYS: Record<string, Way> = { ArrowUp: "up", ArrowDown: "down", Home: "top", End: "bottom" };

export class SortableAlbum {
  readonly #selectable: SelectableList;
  readonly #toolbar: Toolbar;
  /** Images that were moved here since everything was saved. */
  readonly #moved = new Set<string>();

  /** `labelledBy` is the id of the list's name. */
  constructor(
    private readonly list: HTMLOListElement,
    labelledBy: string,
    private readonly autosave: Autosave,
  ) {
    this.#toolbar = new Toolbar({
      move: (way) => this.#move(way),
      makeCover: () => this.#makeCover(),
      remove: () => void this.#remove(),
      selectAll: () => this.#selectable.select(this.#selectable.items),
    });
    this.#selectable = new SelectableList(list, labelledBy, () => this.#toolbar.show(this.#selectable.selected.length));
    this.#selectable.items.forEach((item) => this.#addHandle(item));
    list.classList.add("scripted");
    list.setAttribute("aria-describedby", "sorting-help");
    list.before(createHelp(), this.#toolbar.element);
    this.#toolbar.element.append(autosave.state);
    autosave.saved = (slugs) => void this.#onSaved(slugs);
    list.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Add items at the end, as the server sent them; those that are in the list stay. */
  append(items: Iterable<HTMLLIElement>): void {
    const known = new Set(slugsOf(this.list));
    for (const item of items) {
      if (known.has(slugOf(item))) continue;
      item.querySelector(".caption")?.removeAttribute("id"); // which an item of this page may have
      this.list.append(item);
      this.#selectable.adopt(item);
      this.#addHandle(item);
    }
    renumber(this.list);
  }

  #addHandle(item: HTMLLIElement): void {
    const handle = document.createElement("span");
    handle.className = "handle";
    handle.textContent = "⠿";
    handle.setAttribute("aria-hidden", "true");
    handle.addEventListener("click", (event) => event.stopPropagation());
    wireDragging(handle, item, () => this.#onMoved([item]));
    item.prepend(handle);
  }

  #onKey(event: KeyboardEvent): void {
    const way = WAYS[event.key];
    if (event.key === "Delete") void this.#remove();
    else if (way && event.altKey) this.#move(way);
    else return;
    event.preventDefault();
  }

  /** The images that an action is for; says so if there are none. */
  #targets(): HTMLLIElement[] {
    const { targets } = this.#selectable;
    if (targets.length === 0) announce(t("Select an image first."));
    return targets;
  }

  #move(way: Way): void {
    const targets = this.#targets();
    const { items } = this.#selectable;
    const wanted = moved(items, targets, way);
    const [first] = targets;
    if (!first) return;
    if (wanted.every((item, place) => item === items[place])) {
      announce(way === "up" || way === "top" ? t("Already first.") : t("Already last."));
      return;
    }
    const focused = document.activeElement;
    this.list.append(...wanted);
    if (focused instanceof HTMLLIElement && this.list.contains(focused)) this.#selectable.focus(focused);
    else first.scrollIntoView({ block: "nearest" });
    this.#onMoved(targets);
  }

  /** Announce the new position at once; save when nothing has been moved for a moment. */
  #onMoved(targets: readonly HTMLLIElement[]): void {
    renumber(this.list);
    const slugs = slugsOf(this.list);
    const [first] = targets;
    if (!first) return;
    const figures = { name: nameOf(targets), place: slugs.indexOf(slugOf(first)) + 1, count: slugs.length };
    announce(t("{name}: position {place} of {count}", figures));
    for (const item of targets) this.#moved.add(slugOf(item));
    this.autosave.schedule({ move: movesTo(slugs, this.#moved) });
  }

  /** If somebody else has changed the album meanwhile, show it as it is now. */
  async #onSaved(slugs: string[]): Promise<void> {
    if (this.#moved.size === 0 || this.list.querySelector(".dragged")) return;
    this.#moved.clear();
    if (slugs.join() === slugsOf(this.list).join()) return;
    const page = await loadPage(location.pathname);
    if (!page || this.#moved.size > 0) return; // what is moved now is saved soon
    this.#show(page.querySelectorAll<HTMLLIElement>(".sortable li"));
    announce(t("This album was changed elsewhere, too. It is shown as it is now."));
  }

  #show(items: Iterable<HTMLLIElement>): void {
    const slugs = [...items].map(slugOf);
    this.append(items);
    const shown = new Map(this.#selectable.items.map((item) => [slugOf(item), item]));
    const gone = [...shown.values()].filter((item) => !slugs.includes(slugOf(item)));
    const focused = [...shown.values()].find((item) => item === document.activeElement);
    const next = focused && gone.includes(focused) ? this.#selectable.neighbourOf(gone) : focused;
    for (const item of gone) item.remove();
    this.list.append(...slugs.flatMap((slug) => shown.get(slug) ?? []));
    renumber(this.list);
    this.#selectable.select(this.#selectable.selected);
    if (next) this.#selectable.focus(next);
  }

  #makeCover(): void {
    const [item, ...others] = this.#targets();
    if (!item) return;
    if (others.length > 0) {
      announce(t("Select only one image for the cover."));
      return;
    }
    const choice = item.querySelector<HTMLInputElement>("input[name=cover]");
    if (choice) choice.checked = true;
    announce(t("{name} is the cover.", { name: nameOf([item]) }));
    this.autosave.schedule({ cover: slugOf(item) });
  }

  async #remove(): Promise<void> {
    const targets = this.#targets();
    if (targets.length === 0) return;
    const neighbour = this.#selectable.neighbourOf(targets);
    if (!neighbour) {
      announce(t("An album needs at least one image. To remove the last one, delete the album."));
      return;
    }
    await this.autosave.flush();
    const before = this.#selectable.items;
    if (!(await this.autosave.save({ remove: targets.map(slugOf) }))) return;
    for (const item of targets) item.remove();
    renumber(this.list);
    this.#selectable.select([]);
    this.#selectable.focus(neighbour);
    const undo = button(t("Undo"), () => void this.#putBack(targets, before));
    announce(t("{name} removed.", { name: nameOf(targets) }), { action: undo, staysMs: UNDO_MS });
  }

  async #putBack(removed: HTMLLIElement[], before: HTMLLIElement[]): Promise<void> {
    const order = [...before, ...this.#selectable.items.filter((item) => !before.includes(item))];
    const slugs = removed.map(slugOf);
    if (!(await this.autosave.save({ add: slugs, move: movesTo(order.map(slugOf), new Set(slugs)) }))) return;
    this.list.append(...order);
    renumber(this.list);
    this.#selectable.select(removed);
    if (removed[0]) this.#selectable.focus(removed[0]);
    announce(t("{name} restored.", { name: nameOf(removed) }));
  }
}

function createHelp(): HTMLElement {
  const help = document.createElement("p");
  help.className = "muted";
  help.id = "sorting-help";
  help.textContent = t("Press images to select them. Drag them to move them, or press Alt and an arrow key.");
  return help;
}

/** The name of the image, or how many there are. */
function nameOf(items: readonly HTMLElement[]): string {
  if (items.length === 1) return items[0]?.querySelector(".caption")?.textContent ?? "";
  return tn("{count} image", "{count} images", items.length);
}
