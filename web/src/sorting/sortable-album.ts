// The images of an album as a list that people can sort.

import { announce } from "../parts/announce";
import { button } from "../parts/buttons";
import { UNDO_MS } from "../parts/undo";
import { t } from "../parts/messages";
import { wireDragging } from "./dragging";
import { moveItem, renumber, slugsOf } from "./order";
import { Autosave } from "./autosave";

const SAVE_AFTER_MS = 600;
const KEYS: Record<string, number> = { ArrowUp: -1, ArrowDown: 1 };

export class SortableAlbum {
  readonly #autosave: Autosave;
  #saveTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    form: HTMLFormElement,
    private readonly list: HTMLOListElement,
  ) {
    this.#autosave = new Autosave(form, list);
  }

  start(): void {
    for (const item of this.list.querySelectorAll<HTMLLIElement>("li")) this.#addControls(item);
    this.list.classList.add("scripted");
    addEventListener("pagehide", () => this.#saveNow());
  }

  #addControls(item: HTMLLIElement): void {
    const name = nameOf(item);
    const handle = button("⠿", undefined, {
      className: "quiet handle",
      label: t("Move {name}: drag it, or press arrow up or down", { name }),
    });
    handle.addEventListener("keydown", (event) => {
      const by = KEYS[event.key];
      if (!by) return;
      event.preventDefault();
      this.#move(item, by);
    });
    wireDragging(handle, item, () => this.#onMoved(item));
    item.prepend(handle);
    item
      .querySelector(".controls")
      ?.append(
        button("↑", () => this.#move(item, -1), { className: "quiet", label: t("Move {name} up", { name }) }),
        button("↓", () => this.#move(item, 1), { className: "quiet", label: t("Move {name} down", { name }) }),
        button("✕", () => void this.#remove(item), { className: "quiet remove", label: t("Remove {name}", { name }) }),
      );
  }

  #move(item: HTMLLIElement, by: number): void {
    if (moveItem(item, by)) this.#onMoved(item);
    else announce(t("This image can’t be moved any further."));
  }

  /** Announce the new position at once; save when nothing has been moved for a moment. */
  #onMoved(item: HTMLLIElement): void {
    renumber(this.list);
    const slugs = slugsOf(this.list);
    announce(t("{name}: position {place} of {count}", { name: nameOf(item), place: slugs.indexOf(slugOf(item)) + 1, count: slugs.length }));
    clearTimeout(this.#saveTimer);
    this.#saveTimer = setTimeout(() => this.#saveNow(), SAVE_AFTER_MS);
  }

  /** Save the last move without waiting, also when the page is left. */
  #saveNow(): void {
    if (this.#saveTimer === undefined) return;
    clearTimeout(this.#saveTimer);
    this.#saveTimer = undefined;
    void this.#autosave.save({ order: slugsOf(this.list) });
  }

  async #remove(item: HTMLLIElement): Promise<void> {
    const order = slugsOf(this.list);
    if (order.length === 1) {
      announce(t("An album needs at least one image. To remove the last one, delete the album."));
      return;
    }
    if (!this.#autosave.token) {
      this.#toggleCheckbox(item);
      return;
    }
    if (!(await this.#autosave.save({ remove: [slugOf(item)] }))) return;
    const next = item.nextElementSibling;
    const neighbour = next ?? item.previousElementSibling;
    item.remove();
    renumber(this.list);
    neighbour?.querySelector<HTMLButtonElement>(".remove")?.focus();
    const undo = button(t("Undo"), () => void this.#putBack(item, next, order));
    announce(t("{name} removed.", { name: nameOf(item) }), { action: undo, staysMs: UNDO_MS });
  }

  /** Without a token, toggle the form's checkbox instead, for its Save button. */
  #toggleCheckbox(item: HTMLLIElement): void {
    const checkbox = item.querySelector<HTMLInputElement>("input[name=remove]");
    if (!checkbox) return;
    checkbox.checked = !checkbox.checked;
    item.classList.toggle("to-remove", checkbox.checked);
    item.querySelector(".remove")?.setAttribute("aria-pressed", String(checkbox.checked));
    this.#autosave.showUnsaved();
  }

  async #putBack(item: HTMLLIElement, before: Element | null, order: string[]): Promise<void> {
    if (!(await this.#autosave.save({ add: [slugOf(item)] }))) return;
    this.list.insertBefore(item, before?.isConnected ? before : null);
    renumber(this.list);
    const present = new Set(slugsOf(this.list));
    await this.#autosave.save({ order: order.filter((slug) => present.has(slug)) });
    item.querySelector<HTMLButtonElement>(".remove")?.focus();
    announce(t("{name} restored.", { name: nameOf(item) }));
  }
}

function nameOf(item: HTMLElement): string {
  return item.querySelector(".caption")?.textContent ?? "";
}

function slugOf(item: HTMLElement): string {
  return item.dataset["slug"] ?? "";
}
